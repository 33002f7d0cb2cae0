"""A replica for what may be late: its lag, and that nobody sees it where it mustn't be seen."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import asyncpg
import pytest

from eco2.scan.v1 import scan_pb2, scan_service_pb2
from mesh.postgres import open_pool_of
from mesh.replica import Reads, open_reads
from mesh.settings import ReplicaSettings
from tests.integration.scan.client import Client, StartScanService, create
from tests.integration.scan.stores.conftest import OwnStores
from tests.support.waiting import eventually

pytestmark = [pytest.mark.stack, pytest.mark.slow]

PHOTO = "https://example.com/1.jpg"
BOUND = 2.0
# A place in the log is asked for each second, and the answer takes its time on a busy machine.
MEASURED = 3.0


@pytest.fixture
async def replica(own_stores: OwnStores) -> AsyncIterator[asyncpg.Connection]:
    """A connection to the replica, which replays what it gets when the test is over."""
    connection = await asyncpg.connect(own_stores.replica)
    yield connection
    await connection.execute("select pg_wal_replay_resume()")
    await connection.close()


@asynccontextmanager
async def reading(own_stores: OwnStores) -> AsyncIterator[Reads]:
    """Reads as a service has them, once the replica is near."""
    settings = ReplicaSettings(**own_stores.settings, database_read_lag_seconds=BOUND)
    async with open_pool_of(settings) as primary, open_reads(settings, primary) as reads:
        await near(reads)
        yield reads


async def near(reads: Reads, wanted: bool = True) -> None:
    """Waits until the replica is read, or isn't."""

    async def reached() -> bool:
        return reads.near is wanted

    await eventually(reached)


def has(pool: asyncpg.Pool) -> Awaitable[bool]:
    """Whether it is the replica that is asked."""
    answer: Awaitable[bool] = pool.fetchval("select pg_is_in_recovery()")
    return answer


async def history(client: Client) -> list[scan_pb2.Scan]:
    """The first page."""
    request = scan_service_pb2.ListScansRequest(page_size=50)
    return list((await client.stub.ListScans(request, metadata=client.metadata)).scans)


async def read_by_key(replica: asyncpg.Connection) -> int:
    """How often the replica's scans were looked up."""
    count: int = await replica.fetchval(
        "select coalesce(sum(idx_scan), 0)::int from pg_stat_user_tables where relid = 'scan.scan'::regclass"
    )
    return count


async def test_the_replica_is_read_while_it_is_near(own_stores: OwnStores) -> None:
    """And the primary when it is frozen, at the cost of one short wait; then the replica again."""
    async with reading(own_stores) as reads:
        assert await reads.read(has)
        with own_stores.frozen("replica"):
            assert not await reads.read(has)
            assert not reads.near
        await near(reads)
        own_stores.kill("replica")
        while await reads.read(has):
            pass
        await near(reads)


async def test_reads_are_never_later_than_the_bound(own_stores: OwnStores, replica: asyncpg.Connection) -> None:
    """With a replica that receives everything, and replays nothing any more, while rows are written without a pause."""
    writer = await asyncpg.connect(own_stores.primary)
    await writer.execute("create table clock as select 0::float8 as told")
    latest = 0.0
    async with reading(own_stores) as reads:

        async def write() -> None:
            while True:
                await writer.execute("update clock set told = $1", time.monotonic())

        async def until(seen: Callable[[], bool]) -> None:
            nonlocal latest
            while not seen():
                told = await reads.read(lambda pool: pool.fetchval("select told from clock"))
                latest = max(latest, time.monotonic() - told)

        writing = asyncio.create_task(write())
        await ticking(replica)
        await replica.execute("select pg_wal_replay_pause()")
        async with asyncio.timeout(60):
            await until(lambda: not reads.near)
            paused = latest
            await replica.execute("select pg_wal_replay_resume()")
            await until(lambda: reads.near)
        writing.cancel()
        await asyncio.gather(writing, return_exceptions=True)
    print(f"\nreads were {paused:.2f} s late at most while the replica stood still (bound {BOUND:.0f} s)")
    await writer.close()
    assert latest <= BOUND + MEASURED


async def ticking(replica: asyncpg.Connection) -> None:
    """Waits until the clock's first ticks have arrived."""

    async def arrived() -> bool:
        there = await replica.fetchval("select to_regclass('clock') is not null")
        return there and await replica.fetchval("select told > 0 from clock") is True

    await eventually(arrived)


async def test_a_history_is_never_late(
    own_stores: OwnStores, replica: asyncpg.Connection, start_scan_service: StartScanService
) -> None:
    """Neither of a scan just created, nor of one just ended or deleted, however late the replica is."""
    async with start_scan_service(database_read_lag_seconds=60) as client:
        kept, gone = await create(client, PHOTO), await create(client, PHOTO)
        for scan_id in (kept, gone):
            await client.finished(scan_id)
        looked_up = await read_by_key(replica)

        async def read_there() -> bool:
            assert {scan.scan_id for scan in await history(client)} == {kept, gone}
            return await read_by_key(replica) > looked_up

        await eventually(read_there)
        await replica.execute("select pg_wal_replay_pause()")
        new = await create(client, PHOTO)
        assert [scan.scan_id for scan in await history(client)] == [new, gone, kept]
        ended = await client.finished(new)
        await client.delete(gone)
        shown = await history(client)
        assert [scan.scan_id for scan in shown] == [new, kept]
        assert shown[0].state == ended.state == scan_pb2.Scan.STATE_SUCCEEDED
        assert shown[0].version >= ended.version
