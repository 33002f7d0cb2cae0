"""GetScan that waits: for clients that hold no stream."""

import asyncio

import grpc
import pytest

from eco2.scan.v1 import scan_pb2
from eco2.scan.v1.scan_service_pb2 import GetScanRequest
from mesh.reasons import Reason
from tests.integration.scan.client import PHOTO, Client, StartScanService, reason

END = 2**32 - 1


async def waited(client: Client, scan_id: str, after_version: int, seconds: int = 20) -> scan_pb2.Scan:
    request = GetScanRequest(scan_id=scan_id, wait={"seconds": seconds}, after_version=after_version)
    return await client.stub.GetScan(request, metadata=client.metadata)


async def test_a_long_poll_answers_at_the_next_change(client: Client) -> None:
    """For clients that can't stream."""
    created = (await client.create()).scan
    assert (await waited(client, created.scan_id, 0)).version == created.version
    waiting = asyncio.create_task(waited(client, created.scan_id, created.version))
    await asyncio.sleep(0)
    cancelled = await client.cancel(created.scan_id)
    assert (await waiting).version == cancelled.version
    assert (await waited(client, created.scan_id, END)).state == scan_pb2.Scan.STATE_CANCELLED


async def test_a_long_poll_answers_when_the_time_is_up(client: Client) -> None:
    created = (await client.create()).scan
    request = GetScanRequest(scan_id=created.scan_id, wait={"nanos": 50_000_000}, after_version=created.version)
    assert (await client.stub.GetScan(request, metadata=client.metadata)).version == created.version
    request.wait.seconds = 30
    early = await client.stub.GetScan(request, metadata=client.metadata, timeout=0.7)
    assert early.version == created.version  # in time for the caller's own deadline


async def test_three_requests_make_a_scan(client: Client) -> None:
    """Create, start, and one that waits for the end."""
    created = await client.create()
    (await client.put(created.upload, PHOTO)).raise_for_status()
    await client.start(created.scan.scan_id)
    assert (await waited(client, created.scan.scan_id, END)).state == scan_pb2.Scan.STATE_SUCCEEDED


async def test_waiting_calls_leave_room_for_short_ones(start_scan_service: StartScanService) -> None:
    """Calls that only wait are watches; the limit of calls at work is another one."""
    async with start_scan_service(call_limit=2, grace_seconds=0) as client:
        created = (await client.create()).scan
        waiting = [asyncio.create_task(waited(client, created.scan_id, created.version)) for _ in range(10)]
        await asyncio.gather(*(client.get(created.scan_id) for _ in range(2)))
        for task in waiting:
            task.cancel()
        await asyncio.wait(waiting)


@pytest.mark.parametrize("limits", [{"watcher_limit": 1}, {"user_watcher_limit": 1}], ids=["process", "user"])
async def test_limits_of_watches_are_told_and_strangers_use_none_of_them(
    start_scan_service: StartScanService, limits: dict[str, int]
) -> None:
    """Counted once it is known that the scan may be watched, apart from the limit of short calls."""
    async with start_scan_service(**limits, grace_seconds=0) as client:
        scan_id = (await client.create()).scan.scan_id
        stranger = Client(client.target, grpc.aio.insecure_channel(client.target), "stranger")
        first = client.watch(scan_id)
        await first.read()
        for refused in (client.watch(scan_id).read(), waited(client, scan_id, END)):
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await refused
            assert (caught.value.code(), reason(caught.value)) == (
                grpc.StatusCode.RESOURCE_EXHAUSTED,
                Reason.WATCH_LIMIT,
            )
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await stranger.watch(scan_id).read()
        assert caught.value.code() is grpc.StatusCode.NOT_FOUND
        assert (await client.get(scan_id)).scan_id == scan_id
        first.cancel()
