"""A process that leaves: its scans go back, its watchers are sent on."""

import asyncio
from contextlib import AsyncExitStack

import asyncpg

from eco2.scan.v1 import scan_pb2
from eco2.scan.v1.scan_service_pb2 import WatchScanResponse
from mesh.grpc.identity import USER_HEADER
from tests.integration.scan.client import StartScanService, rest
from tests.support.scan.peer_servicers import Peers


async def test_a_silent_watch_has_heartbeats_and_a_leaving_server_sends_its_watchers_on(
    start_scan_service: StartScanService, peers: Peers
) -> None:
    """Proxies cut what is silent, and a cut stream looks like a failure."""
    peers.before["Classify"] = asyncio.Event().wait
    async with start_scan_service(heartbeat_seconds=0.05, drain_seconds=0.1, grace_seconds=0) as client:
        watching = client.watch(await client.started())
        while (await watching.read()).type != WatchScanResponse.TYPE_HEARTBEAT:
            pass
        remaining = asyncio.create_task(rest(watching))
    assert (await remaining)[-1].type == WatchScanResponse.TYPE_RECONNECT


async def test_leaving_gives_the_scan_back_with_its_attempt(
    start_scan_service: StartScanService, peers: Peers, database_url: str
) -> None:
    """A deployment must not cost a scan one of its tries."""
    reached = asyncio.Event()

    async def hang() -> None:
        reached.set()
        await asyncio.Event().wait()

    peers.before["Classify"] = hang
    async with start_scan_service(grace_seconds=0) as client:
        scan_id = await client.started()
        await reached.wait()
    connection = await asyncpg.connect(database_url)
    row = await connection.fetchrow("select state, attempt, crashes from scan.job where ref = $1", scan_id)
    await connection.close()
    assert row is not None
    assert tuple(row) == ("READY", 0, 0)
    del peers.before["Classify"]
    user = dict(client.metadata)[USER_HEADER]
    async with start_scan_service(user) as next_one:
        assert (await next_one.finished(scan_id)).state == scan_pb2.Scan.STATE_SUCCEEDED


async def test_the_worker_leaves_while_the_api_drains(start_scan_service: StartScanService, peers: Peers) -> None:
    """One after the other they would take longer than a pod is given, and who is killed counts as crashed."""
    reached = asyncio.Event()

    async def hang() -> None:
        reached.set()
        await asyncio.Event().wait()

    peers.before["Classify"] = hang
    async with AsyncExitStack() as service:
        client = await service.enter_async_context(start_scan_service(drain_seconds=1, grace_seconds=0))
        scan_id = await client.started()
        await reached.wait()
        leaving = asyncio.create_task(service.aclose())
        await peers.cancelled.wait()
        assert (await client.get(scan_id)).scan_id == scan_id  # calls are still answered
        await leaving
