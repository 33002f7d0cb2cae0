"""Progress for those who read it: a scan that nobody reads is shown five times, and who comes is told at once."""

import asyncio
import uuid
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from eco2.scan.v1 import scan_pb2
from eco2.scan.v1.scan_service_pb2 import GetScanRequest
from mesh.redis import open_redis
from scan_svc.progress import pacer
from scan_svc.progress.encoder import SnapshotEncoder
from scan_svc.progress.readers import Readers
from scan_svc.progress.snapshots import Snapshot, Snapshots, reader_key
from scan_svc.scans import State
from scan_svc.settings import StageSettings
from tests.integration.scan.client import Client, StartScanService, create, photo
from tests.integration.scan.outages.own_redis import own_redis
from tests.integration.scan.sample_scans import a_scan
from tests.support.gates import Gate
from tests.support.scan.peer_servicers import Peers
from tests.support.waiting import eventually

ROLES = pytest.mark.parametrize("roles", [("all",), ("api", "worker")], ids=["one process", "api and worker"])
END = 2**32 - 1
# No try fails while a gate is closed: the next one would begin with a step that is shown in any case.
PATIENT = {"rules": StageSettings(deadline=60.0)}


@pytest.fixture(autouse=True)
def held(monkeypatch: pytest.MonkeyPatch) -> None:
    """What isn't shown at once isn't shown by itself, however slow the machine."""
    monkeypatch.setattr(pacer, "_UNREAD_SECONDS", 3600.0)


async def ended(client: Client, scan_id: str) -> scan_pb2.Scan:
    """The scan's end, for somebody who doesn't care what comes before."""
    request = GetScanRequest(scan_id=scan_id, wait={"seconds": 30}, after_version=END)
    return await client.stub.GetScan(request, metadata=client.metadata)


async def test_a_scan_that_nobody_reads_is_shown_first_classified_and_last(client: Client, redis_url: str) -> None:
    """Queued, taken, classified, answered, rewarded; who waits for the end alone is no reader."""
    scan_id, versions = "", list[int]()
    async with open_redis(redis_url) as redis, redis.client.pubsub() as channel:
        await channel.subscribe("scan:changed")
        url = await photo(client)
        scan_id = await create(client, url)
        scan = await ended(client, scan_id)
        assert scan.state == scan_pb2.Scan.STATE_SUCCEEDED
        snapshots = Snapshots(redis, SnapshotEncoder())
        while not versions or versions[-1] < scan.version:
            message = await channel.get_message(ignore_subscribe_messages=True, timeout=30)
            if message and scan_id in message["data"].decode():
                seen = await snapshots.read(scan_id)
                assert seen
                versions.append(seen.version)
        assert len(versions) <= 5
        assert not await redis.client.exists(reader_key(scan_id))


@ROLES
@pytest.mark.parametrize("way", ["watch", "poll", "long poll"])
async def test_who_comes_in_the_middle_of_a_scan_is_told_where_it_is(
    start_scan_service: StartScanService, peers: Peers, roles: tuple[str, ...], way: str
) -> None:
    """And of the steps that follow, though this one wasn't shown before anybody came."""
    gates = {method: Gate() for method in ("MatchRules", "ComposeAnswer")}
    peers.before.update(gates)
    user = f"user-{uuid.uuid4().hex}"
    async with AsyncExitStack() as stack:
        starts = [start_scan_service(user, scan_role=role, stages=PATIENT) for role in roles]
        clients = [await stack.enter_async_context(start) for start in starts]
        client, percents = clients[0], list[int]()
        scan_id = await create(client, await photo(client))
        await gates["MatchRules"].held()
        watch = client.watch(scan_id) if way == "watch" else None

        async def until(percent: int) -> None:
            scan = scan_pb2.Scan()
            while not percents or percents[-1] < percent:
                if watch:
                    scan = (await watch.read()).scan
                elif way == "poll":
                    scan = await client.get(scan_id)
                else:
                    request = GetScanRequest(scan_id=scan_id, wait={"seconds": 30}, after_version=scan.version)
                    scan = await client.stub.GetScan(request, metadata=client.metadata)
                percents.append(scan.progress.percent)

        async with asyncio.timeout(30):
            await until(60)
            gates["MatchRules"].open()
            await until(70)
        assert percents == sorted(percents)
        gates["ComposeAnswer"].open()
        assert (await ended(client, scan_id)).state == scan_pb2.Scan.STATE_SUCCEEDED


async def test_a_reader_who_was_there_before_the_worker_is_known_to_it(
    start_scan_service: StartScanService, peers: Peers
) -> None:
    """Redis says so to whoever shows the scan; nobody has to say it twice."""
    gate = peers.before["MatchRules"] = Gate()
    user = f"user-{uuid.uuid4().hex}"
    async with start_scan_service(user, scan_role="api") as client:
        scan_id = await create(client, await photo(client))
        watch = client.watch(scan_id)
        await watch.read()
        async with start_scan_service(user, scan_role="worker", stages=PATIENT), asyncio.timeout(30):
            while (await watch.read()).scan.progress.percent < 60:
                pass
            gate.open()
            watch.cancel()


async def test_a_watcher_leaves_the_mark_anew_that_redis_has_lost(
    start_scan_service: StartScanService, peers: Peers, tmp_path: Path
) -> None:
    """As after a restart, which cuts the subscription."""
    gate = peers.before["Classify"] = Gate()
    async with own_redis(tmp_path) as server, start_scan_service(redis_url=server.url) as client:
        async with server.client() as store:
            scan_id = await create(client, await photo(client))
            watch = client.watch(scan_id)
            await watch.read()

            async def marked() -> bool:
                return bool(await store.exists(reader_key(scan_id)))

            await eventually(marked)
            await store.delete(reader_key(scan_id))
            await store.client_kill_filter(_type="pubsub")
            await eventually(marked)
        watch.cancel()
        gate.open()


async def test_a_mark_is_left_once_and_anew_when_redis_may_have_lost_it(redis_url: str) -> None:
    """Of a scan that has ended none is left: nothing follows that would be held."""
    async with open_redis(redis_url) as redis:
        snapshots, readers = Snapshots(redis, SnapshotEncoder()), Readers(redis)
        running, over = snapshots.of(a_scan()), snapshots.of(a_scan(state=State.FAILED))

        async def marked(scan: Snapshot) -> bool:
            return bool(await redis.client.exists(reader_key(scan.scan_id)))

        readers.mark(over)
        readers.mark(running)
        await eventually(lambda: marked(running))
        assert 0 < await redis.client.ttl(reader_key(running.scan_id)) <= 60
        await redis.client.delete(reader_key(running.scan_id))
        other = snapshots.of(a_scan())
        readers.mark(running)
        readers.mark(other)
        await eventually(lambda: marked(other))
        assert not await marked(running)
        readers.forget()
        readers.mark(running)
        await eventually(lambda: marked(running))
        assert not await marked(over)
        await readers.aclose()
