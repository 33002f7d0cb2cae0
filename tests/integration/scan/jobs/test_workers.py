"""A worker among what nobody foresaw: rows of another release, faults of its own, a database that is away."""

import asyncio
import dataclasses
import time
from collections.abc import Awaitable, Callable, Collection
from typing import Any

import pytest

from mesh.errors import InvalidArgument
from mesh.reasons import Reason
from scan_svc.jobs.consumer import Consumer, JobKind
from scan_svc.jobs.leases import REWARD_KIND, Lease
from scan_svc.jobs.queue import JobQueue
from scan_svc.jobs.worker import Worker
from scan_svc.jobs.workers import WorkerRegistry
from scan_svc.pipeline.executor import Execution, ExecutionContext, ExecutionLimits
from scan_svc.pipeline.stages import DEFAULTS, Pipeline
from scan_svc.scans import Priority, State
from tests.support.scan.broken_pools import FlakyPool
from tests.support.scan.scan_parts import ScanParts, opened
from tests.support.waiting import eventually


async def test_a_scan_that_cant_be_read_is_put_back_and_harms_no_other(parts: ScanParts) -> None:
    """While releases change it may be a newer one's, which can read it."""
    strange = await parts.submit()
    await parts.pool.execute("update scan.scan set locale = 'of the next release'")
    other = await parts.submit()
    worker_id = await parts.registry.register()
    assert [lease.scan.scan_id for lease in await parts.queue.claim(worker_id, 2)] == [other]
    row = await parts.pool.fetchrow("select *, run_at > now() as later from scan.job where ref = $1", strange)
    assert row
    assert (row["state"], row["attempt"], row["later"]) == ("READY", 0, True)


async def test_a_scan_that_nobody_could_read_in_its_time_has_failed(parts: ScanParts) -> None:
    """Nothing loops for ever; what it may have cost so far stays with it."""
    await parts.submit()
    await parts.pool.execute("update scan.scan set locale = '?', started_at = now() - interval '1 hour'")
    await parts.pool.execute('update scan.job set spent = \'{"model": "m"}\'')
    assert await parts.queue.claim(await parts.registry.register(), 1) == []
    assert await parts.pool.fetchval("select state from scan.scan") == "FAILED"
    row = await parts.pool.fetchrow(
        "select state, last_error ->> 'reason' as reason, spent::text as spent from scan.job"
    )
    assert tuple(row) == ("DEAD", "INTERNAL", '{"model": "m"}')


async def test_a_failure_of_a_newer_release_is_shown_as_a_general_one(parts: ScanParts) -> None:
    """Its reason has no text here; a fault without a name is better than none."""
    scan_id = await parts.submit()
    error = '{"kind": "Later", "reason": "OF_THE_NEXT_RELEASE", "metadata": {}}'
    await parts.pool.execute("update scan.job set state = 'DEAD'")
    await parts.pool.execute("update scan.scan set state = 'FAILED', error = $1::jsonb", error)
    failure = (await parts.store.get(scan_id)).error
    assert failure
    assert failure.error().reason is Reason.INTERNAL


async def test_a_failure_that_cant_be_stored_is_told_as_a_fault(parts: ScanParts) -> None:
    """JSON in PostgreSQL has no NUL character: the try must count all the same, or it would be repeated for ever."""

    async def refuse() -> None:
        error = InvalidArgument(Reason.PHOTO_FORMAT, calls=1)
        error.metadata["model"] = "\0"  # what errors quote is printable; a fault of ours might not be
        raise error

    parts.peers.before["vision"] = refuse
    async with parts.worker().working():
        scan = await parts.ended(await parts.submit())
    assert (scan.state, scan.error and scan.error.reason) == (State.FAILED, Reason.INTERNAL)
    assert parts.peers.calls["vision"] == 1
    assert await parts.pool.fetchval("select state from scan.job") == "ARCHIVED"


async def test_a_worker_that_breaks_lets_its_scans_end_and_pauses(parts: ScanParts) -> None:
    """Its leases are good, so nothing is cancelled and paid again; and it doesn't break over and over in a hot loop."""
    claim, broke, again = parts.queue.claim, 0.0, 0.0

    async def break_once(worker_id: int, count: int, full: Collection[str] = (), **limits: Any) -> list[Lease]:
        nonlocal broke, again
        if broke:
            again = again or time.monotonic()
        elif parts.peers.calls["vision"]:
            broke = time.monotonic()
            raise RuntimeError("unforeseen")
        return await claim(worker_id, count, full, **limits)

    async def until_it_broke() -> None:
        await eventually(lambda: has(broke))

    parts.peers.before["vision"] = until_it_broke
    parts.queue.claim = break_once  # type: ignore[method-assign]
    scan_id = await parts.submit()
    async with parts.worker().working():
        scan = await parts.ended(scan_id)
    assert scan.state is State.SUCCEEDED
    assert parts.peers.calls["vision"] == 1
    assert again - broke >= 1.0


