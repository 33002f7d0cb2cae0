"""Two that reach for one job at the same moment, told apart by what each of them waits for."""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest

from mesh.postgres import Queries
from scan_svc.scans import State
from tests.integration.scan.job_tables import Jobs
from tests.support.scan.scan_parts import ScanParts
from tests.support.waiting import blocked


@pytest.fixture
async def other(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    """The other one's connection."""
    connection = await asyncpg.connect(database_url)
    yield connection
    await connection.close()


async def test_a_scan_deleted_as_it_starts_leaves_no_job(parts: ScanParts, other: asyncpg.Connection) -> None:
    """Its job would be leased and given back for ever, and count as backlog."""
    scan_id = await Jobs(parts.pool).scan("AWAITING_UPLOAD")
    await other.execute("begin")
    await other.fetchval(Queries("scan_svc")["start_scan"], scan_id, "", "")
    deletion = asyncio.create_task(parts.store.delete(scan_id))
    await blocked(other)
    await other.execute("commit")
    assert await deletion
    assert await parts.pool.fetchval("select count(*) from scan.job") == 0


async def test_a_scan_cancelled_as_it_starts_is_cancelled(parts: ScanParts, other: asyncpg.Connection) -> None:
    """It had neither finished nor begun: its user is told so, and it costs nothing."""
    scan_id = await Jobs(parts.pool).scan("AWAITING_UPLOAD")
    await other.execute("begin")
    await other.fetchval(Queries("scan_svc")["start_scan"], scan_id, "", "")
    cancellation = asyncio.create_task(parts.store.cancel(scan_id))
    await blocked(other)
    await other.execute("commit")
    assert await cancellation
    assert (await parts.store.get(scan_id)).state is State.CANCELLED


async def test_a_late_reaper_takes_nothing_from_a_living_worker(parts: ScanParts, other: asyncpg.Connection) -> None:
    """Its statement began when the former worker was dead; another one has rescued since, and a third has claimed."""
    first = await parts.held()
    await parts.pool.execute("delete from scan.worker")
    release = Queries("scan_svc.jobs")["rescue_orphaned_jobs"]
    paused = release.replace("where j.state", "where (select pg_advisory_xact_lock_shared(7)) is not null and j.state")
    assert paused != release
    await other.execute("select pg_advisory_lock(7)")
    late = asyncio.create_task(parts.pool.fetch(paused, "{}"))
    await blocked(other)
    assert await parts.lose_everybody() == [first.scan.scan_id]
    living = await parts.claimed()
    await other.execute("select pg_advisory_unlock(7)")
    assert await late == []
    assert await parts.queue.holds_lease(living)
