"""Redis comes back with what it had a while ago, as a replica that took over may: no client is taken back."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import grpc
import pytest

from eco2.scan.v1 import scan_pb2
from local.stack.ports import HOST
from scan_svc.progress.keys import CHANNEL
from tests.integration.scan.client import Client, StartScanService, create, photo
from tests.support.gates import Gate
from tests.support.line import line_to
from tests.support.own_redis import OwnRedis, own_redis
from tests.support.scan.peer_servicers import Peers
from tests.support.waiting import eventually


@pytest.fixture
async def redis(tmp_path: Path) -> AsyncIterator[OwnRedis]:
    """A Redis that begins with what it stored last, which is when a test says so."""
    async with own_redis(tmp_path) as server:
        yield server


async def store(redis: OwnRedis) -> None:
    """From now on it comes back as it is now."""
    async with redis.client() as client:
        await client.save()


async def holds(redis: OwnRedis, scan: scan_pb2.Scan) -> bool:
    """Whether it has the scan's result."""
    async with redis.client() as client:
        return bool(await client.exists(f"job:{scan.scan_id}:result"))


async def come_back_older(redis: OwnRedis, listening: int) -> None:
    """Returns when so many processes listen to it again."""
    await redis.kill()
    await redis.start()

    async def listens() -> bool:
        async with redis.client() as client:
            return await client.pubsub_numsub(CHANNEL) == [(CHANNEL.encode(), listening)]

    await eventually(listens)


async def poll_to_the_end(replicas: list[Client], scan_id: str, gate: Gate) -> list[scan_pb2.Scan]:
    """What replicas say in turn, for a while before the gate opens, then until the scan has ended."""
    seen = list[scan_pb2.Scan]()
    for count, replica in enumerate(itertools.cycle(replicas)):
        if count == 20:
            gate.open()
        seen.append(await replica.get(scan_id))
        if seen[-1].state == scan_pb2.Scan.STATE_SUCCEEDED:
            return seen
    raise AssertionError


async def test_no_poll_goes_back_though_redis_did(
    start_scan_service: StartScanService, peers: Peers, redis: OwnRedis
) -> None:
    """It holds what was true some seconds ago, which is young enough to be believed.

    The worker, which knows better, can't reach Redis yet.
    """
    looking, matching = peers.before["Classify"], peers.before["MatchRules"] = Gate(), Gate()
    async with asyncio.timeout(60), AsyncExitStack() as stack:
        line, port = await stack.enter_async_context(line_to(HOST, redis.port))
        urls = {"api": redis.url, "worker": f"redis://{HOST}:{port}/0"}
        replicas = [
            await stack.enter_async_context(start_scan_service("user", scan_role=role, redis_url=urls[role]))
            for role in ("api", "api", "worker")
        ][:2]
        scan_id = await create(replicas[0], await photo(replicas[0]))
        await looking.held()

        async def told(percent: int) -> bool:
            return {(await replica.get(scan_id)).progress.percent >= percent for replica in replicas} == {True}

        await eventually(lambda: told(10))
        await store(redis)
        looking.open()
        await matching.held()
        await eventually(lambda: told(50))
        before = [await replica.get(scan_id) for replica in replicas]
        line.cut()
        await come_back_older(redis, listening=2)
        versions = [scan.version for scan in before + await poll_to_the_end(replicas, scan_id, matching)]
        assert versions == sorted(versions)


async def test_a_deleted_scan_stays_deleted_though_redis_has_it_again(
    start_scan_service: StartScanService, redis: OwnRedis
) -> None:
    """For its owner at once, and soon in Redis itself."""
    async with (
        asyncio.timeout(60),
        start_scan_service("user", scan_role="all", redis_url=redis.url) as one,
        start_scan_service("user", scan_role="api", redis_url=redis.url) as other,
    ):
        scan = await one.finished(await create(one, await photo(one)))
        await eventually(lambda: holds(redis, scan))
        await store(redis)
        await one.delete(scan.scan_id)
        await come_back_older(redis, listening=2)

        async def forgotten() -> bool:
            for replica in (one, other):
                with pytest.raises(grpc.aio.AioRpcError) as caught:
                    await replica.get(scan.scan_id)
                assert caught.value.code() is grpc.StatusCode.NOT_FOUND
            return not await holds(redis, scan)

        await eventually(forgotten)
