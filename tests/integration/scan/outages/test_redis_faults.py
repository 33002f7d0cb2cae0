"""Redis frozen, killed, emptied and cut off while scans are watched: slower, but nothing errs and nothing is lost."""

import asyncio
import itertools
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from pathlib import Path

import grpc
import pytest
from redis.asyncio import Redis

from eco2.scan.v1 import scan_pb2
from eco2.scan.v1.scan_service_pb2 import ListScansRequest
from scan_svc.settings import StageSettings
from tests.integration.scan.client import Client, StartScanService, create, follow, in_order, photo
from tests.support.gates import Gate
from tests.support.own_redis import OwnRedis, own_redis
from tests.support.scan.peer_servicers import Peers
from tests.support.waiting import eventually

WATCHES = 100
REDIS_SECONDS = 0.5  # after which a call to Redis is given up, see `open_redis`
Fault = Callable[[OwnRedis], Awaitable[None]]
ORDER = ["vision", "rules", "answer"]


@pytest.fixture
async def redis(tmp_path: Path) -> AsyncIterator[OwnRedis]:
    """A Redis to break."""
    async with own_redis(tmp_path) as server:
        yield server


async def page(client: Client) -> None:
    await client.stub.ListScans(ListScansRequest(), metadata=client.metadata)


async def holds(store: Redis, scan: scan_pb2.Scan) -> bool:
    """Whether Redis has the scan's result."""
    return bool(await store.exists(f"job:{scan.scan_id}:result"))


async def freeze(redis: OwnRedis) -> None:
    redis.freeze()


async def kill(redis: OwnRedis) -> None:
    await redis.kill()


async def empty(redis: OwnRedis) -> None:
    async with redis.client() as client:
        await client.flushall()


async def cut(redis: OwnRedis) -> None:
    async with redis.client() as client:
        await client.client_kill_filter(_type="pubsub")


@pytest.mark.parametrize("fault", [freeze, kill, empty, cut])
@pytest.mark.parametrize("split", [False, True], ids=["one process", "api and worker"])
async def test_a_hundred_watches_see_everything_to_the_end(
    start_scan_service: StartScanService,
    peers: Peers,
    redis: OwnRedis,
    fault: Callable[[OwnRedis], Awaitable[None]],
    split: bool,
) -> None:
    """While it is away the states come from PostgreSQL; whoever works on the scan needn't be who is asked."""
    gate = peers.before["MatchRules"] = Gate()
    async with AsyncExitStack() as stack:
        roles = ("api", "worker") if split else ("all",)
        # The gate stays closed for as long as the machine takes to start the watches: no try of the stage may time out.
        held = {"rules": StageSettings(deadline=60.0)}
        settings = {"redis_url": redis.url, "user_watcher_limit": WATCHES, "stages": held}
        clients = [await stack.enter_async_context(start_scan_service(scan_role=role, **settings)) for role in roles]
        client = clients[0]
        url = await photo(client)
        scan_ids = await asyncio.gather(*(create(client, url) for _ in range(WATCHES)))
        began = [asyncio.Event() for _ in scan_ids]
        watching = [
            asyncio.create_task(follow(client, scan_id, event.set))
            for scan_id, event in zip(scan_ids, began, strict=True)
        ]
        await gate.held(WATCHES)
        await asyncio.gather(*(event.wait() for event in began))
        await fault(redis)
        gate.open()
        async with asyncio.timeout(20):
            seen = await asyncio.gather(*watching)
        assert all(in_order(states) for states in seen)
        assert {states[-1].state for states in seen} == {scan_pb2.Scan.STATE_SUCCEEDED}
        assert {tuple(run.stage for run in states[-1].stages)[:3] for states in seen} == {tuple(ORDER)}


async def restart(redis: OwnRedis) -> None:
    await redis.kill()
    await redis.start()


@pytest.mark.parametrize("fault", [freeze, kill, restart, empty])
@pytest.mark.parametrize("roles", [("api", "api", "worker"), ("all", "api")], ids=["apart", "together"])
async def test_no_poll_goes_back_whichever_replica_answers(
    start_scan_service: StartScanService,
    peers: Peers,
    redis: OwnRedis,
    fault: Callable[[OwnRedis], Awaitable[None]],
    roles: Sequence[str],
) -> None:
    """PostgreSQL knows the checkpoints alone, and others have seen more: a client mustn't see 50 % and then 0 %."""
    gate = peers.before["Classify"] = Gate()
    user = f"user-{uuid.uuid4().hex}"
    async with AsyncExitStack() as stack:
        clients = [
            await stack.enter_async_context(start_scan_service(user, scan_role=role, redis_url=redis.url))
            for role in roles
        ]
        replicas = [client for client, role in zip(clients, roles, strict=True) if role != "worker"]
        scan_id = await create(replicas[0], await photo(replicas[0]))
        await gate.held(1)
        seen = list[scan_pb2.Scan]()

        async def poll(count: int) -> bool:
            for replica, _ in zip(itertools.cycle(replicas), range(count), strict=False):
                seen.append(await replica.get(scan_id))
            return seen[-1].progress.percent == 50

        await eventually(lambda: poll(2))
        await fault(redis)
        await poll(20)
        gate.open()
        async with asyncio.timeout(20):
            while seen[-1].state != scan_pb2.Scan.STATE_SUCCEEDED:
                await poll(2)
        versions = [scan.version for scan in seen]
        percents = [scan.progress.percent for scan in seen]
        assert versions == sorted(versions)
        assert percents == sorted(percents)