async def test_suspects_wait_while_the_last_job_ends(parts: ScanParts) -> None:
    """Between asking for the turn and letting the others go there may be no others any more."""
    due = parts.schedule.due

    async def due_when_it_has_ended(task: str, every_seconds: float) -> bool:
        ended.set()
        await eventually(lambda: parts.pool.fetchval("select not exists (select from scan.job where crashes = 0)"))
        return await due(task, every_seconds)

    ended = asyncio.Event()
    parts.schedule.due = due_when_it_has_ended  # type: ignore[method-assign]
    parts.peers.before["vision"] = ended.wait
    register, registered = parts.registry.register, 0

    async def count() -> int:
        nonlocal registered
        registered += 1
        return await register()

    parts.registry.register = count  # type: ignore[method-assign]
    await parts.submit()
    async with parts.worker().working():
        await eventually(lambda: has(parts.peers.calls["vision"]))
        suspect = await parts.submit(crashes=2)
        assert (await parts.ended(suspect)).state is State.SUCCEEDED
    assert registered == 1


async def test_a_worker_busy_with_suspects_leaves_new_jobs_to_others(parts: ScanParts) -> None:
    """Whoever wakes it has to know that it comes back to them late: then all others are notified."""
    looking = asyncio.Event()
    parts.peers.before["vision"] = looking.wait
    await parts.submit(crashes=2)
    worker = parts.worker()
    async with worker.working():
        await eventually(lambda: has(parts.peers.calls["vision"]))
        assert not worker.wake("scan")
        looking.set()
        await eventually(lambda: has(worker.wake("scan")))


async def test_a_worker_that_isnt_registered_leaves_at_once(parts: ScanParts) -> None:
    """The database is away: there is nothing to finish and nothing to give back, so there is no grace to wait for."""
    asked = asyncio.Event()

    async def away() -> int:
        asked.set()
        raise ConnectionError("away")

    parts.registry.register = away  # type: ignore[method-assign]
    async with asyncio.timeout(30), Worker(parts.registry, [], lease_seconds=60, grace_seconds=60).working():
        await asked.wait()


async def test_a_scan_that_was_lost_while_it_waited_for_room_costs_nothing(parts: ScanParts) -> None:
    """Others may have finished the stage by then: the lease is looked at after the wait."""
    looked = asyncio.Event()
    parts.peers.before["vision"] = looked.wait
    stages = {**DEFAULTS, "vision": dataclasses.replace(DEFAULTS["vision"], concurrency=1)}
    pipeline = Pipeline(stages, parts.peers, parts.peers, parts.peers)
    limits = ExecutionLimits(scan_seconds=dict.fromkeys(Priority, 300.0), backoff_seconds=0.01, lease_seconds=0.0)
    rewards = Consumer(
        JobKind(REWARD_KIND, 0, parts.rewards.claim, lambda lease: lease), parts.registry, lambda kind: None
    )
    context = ExecutionContext(parts.queue, pipeline, parts.progress, limits, rewards, lambda kind: None)
    async with asyncio.TaskGroup() as group:
        group.create_task(Execution(context, await parts.held()).run())
        await eventually(lambda: has(parts.peers.calls["vision"]))
        lost = await parts.held()
        group.create_task(Execution(context, lost).run())
        await asyncio.sleep(0)
        await parts.pool.execute("update scan.job set token = token + 1 where id = $1", lost.job_id)
        looked.set()
    assert parts.peers.calls == dict.fromkeys(("vision", "rules", "answer"), 1)


async def test_a_worker_lives_on_while_it_cant_take_jobs_back(parts: ScanParts) -> None:
    """Taking jobs back from the dead may wait for a lock; the beat mustn't."""
    beat, beats = parts.registry.heartbeat, asyncio.Event()
    reaping = asyncio.Event()

    async def beat_on(worker_id: int) -> bool:
        if reaping.is_set():
            beats.set()
        return await beat(worker_id)

    async def hang(lease_seconds: float) -> list[str]:
        reaping.set()
        await asyncio.Event().wait()
        return []

    parts.registry.heartbeat, parts.registry.rescue_orphans = beat_on, hang  # type: ignore[method-assign]
    async with asyncio.timeout(30), Worker(parts.registry, [], lease_seconds=2, grace_seconds=0).working():
        await beats.wait()


async def test_an_outage_longer_than_the_lease_costs_nothing_that_is_in_hand(
    database_url: str, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The worker can't know whether it holds its scans, and stops; but nobody can take them from it meanwhile."""
    monkeypatch.setattr("scan_svc.pipeline.executor._RELEASE_SECONDS", 0.1)
    monkeypatch.setattr("scan_svc.jobs.worker._RELEASE_SECONDS", 0.1)
    async with opened(database_url, redis_url, lease_seconds=1.0) as parts:
        flaky: Any = FlakyPool(parts.pool)
        parts.use(JobQueue(flaky))
        parts.registry = WorkerRegistry(flaky)

        async def away_when_paid() -> None:
            flaky.away = parts.peers.calls["vision"] == 1

        parts.peers.before["vision"] = away_when_paid
        scan_id = await parts.submit()
        worker = parts.worker()
        async with worker.working():
            await eventually(lambda: refused(worker.probe))
            long = flaky.refused + 3
            await eventually(lambda: has(flaky.refused >= long))
            flaky.away = False
            assert (await parts.ended(scan_id)).state is State.SUCCEEDED
        assert parts.peers.calls["vision"] == 1


async def refused(ask: Callable[[], Awaitable[object]]) -> bool:
    """For `eventually`: whether somebody says that something is away."""
    try:
        await ask()
    except ConnectionError:
        return True
    return False


async def has(value: object) -> bool:
    """For `eventually`: whether there is something."""
    return bool(value)
