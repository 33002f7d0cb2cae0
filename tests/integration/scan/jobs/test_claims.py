"""Who takes a scan, and how it comes back from those who went away with it."""

import asyncio
from collections.abc import Collection
from contextlib import AsyncExitStack
from typing import Any

import asyncpg

from scan_svc.jobs.leases import Lease
from scan_svc.jobs.queue import JobQueue
from scan_svc.scans import State
from tests.support.scan.scan_parts import LEASE_SECONDS, ScanParts
from tests.support.waiting import blocked, eventually, true_of


async def test_scans_run_although_nobody_notifies(parts: ScanParts) -> None:
    """NOTIFY may be switched off, or swallowed by a pooler; the poll finds the work."""
    async with parts.worker().working():
        scan = await parts.ended(await parts.submit())
    assert scan.state is State.SUCCEEDED


async def test_a_worker_that_was_declared_dead_claims_nothing(parts: ScanParts) -> None:
    """Its scans would be with a worker that nobody watches."""
    worker_id = await parts.registry.register()
    await parts.lose_everybody()
    await parts.submit()
    assert await parts.queue.claim(worker_id, 1) == []


async def test_a_claim_waits_for_a_reaper_at_work_and_then_claims_nothing(parts: ScanParts, database_url: str) -> None:
    """The reaper has removed the worker, but hasn't committed yet."""
    worker_id = await parts.registry.register()
    await parts.submit()
    reaper = await asyncpg.connect(database_url)
    await reaper.execute("begin; delete from scan.worker")
    claim = asyncio.create_task(parts.queue.claim(worker_id, 1))
    await blocked(reaper)
    await reaper.execute("commit")
    assert await claim == []
    await reaper.close()


async def test_a_reaper_waits_for_a_claim_at_work_and_then_takes_its_jobs_back(
    parts: ScanParts, database_url: str
) -> None:
    """The claim isn't committed yet: without the lock its jobs would be leased to a worker that is gone, for ever."""
    worker_id = await parts.registry.register()
    scan_id = await parts.submit()
    claimant = await asyncpg.connect(database_url)
    await claimant.execute("update scan.worker set beat_at = now() - interval '1 hour'")
    await claimant.execute("begin")
    await JobQueue(claimant).claim(worker_id, 1)
    reap = asyncio.create_task(parts.registry.rescue_orphans(LEASE_SECONDS))
    await blocked(claimant)
    await claimant.execute("commit")
    assert await reap == [scan_id]
    await claimant.close()


async def test_a_claim_whose_answer_was_lost_is_given_back(parts: ScanParts) -> None:
    """The jobs are leased to a worker that doesn't know of them, and that goes on heartbeats."""
    lease = await parts.held()
    worker_id = await parts.pool.fetchval("select id from scan.worker")
    assert await parts.registry.reconcile(worker_id, "scan", [lease.job_id]) == 0
    assert await parts.registry.reconcile(worker_id, "scan", []) == 1
    (again,) = await parts.queue.claim(worker_id, 1)
    assert (again.job_id, again.attempt) == (lease.job_id, lease.attempt)


async def test_a_worker_that_was_told_to_leave_begins_no_stage(parts: ScanParts) -> None:
    """Neither a further one of a scan at work, nor one of a claim that is answered although it was cancelled."""
    looked, told, answered = asyncio.Event(), asyncio.Event(), asyncio.Event()
    parts.peers.before["vision"] = looked.wait
    claim = parts.queue.claim

    async def claim_slowly(worker_id: int, count: int, full: Collection[str] = (), **limits: Any) -> list[Lease]:
        leases = await claim(worker_id, count, full, **limits)
        while leases and parts.peers.calls["vision"] and not answered.is_set():
            try:
                await answered.wait()
            except asyncio.CancelledError:  # lost, as asyncpg loses it if the answer has arrived
                told.set()
        return leases

    parts.queue.claim = claim_slowly  # type: ignore[method-assign]
    at_work = await parts.submit()
    async with AsyncExitStack() as working:
        await working.enter_async_context(parts.worker().working())
        await eventually(lambda: true_of(parts.peers.calls["vision"] == 1))
        await parts.submit()
        taken = "select count(*) = 2 from scan.job where state = 'LEASED'"
        await eventually(lambda: parts.pool.fetchval(taken))
        leaving = asyncio.create_task(working.aclose())
        await told.wait()
        looked.set()
        let_go = "select not exists (select from scan.job where ref = $1 and state = 'LEASED')"
        await eventually(lambda: parts.pool.fetchval(let_go, at_work))
        answered.set()
        await leaving
    assert parts.peers.calls == {"vision": 1}
    rows = await parts.pool.fetch("select state, stage, attempt from scan.job order by id")
    assert [tuple(row) for row in rows] == [("READY", "rules", 0), ("READY", "vision", 0)]
