"""The traps of a durable queue, one by one: what goes wrong between processes, or between a write and its answer."""

import asyncio
import json
import os
import signal
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from msgspec.structs import replace

from eco2.scan.v1 import scan_pb2
from local.stack.files import read_env
from local.stack.stack import ENV_FILE, StackPart, running
from mesh.errors import EcoError, Internal, InvalidArgument, Unavailable
from mesh.migrations import migrate
from mesh.postgres import Queries
from mesh.reasons import Reason
from scan_svc.jobs.dead_letters import DeadLetterFilter
from scan_svc.jobs.leases import Checkpoint, Fenced, Lease
from scan_svc.jobs.queue import JobQueue
from scan_svc.operations.wire import dead_letter
from scan_svc.results import Answer, Classification, Usage
from scan_svc.scans import Failure, Scan, StageRun, State, Step
from tests.support.broken_pools import LosingPool
from tests.support.fake_peers import METAL
from tests.support.journal import Event
from tests.support.scan_parts import LEASE_SECONDS, ScanParts, opened
from tests.support.waiting import blocked, eventually
from tests.support.worker_processes import Processes

POISON_CRASHES = 5


@pytest.fixture
async def parts(database_url: str, redis_url: str) -> AsyncIterator[ScanParts]:
    """The parts on a fresh database."""
    async with opened(database_url, redis_url) as parts:
        yield parts


def vision_done(lease: Lease) -> Checkpoint:
    """What the vision stage writes when it is done."""
    return Checkpoint(lease, lease.scan, "rules", {"vision": Classification(METAL)}, [StageRun("vision", 1, 1)])


FAILURE = Failure.of(Internal(Reason.INTERNAL, trace_id=""))
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


