"""Status without the database: Redis answers, PostgreSQL only when Redis can't, and then once."""

import asyncio
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import grpc
import pytest

from eco2.scan.v1 import scan_pb2
from mesh.postgres import open_pool_of
from mesh.redis import open_redis
from scan_svc.progress.encoder import SnapshotEncoder
from scan_svc.progress.keys import ScanKeys
from scan_svc.progress.reader import ScanReader
from scan_svc.progress.snapshots import Snapshots
from scan_svc.scans import Scan
from tests.integration.scan.client import Client, StartScanService
from tests.integration.scan.sample_scans import a_scan
from tests.support.scan.scan_parts import opened
from tests.support.waiting import eventually

pytestmark = pytest.mark.redis_shapes

QUARTER = 900
HOUR, DAY = 3600, 86_400


class Counted:
    """A pool that counts the queries that read scans."""

    def __init__(self, pool: asyncpg.Pool, counts: Counter[str]) -> None:
        self._pool = pool
        self._counts = counts

    def __getattr__(self, name: str) -> Any:
        if name not in {"fetch", "fetchrow", "fetchval", "execute"}:
            return getattr(self._pool, name)

        async def counted(query: str, *arguments: Any) -> Any:
            # Health asks "select 1", admission counts the backlog: neither is on anybody's behalf.
            self._counts["scan_detail" if "scan_detail" in query else "others"] += 1
            return await getattr(self._pool, name)(query, *arguments)

        return counted


