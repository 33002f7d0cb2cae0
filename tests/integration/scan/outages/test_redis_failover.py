"""A primary of Redis is killed, and slots move, while two hundred watch: nothing is lost, and nothing goes back."""

import asyncio
import itertools
import json
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from eco2.scan.v1 import scan_pb2
from mesh.concurrency.tasks import end
from mesh.redis import open_redis
from scan_svc.progress.keys import ScanKeys
from scan_svc.settings import StageSettings
from tests.integration.scan.client import Client, StartScanService, create, events_of, follow, in_order, photo
from tests.integration.scan.outages.moving_slots import move_at_once, move_one_by_one
from tests.support.gates import Gate
from tests.support.redis_servers import RedisServers, redis_servers
from tests.support.scan.peer_servicers import Peers
from tests.support.waiting import eventually

pytestmark = pytest.mark.slow

WATCHES = 200
PATIENCE_SECONDS = 120


class Audience:
    """Clients of several replicas: half of them watch by gRPC, half by Server-Sent Events, and all are polled for.

    Args:
        replicas: Whom they ask.
        scan_ids: What about.
    """

    def __init__(self, replicas: Sequence[Client], scan_ids: Sequence[str]) -> None:
        self._replicas = replicas
        self._scan_ids = scan_ids
        self.began = [asyncio.Event() for _ in scan_ids]
        self.late: list[float] = []  # of each watch, seconds between the scan's end and its being told
        self._polled: dict[str, list[int]] = {scan_id: [] for scan_id in scan_ids}

    async def watch(self) -> None:
        """Watches all to their ends."""
        watches = (self._by_grpc, self._by_events)
        await asyncio.gather(*(watches[place % 2](place) for place in range(len(self._scan_ids))))

    async def poll(self) -> None:
        """Reads one scan after the other, each by one replica and then by another, for ever."""
        for scan_id in itertools.cycle(self._scan_ids):
            for replica in self._replicas:
                self._polled[scan_id].append((await replica.get(scan_id)).version)

    def went_back(self) -> list[list[int]]:
        """What polls of a scan were told, of those that were told an earlier version after a later one."""
        return [versions for versions in self._polled.values() if versions != sorted(versions)]

    async def _by_grpc(self, place: int) -> None:
        told_at: list[float] = []

        def told() -> None:
            self.began[place].set()
            told_at.append(time.time())

        states = await follow(self._replica(place), self._scan_ids[place], told)
        assert in_order(states)
        assert states[-1].state == scan_pb2.Scan.STATE_SUCCEEDED
        first = next(
            at for at, scan in zip(told_at, states, strict=True) if scan.state == scan_pb2.Scan.STATE_SUCCEEDED
        )
        self.late.append(first - states[-1].finish_time.ToMilliseconds() / 1000)

    async def _by_events(self, place: int) -> None:
        events = [{"event": ""}]
        async for event in events_of(self._replica(place), self._scan_ids[place]):
            if "id" in event:
                self.began[place].set()
                events.append(event)
        versions = [int(event["id"]) for event in events[1:]]
        assert versions == sorted(versions)
        assert events[-1]["event"] == "terminal"
        assert json.loads(events[-1]["data"])["scan"]["state"] == "STATE_SUCCEEDED"

    def _replica(self, place: int) -> Client:
        return self._replicas[place // 2 % len(self._replicas)]


async def replicas_of(
    stack: AsyncExitStack, start: StartScanService, servers: RedisServers, user: str = "watcher"
) -> Sequence[Client]:
    """Two replicas of the API and a worker, each with a Redis client of its own."""
    # No try of a stage may time out while a gate holds it, for as long as this machine takes.
    settings = {
        "redis_url": servers.url,
        "user_watcher_limit": WATCHES,
        "stages": {name: StageSettings(deadline=60.0) for name in ("vision", "rules", "answer")},
    }
    clients = [
        await stack.enter_async_context(start(user, scan_role=role, **settings)) for role in ("api", "api", "worker")
    ]
    return clients[:2]


async def all_are_told(
    stack: AsyncExitStack, replicas: Sequence[Client], peers: Peers, disturb: Callable[[], Awaitable[None]]
) -> Audience:
    """Two hundred scans are watched; when a part of them has gone on, something happens to Redis."""
    gate, passed = Gate(), asyncio.Event()
    peers.before["Classify"] = gate

    async def count() -> None:
        if peers.calls["MatchRules"] >= WATCHES // 4:
            passed.set()

    peers.before["MatchRules"] = count
    url = await photo(replicas[0])
    scan_ids = await asyncio.gather(*(create(replicas[0], url) for _ in range(WATCHES)))
    audience = Audience(replicas, scan_ids)
    watching = asyncio.create_task(audience.watch())
    await gate.held(WATCHES // 4)
    await asyncio.gather(*(event.wait() for event in audience.began))
    polling = asyncio.create_task(audience.poll())
    stack.push_async_callback(end, polling)
    gate.open()
    await passed.wait()
    await disturb()
    await watching
    assert not polling.done()
    return audience


def report(what: str, values: Iterable[float]) -> None:
    """Prints how late something was."""
    ordered = sorted(values)
    middle, last = ordered[len(ordered) // 2], ordered[-1]
    print(f"{what}: median {middle:.2f} s, latest {last:.2f} s, of {len(ordered)}")


@pytest.mark.parametrize("shape", ["sentinel", "cluster"])
async def test_a_replica_takes_over_and_two_hundred_watches_see_everything_to_the_end(
    start_scan_service: StartScanService, peers: Peers, tmp_path: Path, shape: str
) -> None:
    """Until it has, states come from PostgreSQL; then from the replica, which may lack the last ones."""
    async with asyncio.timeout(PATIENCE_SECONDS), AsyncExitStack() as stack:
        servers = await stack.enter_async_context(redis_servers(tmp_path, shape))
        replicas = await replicas_of(stack, start_scan_service, servers)
        redis = await stack.enter_async_context(open_redis(servers.url))
        keys = ScanKeys(redis.sharded)
        killed_at = 0.0

        async def kill() -> None:
            nonlocal killed_at
            killed_at = time.monotonic()
            await servers.kill("valkey-1")

        audience = await all_are_told(stack, replicas, peers, kill)
        report(f"{shape}: told late", audience.late)
        assert audience.went_back() == []

        async def taken_over() -> bool:
            primaries = await servers.primaries()
            return len(primaries) == (3 if shape == "cluster" else 1)

        await eventually(taken_over)
        print(f"{shape}: another primary after {time.monotonic() - killed_at:.1f} s")
        url = await photo(replicas[0])
        scan_ids = [await create(replicas[0], url) for _ in range(20)]
        for scan_id in scan_ids:
            assert (await replicas[1].finished(scan_id)).state == scan_pb2.Scan.STATE_SUCCEEDED

        async def kept() -> bool:
            found = await asyncio.gather(
                *(redis.execute("EXISTS", keys.result(scan_id)) for scan_id in scan_ids), return_exceptions=True
            )
            return found == [1] * len(scan_ids)

        await eventually(kept)
        assert audience.went_back() == []


@pytest.mark.parametrize("move", [move_at_once, move_one_by_one])
async def test_slots_move_while_two_hundred_watch(
    start_scan_service: StartScanService,
    peers: Peers,
    tmp_path: Path,
    move: Callable[[RedisServers], Awaitable[int]],
) -> None:
    """No scan and no wake-up is lost on the way."""
    async with asyncio.timeout(PATIENCE_SECONDS), AsyncExitStack() as stack:
        servers = await stack.enter_async_context(redis_servers(tmp_path, "cluster"))
        replicas = await replicas_of(stack, start_scan_service, servers)

        async def disturb() -> None:
            began = time.monotonic()
            print(f"{await move(servers)} slots moved in {time.monotonic() - began:.1f} s")

        audience = await all_are_told(stack, replicas, peers, disturb)
        report(f"{move.__name__}: told late", audience.late)
        assert audience.went_back() == []
