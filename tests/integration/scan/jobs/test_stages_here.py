"""Workers that do some stages only: each claims what waits at its own, and hands the rest over."""

import json
from contextlib import AsyncExitStack

import asyncpg
import pytest

from scan_svc.jobs.queue import JobQueue
from scan_svc.jobs.worker import Worker
from scan_svc.jobs.workers import WorkerRegistry
from scan_svc.pipeline.stages_here import StagesHere
from scan_svc.scans import State
from tests.support.scan.journal import Event
from tests.support.scan.scan_parts import ScanParts
from tests.support.scan.worker_processes import Processes
from tests.support.waiting import eventually

FIRST = ("vision",)
LATER = ("rules", "answer", "places", "reward")
WAITING = """
    insert into scan.job (kind, ref, state, stage, user_id, turn)
    select 'scan', uuidv7(), 'READY', $1, number % 50, number / 50 from generate_series(1, 5000) as number
"""


def worker(parts: ScanParts, stages: tuple[str, ...], woken: list[str]) -> Worker:
    """A worker of some stages; it writes down whom it wakes, and polls."""
    parts.settings = parts.settings.model_copy(update={"stages_here": stages})
    parts.registry = WorkerRegistry(parts.pool, stages=stages)
    parts.use(JobQueue(parts.pool, StagesHere(stages).claimed))
    return parts.worker(woken.append)


async def test_two_workers_finish_a_scan_between_them(parts: ScanParts) -> None:
    """Each stage has one try, and is done by a worker that does it; whoever does the next one is woken."""
    woken: list[str] = []
    async with worker(parts, FIRST, woken).working(), worker(parts, LATER, woken).working():
        scan = await parts.ended(await parts.submit())
    assert scan.state is State.SUCCEEDED
    assert [(run.stage, run.attempts) for run in scan.stages] == [
        ("vision", 1), ("rules", 1), ("answer", 1), ("reward", 1),
    ]  # fmt: skip
    looked, *others = (run.worker_id for run in scan.stages[:3])
    assert others == [others[0]] * 2 != [looked] * 2
    assert woken == ["scan/rules"]
    assert parts.peers.calls == {"vision": 1, "rules": 1, "answer": 1, "reward": 1}


async def test_every_stage_may_have_a_worker_of_its_own(parts: ScanParts) -> None:
    """Rules are stored before they are handed over, and no answer is begun where none are written."""
    woken: list[str] = []
    async with AsyncExitStack() as stack:
        for stage in ("vision", "rules", "answer", "reward"):
            await stack.enter_async_context(worker(parts, (stage,), woken).working())
        scan = await parts.ended(await parts.submit())
    assert scan.state is State.SUCCEEDED
    assert len({run.worker_id for run in scan.stages[:3]}) == 3
    assert woken == ["scan/rules", "scan/answer", "reward"]
    assert parts.peers.calls == {"vision": 1, "rules": 1, "answer": 1, "reward": 1}


async def test_what_is_handed_over_is_due_at_once_and_has_lost_no_try(parts: ScanParts) -> None:
    """Nobody does the next stage yet: the scan waits for it, with what it has."""
    woken: list[str] = []
    scan_id = await parts.submit()
    handed_over = "select count(*) = 1 from scan.job where stage = 'rules' and state = 'READY'"
    async with worker(parts, FIRST, woken).working():
        await eventually(lambda: parts.pool.fetchval(handed_over))
        await eventually(lambda: _true(woken))
    row = await parts.pool.fetchrow("select attempt, crashes, run_at <= now() as due, waits_at from scan.job")
    assert row
    assert tuple(row) == (0, 0, True, "rules")
    scan = await parts.store.get(scan_id)
    assert scan.state is State.QUEUED
    assert scan.results.vision


async def test_a_worker_of_other_stages_is_no_reason_to_claim_less(parts: ScanParts) -> None:
    """It can't take a share, however idle it is."""
    looks, writes = WorkerRegistry(parts.pool, stages=FIRST), WorkerRegistry(parts.pool, stages=LATER)
    worker_id, _ = await looks.register(), await writes.register()
    assert not await looks.others_less_busy(worker_id, 10)
    await looks.register()
    assert await looks.others_less_busy(worker_id, 10)


async def test_suspects_at_other_stages_are_others_suspects(parts: ScanParts) -> None:
    """Or a worker would let its scans go for one that it can't take."""
    await parts.submit(crashes=2)
    assert await JobQueue(parts.pool, FIRST).count_suspects() == 1
    assert await JobQueue(parts.pool, ("rules", "answer")).count_suspects() == 0


async def test_a_claim_of_some_stages_reads_an_index_in_its_order(parts: ScanParts) -> None:
    """Whoever writes answers doesn't read past five thousand scans that wait for Vision."""
    await parts.pool.execute(WAITING, "vision")
    await parts.pool.execute("analyze scan.job")
    plans = {stages: await _plan(parts, stages) for stages in (FIRST, LATER[:2])}
    assert [("job_turn" in plan, "job_later" in plan) for plan in plans.values()] == [(True, False), (False, True)]
    assert not any("Sort" in plan or "Seq Scan" in plan for plan in plans.values())


async def test_a_checkpoint_changes_no_index(parts: ScanParts, database_url: str) -> None:
    """Where a job waits is told by a column of its own, which says nothing while a worker holds the job."""
    await parts.held()
    connection = await asyncpg.connect(database_url)
    async with connection.transaction():
        await connection.execute("update scan.job set stage = 'rules', attempt = 1")
        hot = await connection.fetchval("select n_tup_hot_upd from pg_stat_xact_user_tables where relname = 'job'")
    await connection.close()
    assert hot == 1


@pytest.mark.slow
async def test_worker_processes_of_some_stages_finish_scans_although_they_are_killed(
    parts: ScanParts, processes: Processes
) -> None:
    """kill -9 on either side: what was stored isn't paid again, and nobody does what is another's."""
    scan_ids = [await parts.submit() for _ in range(4)]
    looks, writes = processes.start("vision", FIRST), processes.start("answer", LATER)
    await processes.until(Event.STARTED, "vision", 4)
    looks.kill()
    look_again = processes.start(stages=FIRST)
    await processes.until(Event.STARTED, "answer")
    writes.kill()
    write_again = processes.start(stages=LATER)
    scans = [await parts.ended(scan_id) for scan_id in scan_ids]
    assert {scan.state for scan in scans} == {State.SUCCEEDED}
    assert processes.at("vision") == {looks.pid, look_again.pid}
    assert processes.at("answer") == {writes.pid, write_again.pid}
    assert processes.at("reward") <= {writes.pid, write_again.pid}
    assert processes.count(Event.PAID, "vision") == len(scan_ids)
    assert all(run.attempts == 1 for scan in scans for run in scan.stages)


async def _true(known: list[str]) -> bool:
    return bool(known)


async def _plan(parts: ScanParts, stages: tuple[str, ...]) -> str:
    """How the jobs of a claim are found, as text."""
    queue, worker_id = JobQueue(parts.pool, stages), await parts.registry.register()
    plan = await parts.pool.fetchval(
        f"explain (format json) {queue._claim_sql}", worker_id, 128, 0, 1, [], 32, 60.0, -1
    )
    (ready,) = (node for node in _nodes(json.loads(plan)[0]["Plan"]) if node.get("Subplan Name") == "CTE ready")
    return json.dumps(ready)


def _nodes(plan: "dict[str, object]") -> "list[dict[str, object]]":
    inner = plan.get("Plans", [])
    assert isinstance(inner, list)
    return [plan, *(node for one in inner for node in _nodes(one))]