async def nothing(redis: OwnRedis) -> None:
    pass


@pytest.mark.parametrize("fault", [nothing, cut, empty])
async def test_a_change_by_another_replica_is_found_by_the_next_polls(
    start_scan_service: StartScanService, redis: OwnRedis, fault: Callable[[OwnRedis], Awaitable[None]]
) -> None:
    """What a replica has kept is dropped when it hears of the change, and when it may have missed one."""
    async with (
        start_scan_service("user", scan_role="api", redis_url=redis.url) as one,
        start_scan_service("user", scan_role="api", redis_url=redis.url) as other,
    ):
        scan_id = (await one.create()).scan.scan_id
        for _ in range(3):
            await one.get(scan_id)
        await fault(redis)
        await other.cancel(scan_id)

        async def cancelled() -> bool:
            return (await one.get(scan_id)).state == scan_pb2.Scan.STATE_CANCELLED

        await eventually(cancelled)


async def test_nobody_waits_for_a_frozen_redis(start_scan_service: StartScanService, redis: OwnRedis) -> None:
    """One call finds out; from then on a probe of our own waits, and no user."""
    async with start_scan_service(redis_url=redis.url, scan_role="api") as client:
        scan_id = (await client.create()).scan.scan_id
        redis.freeze()
        await client.get(scan_id)
        waited = {"read": 0, "list": 0}
        for _ in range(300):
            for name, call in (("read", client.get(scan_id)), ("list", page(client))):
                began = time.monotonic()
                await call
                waited[name] += time.monotonic() - began >= REDIS_SECONDS
        # Lists never ask Redis: they tell how often the machine itself takes so long. One stall more may hit the reads;
        # were it theirs to find out whether Redis is back, it would be several.
        assert waited["read"] <= waited["list"] + 1
        redis.thaw()


@pytest.mark.parametrize(
    ("broken", "mended"),
    [
        ("CONFIG SET maxmemory 1", "CONFIG SET maxmemory 0"),
        ("CONFIG SET min-replicas-to-write 1", "CONFIG SET min-replicas-to-write 0"),
        ("REPLICAOF 127.0.0.1 1", "REPLICAOF NO ONE"),
    ],
    ids=["memory full", "no replica", "made a replica"],
)
async def test_a_redis_that_takes_no_writes_fails_nothing(
    start_scan_service: StartScanService, redis: OwnRedis, broken: str, mended: str
) -> None:
    """It answers, but with OOM, NOREPLICAS, READONLY: as good as away. Afterwards it serves again."""
    async with start_scan_service(redis_url=redis.url) as client, AsyncExitStack() as stack:
        store = await stack.enter_async_context(redis.client())
        await store.execute_command(*broken.split())  # type: ignore[no-untyped-call]
        scan = await client.finished(await create(client, await photo(client)))
        assert scan.state == scan_pb2.Scan.STATE_SUCCEEDED
        assert (await client.get(scan.scan_id)).state == scan_pb2.Scan.STATE_SUCCEEDED
        await store.execute_command(*mended.split())  # type: ignore[no-untyped-call]
        await eventually(lambda: holds(store, scan))


async def test_after_the_outage_redis_serves_again_without_a_restart(
    start_scan_service: StartScanService, redis: OwnRedis
) -> None:
    """What was announced meanwhile is published then, and what Redis forgot is refilled by reading it."""
    async with start_scan_service(redis_url=redis.url) as client, AsyncExitStack() as stack:
        url = await photo(client)
        before = await client.finished(await create(client, url))
        await redis.kill()
        during = await client.finished(await create(client, url))
        await redis.start()
        store = await stack.enter_async_context(redis.client())
        await eventually(lambda: holds(store, during))
        assert not await holds(store, before)
        await client.get(before.scan_id)
        await eventually(lambda: holds(store, before))
        assert (await client.finished(await create(client, url))).state == scan_pb2.Scan.STATE_SUCCEEDED


async def test_a_scan_deleted_while_redis_was_frozen_stays_deleted(
    start_scan_service: StartScanService, redis: OwnRedis
) -> None:
    """What Redis still holds when it thaws must be taken from it."""
    async with start_scan_service(redis_url=redis.url) as client:
        scan = await client.finished(await create(client, await photo(client)))
        redis.freeze()
        await client.delete(scan.scan_id)
        redis.thaw()
        async with redis.client() as store:

            async def gone() -> bool:
                return not await holds(store, scan)

            await eventually(gone)
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await client.get(scan.scan_id)
        assert caught.value.code() is grpc.StatusCode.NOT_FOUND


async def test_a_snapshot_that_waited_through_an_outage_is_checked(
    start_scan_service: StartScanService, redis: OwnRedis, peers: Peers
) -> None:
    """Who comes back with old news mustn't be believed: another process worked on meanwhile, and Redis forgot."""
    async with AsyncExitStack() as stack:
        api = await stack.enter_async_context(start_scan_service(redis_url=redis.url, scan_role="api"))
        url = await photo(api)
        await redis.kill()
        scan_id = await create(api, url)
        async with start_scan_service(redis_url="redis://127.0.0.1:1/0", scan_role="worker"):

            async def ended() -> bool:
                return (await api.get(scan_id)).HasField("finish_time")

            await eventually(ended)
        await redis.start()
        async with redis.client() as store:

            async def published() -> bool:
                return bool(await store.exists(f"job:{scan_id}:progress"))

            await eventually(published)
        assert (await api.get(scan_id)).state == scan_pb2.Scan.STATE_SUCCEEDED