async def test_a_write_that_cant_be_stored_fails_alone(parts: ScanParts) -> None:
    """JSON in PostgreSQL has no NUL character; what was paid for beside it must be stored all the same."""
    leases = [await parts.held() for _ in range(5)]
    found = replace(vision_done(leases[2]), outputs={"vision": Classification(METAL, display_name="\0")})
    writes = [vision_done(lease) for lease in leases]
    writes[2] = found
    outcomes = await asyncio.gather(*map(parts.queue.checkpoint, writes), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [
        type(None), type(None), asyncpg.UntranslatableCharacterError, type(None), type(None)
    ]  # fmt: skip
    assert await parts.pool.fetchval("select count(*) from scan.stage_result") == 4


async def test_a_result_that_cant_be_stored_fails_its_scan(parts: ScanParts) -> None:
    """It is a fault of ours, explained like any other, and not a job that nobody works on any more."""

    async def unstorable(scan: Scan, deadline: float) -> AsyncIterator[Classification]:
        yield Classification(METAL, display_name="\0")

    parts.peers.classify = unstorable  # type: ignore[method-assign,assignment]
    async with parts.worker().working():
        scan = await parts.ended(await parts.submit())
    assert (scan.state, scan.error and scan.error.reason) == (State.FAILED, Reason.INTERNAL)


async def test_a_checkpoint_that_is_cancelled_while_it_is_written_is_stored_once(parts: ScanParts) -> None:
    """The worker leaves while the database takes its time: what was paid for is stored before it is given back."""
    writing, written = asyncio.Event(), asyncio.Event()
    commit = parts.queue._checkpoints._commit

    async def slow(batch: Any) -> Any:
        writing.set()
        await written.wait()
        return await commit(batch)

    parts.queue._checkpoints._commit = slow
    await parts.submit()
    worker = parts.worker()
    async with worker.working():
        await writing.wait()
        asyncio.get_running_loop().call_later(1.0, written.set)  # longer than the grace of half a second
    assert (await parts.claimed()).stage == "rules"
    assert parts.peers.calls == {"vision": 1, "rules": 1}


async def test_two_leases_of_one_job_in_one_commit_are_told_apart(parts: ScanParts) -> None:
    """A worker that was declared dead started anew and took the same job; a write of its former self was on the way."""
    late = await parts.held()
    await parts.lose_everybody()
    again = await parts.claimed()
    assert await checkpoints(parts, late, again) == [Fenced, type(None)]
    assert await parts.pool.fetchval("select token from scan.stage_result") == again.token


@pytest.mark.parametrize("statement", ["checkpoint", "finish"])
@pytest.mark.parametrize("committed", [True, False], ids=["committed", "lost"])
async def test_a_commit_without_an_answer_is_neither_repeated_nor_paid_again(
    parts: ScanParts, statement: str, committed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The connection broke at COMMIT: the result is kept in hand until its fate is known."""
    # A reward whose handover was lost with the answer is found by reconciling: here soon.
    monkeypatch.setattr("scan_svc.jobs.consumer._HANDOVER_SECONDS", 0.5)
    monkeypatch.setattr("scan_svc.jobs.consumer._RECONCILE_SECONDS", 0.5)
    losing: Any = LosingPool(parts.pool, Queries("scan_svc.jobs")[statement], committed=committed)
    parts.use(JobQueue(losing))
    scan_id = await parts.submit()
    async with parts.worker().working():
        scan = await parts.ended(scan_id)
    assert losing.broke
    assert scan.state is State.SUCCEEDED
    assert parts.peers.calls == {"vision": 1, "rules": 1, "answer": 1, "reward": 1}
    assert [run.stage for run in scan.stages] == ["vision", "rules", "answer", "reward"]


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


async def test_what_crashes_its_worker_five_times_is_archived_and_never_replayed(parts: ScanParts) -> None:
    """A poison scan must not take the service down for ever; what it has cost so far is explained, not tried again."""
    scan_id = await parts.submit()
    for _ in range(POISON_CRASHES):
        worker_id = await parts.registry.register()
        leases = await parts.queue.claim(worker_id, 1) or await parts.quarantine.claim(worker_id, 0)
        assert [lease.scan.scan_id for lease in leases] == [scan_id]
        assert leases[0].attempt == 1
        assert await parts.lose_everybody() == [scan_id]
    await parts.dead_letters.reprocess()
    worker_id = await parts.registry.register()
    assert await parts.queue.claim(worker_id, 1) == []
    assert await parts.quarantine.claim(worker_id, 0) == []
    assert await parts.pool.fetchval("select state from scan.job") == "ARCHIVED"
    assert (await parts.store.get(scan_id)).state is State.FAILED


async def test_a_stage_that_is_done_clears_a_scan_of_its_crashes(parts: ScanParts) -> None:
    """Crashes are counted stage by stage: an innocent that was often near one moves on and is out of suspicion."""
    await parts.submit()
    for _ in range(2):
        await parts.claimed()
        await parts.lose_everybody()
    (lease,) = await parts.quarantine.claim(await parts.registry.register(), 0)
    await parts.queue.checkpoint(vision_done(lease))
    assert await parts.pool.fetchval("select crashes from scan.job") == 0


async def test_a_suspect_runs_one_stage_with_nothing_beside_it(parts: ScanParts) -> None:
    """The worker lets its other scans end their stage and gives them back; the suspect's later stages run anywhere."""
    looking = asyncio.Event()
    seen: list[Any] = []

    async def look() -> None:
        if not seen:  # the innocent one, until the worker lets go of it
            seen.append(None)
            await looking.wait()
        else:
            seen.append(
                [(row["state"], row["stage"]) for row in await parts.pool.fetch("select * from scan.job order by id")]
            )

    parts.peers.before["vision"] = look
    innocent = await parts.submit()
    async with parts.worker().working():
        await eventually(lambda: true_of(parts.peers.calls["vision"] == 1))
        suspect = await parts.submit(crashes=2)
        await eventually(
            lambda: parts.pool.fetchval("select exists (select from scan.periodic where name = 'suspects')")
        )
        looking.set()
        ended = [await parts.ended(scan_id) for scan_id in (innocent, suspect)]
    assert seen == [None, [("READY", "rules"), ("LEASED", "vision")]]
    assert [scan.state for scan in ended] == [State.SUCCEEDED, State.SUCCEEDED]
    assert parts.peers.calls == dict.fromkeys(("vision", "rules", "answer", "reward"), 2)


async def test_what_was_archived_for_its_crashes_runs_again_when_a_person_replays_it(parts: ScanParts) -> None:
    """Its cause may be mended; until it has shown that, it runs alone."""
    scan_id = await parts.submit(crashes=POISON_CRASHES)
    await parts.pool.execute("update scan.job set state = 'ARCHIVED'")
    await parts.dead_letters.replay(scan_id)
    async with parts.worker().working():
        assert (await parts.ended(scan_id)).state is State.SUCCEEDED


async def test_no_suspect_runs_beside_one_that_must_be_alone(parts: ScanParts) -> None:
    """With few crashes a few run together, and others join them; with more nobody does."""
    for crashes in (2, 2, 2, 2, 2, 2, 3):
        await parts.submit(crashes=crashes)
    worker_id = await parts.registry.register()
    assert [lease.group_size for lease in await parts.quarantine.claim(worker_id, 0)] == [1]
    assert [lease.group_size for lease in await parts.quarantine.claim(worker_id, 0)] == [4, 4, 4, 4]
    assert await parts.quarantine.claim(worker_id, 4) == []
    assert [lease.group_size for lease in await parts.quarantine.claim(worker_id, 3)] == [4]


async def test_a_new_worker_looks_for_suspects_first(parts: ScanParts) -> None:
    """It has nothing to let go of yet; later it would have to wait for its other scans."""
    order: list[str] = []
    claim, claim_suspects = parts.queue.claim, parts.queue.claim_suspects

    async def claimed(worker_id: int, count: int) -> list[Lease]:
        order.append("others")
        return await claim(worker_id, count)

    async def claimed_suspects(worker_id: int, count: int, least_crashes: int, most_crashes: int) -> list[Lease]:
        order.append("suspects")
        return await claim_suspects(worker_id, count, least_crashes, most_crashes)

    parts.queue.claim, parts.queue.claim_suspects = claimed, claimed_suspects  # type: ignore[method-assign]
    scan_ids = [await parts.submit(), await parts.submit(crashes=2)]
    async with parts.worker().working():
        for scan_id in scan_ids:
            await parts.ended(scan_id)
    assert order[0] == "suspects"


async def test_a_worker_that_was_told_to_leave_begins_no_stage(parts: ScanParts) -> None:
    """Neither a further one of a scan at work, nor one of a claim that is answered although it was cancelled."""
    looked, told, answered = asyncio.Event(), asyncio.Event(), asyncio.Event()
    parts.peers.before["vision"] = looked.wait
    claim = parts.queue.claim

    async def claim_slowly(worker_id: int, count: int) -> list[Lease]:
        leases = await claim(worker_id, count)
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


async def test_a_suspect_isnt_claimed_among_the_innocent(parts: ScanParts) -> None:
    """What was in several crashes may be their cause: it is run where it can harm nobody."""
    scan_id = await parts.submit()
    for _ in range(2):
        await parts.queue.claim(await parts.registry.register(), 1)
        await parts.lose_everybody()
    worker_id, innocent = await parts.registry.register(), await parts.submit()
    assert [lease.scan.scan_id for lease in await parts.queue.claim(worker_id, 10)] == [innocent]
    assert [lease.scan.scan_id for lease in await parts.quarantine.claim(worker_id, 0)] == [scan_id]


async def test_vision_is_called_once_although_the_answer_fails_twice(parts: ScanParts) -> None:
    """A stage that finished is never paid for again."""
    failures = [Unavailable(Reason.UNAVAILABLE, peer="model") for _ in range(2)]

    async def sometimes() -> None:
        if failures:
            raise failures.pop()

    parts.peers.before["answer"] = sometimes
    async with parts.worker().working():
        scan = await parts.ended(await parts.submit())
    assert scan.state is State.SUCCEEDED
    assert parts.peers.calls == {"vision": 1, "rules": 1, "answer": 3, "reward": 1}


async def test_what_failed_tries_cost_is_added_up(parts: ScanParts) -> None:
    """A model is paid for answers that couldn't be used, too: the peer's error says how much."""
    paid = {"cost_micro_usd": 700, "input_tokens": 900, "output_tokens": 50, "calls": 1}
    failures = [Unavailable(Reason.UNAVAILABLE, peer="model", **paid) for _ in range(2)]

    async def sometimes() -> None:
        if failures:
            raise failures.pop()

    parts.peers.before["answer"] = sometimes
    async with parts.worker().working():
        scan = await parts.ended(await parts.submit())
    (run,) = [run for run in scan.stages if run.stage == "answer"]
    assert (run.attempts, run.usage) == (3, Usage("", 1800, 100, 1400, 2))


@pytest.mark.parametrize(
    "error",
    [Unavailable(Reason.UNAVAILABLE, peer="rules", retry_after=60.0), InvalidArgument(Reason.PHOTO_EMPTY)],
    ids=["put back", "failed"],
)
async def test_what_is_shown_of_a_scan_that_stopped_is_what_is_stored(parts: ScanParts, error: EcoError) -> None:
    """The version is one and the same, so a reader who is sent to the database must not see a smaller percentage."""

    async def fail() -> None:
        raise error

    parts.peers.before["answer"] = fail
    scan_id = await parts.submit()

    async def stopped() -> bool:
        shown = await parts.progress.snapshots.read(scan_id)
        return shown is not None and shown.step in (Step.RETRY, Step.ANSWER) and shown.state is not State.RUNNING

    async with parts.worker().working():
        await eventually(stopped)
        shown = await parts.progress.snapshots.read(scan_id)
        assert shown is not None
        stored = parts.progress.snapshots.of(await parts.store.get(scan_id))
        assert (shown.version, shown.state, shown.body) == (stored.version, stored.state, stored.body)


async def test_a_stage_that_is_tried_again_shows_no_smaller_percentage(parts: ScanParts) -> None:
    """How far the last try had come was stored with the job: this one begins there, and stays until it is past."""
    seen: list[int] = []

    async def look() -> None:
        shown = await parts.progress.snapshots.read(scan_id)
        assert shown is not None
        seen.append(scan_pb2.Scan.FromString(shown.body).progress.percent)

    parts.peers.before |= {"rules": look, "answer": look}
    scan_id = await parts.submit()
    await parts.pool.execute("update scan.job set percent = 80")
    async with parts.worker().working():
        await parts.ended(scan_id)
    assert seen == [80, 80]


async def test_a_deleted_scan_leaves_what_its_failed_tries_cost(parts: ScanParts) -> None:
    """Billing needs it, although no stage came to its end."""
    lease = await parts.held()
    await parts.queue.retry(replace(lease, spent=Usage("m", 9, 5, 700, 1)), FAILURE, 60.0)
    await parts.store.delete(lease.scan.scan_id)
    usage = json.loads(await parts.pool.fetchval("select usage::text from scan.tombstone"))
    assert [(run["stage"], run["attempts"], run["usage"]["cost_micro_usd"]) for run in usage] == [("vision", 1, 700)]


async def test_a_cancelled_scan_shows_what_its_failed_tries_cost(parts: ScanParts) -> None:
    """Beside what the stages cost that came to their end."""
    lease = await parts.held()
    await parts.queue.checkpoint(vision_done(lease))
    lease = replace(lease, stage="rules", spent=Usage("m", 9, 5, 700, 1))
    await parts.queue.retry(lease, FAILURE, 60.0)
    await parts.store.cancel(lease.scan.scan_id)
    runs = (await parts.store.get(lease.scan.scan_id)).stages
    assert [(run.stage, run.attempts, run.usage) for run in runs] == [("vision", 1, None), ("rules", 1, lease.spent)]


async def test_a_dead_letter_shows_what_its_failed_tries_cost(parts: ScanParts) -> None:
    """A person who decides on a replay sees what it has cost already."""
    lease = await parts.held()
    await parts.queue.fail(replace(lease, spent=Usage("m", 9, 5, 700, 1)), FAILURE, replayable=True)
    listed = await parts.dead_letters.page(DeadLetterFilter(), None, 10)
    archived = await parts.dead_letters.archive(lease.scan.scan_id)
    assert [dead_letter(letter).usage.cost_micro_usd for letter in (*listed, archived)] == [700, 700]


@pytest.fixture
def processes(database_url: str, redis_url: str, tmp_path: Path) -> Iterator[Processes]:
    """Starts worker processes."""
    processes = Processes(database_url, redis_url, tmp_path)
    yield processes
    processes.close()


async def test_vision_is_called_once_although_its_worker_is_killed_after_it(
    parts: ScanParts, processes: Processes
) -> None:
    """kill -9 between two stages: another process goes on from the second."""
    scan_id = await parts.submit()
    doomed = processes.start(hold="answer")
    await processes.until(Event.STARTED, "answer")
    doomed.kill()
    processes.start()
    scan = await parts.ended(scan_id)
    assert scan.state is State.SUCCEEDED
    assert [processes.count(Event.STARTED, stage) for stage in ("vision", "rules", "answer")] == [1, 1, 2]


async def test_a_frozen_worker_stops_by_itself_when_it_thaws(parts: ScanParts, processes: Processes) -> None:
    """Others have finished its scan: it lets go, registers anew, and starts nothing."""
    scan_id = await parts.submit()
    frozen = processes.start(hold="answer")
    await processes.until(Event.STARTED, "answer")
    frozen.send_signal(signal.SIGSTOP)
    processes.start()
    before = await parts.ended(scan_id)
    frozen.send_signal(signal.SIGCONT)
    await processes.until(Event.REGISTERED, count=3)
    assert before.state is State.SUCCEEDED
    assert await parts.store.get(scan_id) == before
    assert [processes.count(Event.STARTED, stage) for stage in ("vision", "rules", "answer", "reward")] == [1, 1, 2, 1]


async def test_a_thawed_worker_starts_no_stage_that_others_have_done(database_url: str, redis_url: str) -> None:
    """It was frozen between a checkpoint and the next stage, which another worker has run and paid for meanwhile."""
    lease_seconds = 2.0
    async with opened(database_url, redis_url, lease_seconds) as parts:
        show, frozen = parts.progress.log.show, False

        def freeze(lease: Lease, scan: Scan) -> None:
            nonlocal frozen
            if scan.results.rules and not frozen:
                frozen = True
                others = threading.Thread(target=asyncio.run, args=[take_over(database_url, redis_url, lease_seconds)])
                others.start()
                others.join()  # without giving way to the event loop: nothing happens in this process
            show(lease, scan)

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
            if write.following == "answer" and not frozen:
                frozen = True
                others = threading.Thread(target=asyncio.run, args=[take_over(database_url, redis_url, lease_seconds)])
                others.start()
                others.join()

        parts.queue.checkpoint = freeze  # type: ignore[method-assign,assignment]
        scan_id = await parts.submit()
        async with parts.worker().working():
            scan = await parts.ended(scan_id)
        assert scan.state is State.SUCCEEDED
        assert parts.peers.calls == {"vision": 1, "rules": 1, "reward": 1}


async def take_over(database_url: str, redis_url: str, lease_seconds: float) -> None:
    """What other workers do: reap, claim, run the answer stage; then they die."""
    async with opened(database_url, redis_url) as others:
        await asyncio.sleep(lease_seconds)
        await others.lose_everybody()
        lease = await others.claimed()
        answer = {"answer": Answer("헹구세요.")}
        await others.queue.checkpoint(Checkpoint(lease, lease.scan, "reward", answer, [StageRun("answer", 1, 1)]))


@pytest.mark.stack
@pytest.mark.xdist_group("stacks")
async def test_a_restart_of_postgresql_costs_nothing_in_the_middle_of_two_thousand(tmp_path: Path) -> None:
    """Each has just paid for its classification, and can't store it: the result is kept until the database is back."""
    count = 2000
    with running(tmp_path, part=StackPart.STORES) as variables:
        dsn = variables["ECO2_DATABASE_URL"]
        await migrate(dsn, "scan_svc")
        async with opened(dsn, variables["ECO2_REDIS_URL"]) as parts:
            gate, waiting = asyncio.Event(), asyncio.Event()

            async def hold() -> None:
                if parts.peers.calls["vision"] == count:
                    waiting.set()
                await gate.wait()

            parts.peers.before["vision"] = hold
            await asyncio.gather(*(parts.submit() for _ in range(count)))
            async with parts.worker().working():
                await asyncio.wait_for(waiting.wait(), 30)
                kill_immediately("postgres", tmp_path)
                gate.set()
                await eventually(lambda: all_succeeded(dsn, count), 60)
            assert parts.peers.calls == dict.fromkeys(("vision", "rules", "answer", "reward"), count)


def kill_immediately(name: str, stack: Path) -> None:
    """PostgreSQL's immediate shutdown: no checkpoint, no goodbye. The stack starts it again."""
    pids = dict(pair.split("=") for pair in read_env(stack / ENV_FILE)["ECO2_PIDS"].split(","))
    os.kill(int(pids[name]), signal.SIGQUIT)


async def all_succeeded(dsn: str, count: int) -> bool:
    """Whether so many scans have succeeded and got their rewards, in a database that may be away."""
    try:
        connection = await asyncpg.connect(dsn)
        succeeded = await connection.fetchval(
            "select count(*) from scan.scan where state = 'SUCCEEDED' and outputs ->> 'reward' is not null"
        )
        await connection.close()
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
        return False
    return bool(succeeded == count)


async def checkpoints(parts: ScanParts, *leases: Lease) -> list[type]:
    """Writes the checkpoints of several leases in one commit; returns what came of each."""
    writes = (parts.queue.checkpoint(vision_done(lease)) for lease in leases)
    return [type(outcome) for outcome in await asyncio.gather(*writes, return_exceptions=True)]


async def true_of(condition: bool) -> bool:
    """For `eventually`, of what this process knows."""
    return condition
