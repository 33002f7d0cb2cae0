"""A worker that lost its lease changes nothing, and begins nothing, whatever it believes."""

import asyncio
import threading
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from scan_svc.jobs.leases import Checkpoint, Fenced, Lease
from scan_svc.jobs.queue import JobQueue
from scan_svc.mirrors.rules import Answer, DisposalRule
from scan_svc.progress.progress_log import AnyLease, Standing
from scan_svc.progress.snapshots import Snapshot
from scan_svc.scans import Scan, StageRun, State
from tests.integration.scan.jobs.writes import FAILURE, checkpoints, vision_done
from tests.support.scan.fake_peers import METAL
from tests.support.scan.scan_parts import ScanParts, opened

WRITES: dict[str, Callable[[JobQueue, Lease], Awaitable[object]]] = {
    "checkpoint": lambda queue, lease: queue.checkpoint(vision_done(lease)),
    "finish": lambda queue, lease: queue.finish(vision_done(lease)),
    "retry": lambda queue, lease: queue.retry(lease, FAILURE, 1.0),
    "release": lambda queue, lease: queue.release(lease),
    "fail": lambda queue, lease: queue.fail(lease, FAILURE, replayable=True),
}


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES.keys())
@pytest.mark.parametrize("taken", [False, True], ids=["released", "with another worker"])
async def test_a_frozen_workers_late_write_changes_no_row(parts: ScanParts, write: Any, taken: bool) -> None:
    """It was frozen beyond its lease and doesn't know yet."""
    late = await parts.held()
    await parts.lose_everybody()
    if taken:
        await parts.queue.claim(await parts.registry.register(), 1)
    tables = "select j, s, (select count(*) from scan.stage_result) from scan.job j join scan.scan s on s.id = j.ref"
    before = await parts.pool.fetchrow(tables)
    with pytest.raises(Fenced):
        await write(parts.queue, late)
    assert await parts.pool.fetchrow(tables) == before


async def test_one_fenced_checkpoint_takes_no_other_with_it(parts: ScanParts) -> None:
    """Checkpoints are committed together; only those that lost their lease fail."""
    late = await parts.held()
    await parts.lose_everybody()
    await parts.claimed()
    mine = await parts.held()
    assert await checkpoints(parts, late, mine) == [Fenced, type(None)]


async def test_two_leases_of_one_job_in_one_commit_are_told_apart(parts: ScanParts) -> None:
    """A worker that was declared dead started anew and took the same job; a write of its former self was on the way."""
    late = await parts.held()
    await parts.lose_everybody()
    again = await parts.claimed()
    assert await checkpoints(parts, late, again) == [Fenced, type(None)]
    assert await parts.pool.fetchval("select token from scan.stage_result") == again.token


async def test_a_thawed_worker_starts_no_stage_that_others_have_done(database_url: str, redis_url: str) -> None:
    """It was frozen between two stages; another worker has run the next one meanwhile, and paid for it."""
    lease_seconds = 2.0
    async with opened(database_url, redis_url, lease_seconds) as parts:
        show, frozen = parts.progress.log.show, False

        def freeze(lease: AnyLease, scan: Scan | Snapshot, standing: Standing, store: Callable[[], None]) -> None:
            nonlocal frozen
            if isinstance(scan, Scan) and scan.results.rules and not frozen:
                frozen = True
                others = threading.Thread(target=asyncio.run, args=[take_over(database_url, redis_url, lease_seconds)])
                others.start()
                others.join()  # without giving way to the event loop: nothing happens in this process
            show(lease, scan, standing, store)

        parts.progress.log.show = freeze  # type: ignore[method-assign]
        scan_id = await parts.submit()
        async with parts.worker().working():
            scan = await parts.ended(scan_id)
        assert scan.state is State.SUCCEEDED
        assert parts.peers.calls == {"vision": 1, "rules": 1, "reward": 1}


async def test_an_answer_read_after_a_freeze_is_no_proof_of_the_lease(database_url: str, redis_url: str) -> None:
    """The checkpoint was stored before the process froze; by the time it reads so others have gone on."""
    lease_seconds = 2.0
    async with opened(database_url, redis_url, lease_seconds) as parts:
        checkpoint, frozen = parts.queue.checkpoint, False

        async def freeze(write: Checkpoint) -> None:
            nonlocal frozen
            await checkpoint(write)
            if not frozen:
                frozen = True
                others = threading.Thread(target=asyncio.run, args=[take_over(database_url, redis_url, lease_seconds)])
                others.start()
                others.join()

        parts.queue.checkpoint = freeze  # type: ignore[method-assign,assignment]
        scan_id = await parts.submit()
        async with parts.worker().working():
            scan = await parts.ended(scan_id)
        assert scan.state is State.SUCCEEDED
        assert parts.peers.calls == {"vision": 1, "reward": 1}


async def take_over(database_url: str, redis_url: str, lease_seconds: float) -> None:
    """What other workers do: reap, claim, run the stages up to the answer; then they die."""
    async with opened(database_url, redis_url) as others:
        await asyncio.sleep(lease_seconds)
        await others.lose_everybody()
        lease = await others.claimed()
        results = {"rules": (DisposalRule("metal", METAL),), "answer": Answer("헹구세요.")}
        runs = [StageRun(stage, 1, 1) for stage in results]
        await others.queue.checkpoint(Checkpoint(lease, lease.scan, "reward", results, runs))