@pytest.fixture
def queries(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How many queries were made."""
    counts: Counter[str] = Counter()

    @asynccontextmanager
    async def open_counted(*arguments: Any, **options: Any) -> AsyncIterator[Any]:
        async with open_pool_of(*arguments, **options) as pool:
            yield Counted(pool, counts)

    monkeypatch.setattr("scan_svc.app.parts.open_pool_of", open_counted)
    return counts


async def published(redis_url: str, scan_id: str) -> None:
    async with open_redis(redis_url) as redis:

        async def there() -> bool:
            return bool(await redis.execute("EXISTS", ScanKeys(redis.sharded).progress(scan_id)))

        await eventually(there)


async def test_a_poll_makes_no_query(start_scan_service: StartScanService, queries: Counter[str]) -> None:
    """Whose the scan is stands in the snapshot, so even that needs no database; a stranger's poll neither."""
    async with start_scan_service(scan_role="api") as client:
        scan_id = (await client.create()).scan.scan_id
        stranger = Client(client.target, grpc.aio.insecure_channel(client.target), "stranger")
        queries.clear()
        polls = await asyncio.gather(*(client.get(scan_id) for _ in range(200)))
        with pytest.raises(grpc.aio.AioRpcError):
            await stranger.get(scan_id)
        assert queries["scan_detail"] == 0
        assert {poll.state for poll in polls} == {scan_pb2.Scan.STATE_AWAITING_UPLOAD}


async def test_a_poll_of_a_scan_that_hasnt_changed_asks_nobody(
    start_scan_service: StartScanService, queries: Counter[str], redis_url: str
) -> None:
    """Most polls find what the one before found; Redis would say if there were more."""
    async with start_scan_service(scan_role="api") as client, open_redis(redis_url) as redis:
        scan_id = (await client.create()).scan.scan_id

        async def kept() -> bool:
            await published(redis_url, scan_id)
            await client.get(scan_id)
            await redis.execute("DEL", ScanKeys(redis.sharded).progress(scan_id))
            queries.clear()
            await client.get(scan_id)
            return queries["scan_detail"] == 0

        await eventually(kept)


async def test_whoever_changes_a_scan_reads_the_change(start_scan_service: StartScanService) -> None:
    """Through the same replica at once, whatever it had kept."""
    async with start_scan_service("user", scan_role="api") as client:
        scan_id = (await client.create()).scan.scan_id
        for _ in range(3):
            await client.get(scan_id)
        cancelled = await client.cancel(scan_id)
        assert await client.get(scan_id) == cancelled


async def test_creating_a_scan_is_one_query(start_scan_service: StartScanService, queries: Counter[str]) -> None:
    """The reply is made of what was asked and when."""
    async with start_scan_service(scan_role="api") as client:
        queries.clear()
        created = (await client.create()).scan
        assert queries["scan_detail"] == 0
        assert created == await client.get(created.scan_id)


async def test_many_readers_of_what_redis_lost_are_one_query_and_refill_it(
    start_scan_service: StartScanService, queries: Counter[str], redis_url: str
) -> None:
    """A thundering herd must not reach the database."""
    async with start_scan_service(scan_role="api") as client, open_redis(redis_url) as redis:
        scan_id = (await client.create()).scan.scan_id
        await published(redis_url, scan_id)
        await redis.execute("DEL", ScanKeys(redis.sharded).progress(scan_id))
        queries.clear()
        await asyncio.gather(*(client.get(scan_id) for _ in range(300)))
        assert queries["scan_detail"] <= 10  # the first, and who had looked into Redis before it was refilled
        await published(redis_url, scan_id)
        queries.clear()
        await asyncio.gather(*(client.get(scan_id) for _ in range(300)))
        assert queries["scan_detail"] == 0


async def test_progress_is_kept_an_hour_and_the_result_a_day(client: Client, redis_url: str) -> None:
    """And the result alone still answers, without the database."""
    scan = await client.finished(await client.started())
    async with open_redis(redis_url) as redis:
        keys = ScanKeys(redis.sharded)
        left = [await redis.execute("TTL", key(scan.scan_id)) for key in (keys.progress, keys.result)]
        assert HOUR - QUARTER < left[0] <= HOUR
        assert DAY - QUARTER < left[1] <= DAY
        await redis.execute("DEL", keys.progress(scan.scan_id))
    assert await client.get(scan.scan_id) == scan


async def test_any_replica_serves_any_scan(start_scan_service: StartScanService) -> None:
    """No sticky routing: created here, started there, watched and read elsewhere."""
    async with (
        start_scan_service("user", scan_role="api") as one,
        start_scan_service("user", scan_role="api") as other,
        start_scan_service("user", scan_role="worker"),
    ):
        created = await one.create()
        (await one.put(created.upload)).raise_for_status()
        watching = asyncio.create_task(one.finished(created.scan.scan_id))
        await other.start(created.scan.scan_id)
        assert (await watching).state == scan_pb2.Scan.STATE_SUCCEEDED
        assert (await other.get(created.scan.scan_id)).state == scan_pb2.Scan.STATE_SUCCEEDED


async def test_while_the_database_is_away_what_redis_has_is_shown_however_old(redis_url: str) -> None:
    """A scan that takes long is checked now and then; an answer is there even if that fails."""
    now = 1_000_000.0

    async def away(scan_ids: Sequence[str]) -> dict[str, Scan | Exception]:
        raise ConnectionError("away")

    async with open_redis(redis_url) as redis, open_redis(redis_url) as other:
        scan = a_scan()
        await Snapshots(redis, SnapshotEncoder(), clock=lambda: now).publish(scan)
        snapshots = Snapshots(other, SnapshotEncoder(), clock=lambda: now + HOUR)
        reader = ScanReader(snapshots, away, asyncio.Event().wait)
        assert (await reader.read(scan.scan_id)).version == scan.version
        with pytest.raises(ConnectionError):
            await reader.read(str(uuid.uuid4()))


async def test_what_is_told_of_many_scans_isn_t_held_up_by_one_that_was_deleted(
    database_url: str, redis_url: str
) -> None:
    """Uploads that never came end together, and their owners may delete them at that moment."""
    async with opened(database_url, redis_url) as parts:
        deleted, expired = str(uuid.uuid4()), await parts.submit()
        await parts.progress.refresh([deleted, expired])
        assert await parts.progress.snapshots.read(expired)
