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
from tests.chaos.journal import Event
from tests.chaos.processes import Processes
from tests.chaos.scan_parts import LEASE_SECONDS, METAL, LosingPool, Shop, blocked, eventually, opened

POISON_CRASHES = 5


@pytest.fixture
async def shop(database_url: str, redis_url: str) -> AsyncIterator[Shop]:
    """The parts on a fresh database."""
    async with opened(database_url, redis_url) as shop:
        yield shop


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
async def test_a_frozen_workers_late_write_changes_no_row(shop: Shop, write: Any, taken: bool) -> None:
    """It was frozen beyond its lease and doesn't know yet."""
    late = await shop.held()
    await shop.lose_everybody()
    if taken:
        await shop.queue.claim(await shop.registry.register(), 1)
    tables = "select j, s, (select count(*) from scan.stage_result) from scan.job j join scan.scan s on s.id = j.ref"
    before = await shop.pool.fetchrow(tables)
    with pytest.raises(Fenced):
        await write(shop.queue, late)
    assert await shop.pool.fetchrow(tables) == before


async def test_one_fenced_checkpoint_takes_no_other_with_it(shop: Shop) -> None:
    """Checkpoints are committed together; only those that lost their lease fail."""
    late = await shop.held()
    await shop.lose_everybody()
    await shop.claimed()
    mine = await shop.held()
    assert await checkpoints(shop, late, mine) == [Fenced, type(None)]


async def test_a_write_that_cant_be_stored_fails_alone(shop: Shop) -> None:
    """JSON in PostgreSQL has no NUL character; what was paid for beside it must be stored all the same."""
    leases = [await shop.held() for _ in range(5)]
    found = replace(vision_done(leases[2]), outputs={"vision": Classification(METAL, display_name="\0")})
    writes = [vision_done(lease) for lease in leases]
    writes[2] = found
    outcomes = await asyncio.gather(*map(shop.queue.checkpoint, writes), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [
        type(None), type(None), asyncpg.UntranslatableCharacterError, type(None), type(None)
    ]  # fmt: skip
    assert await shop.pool.fetchval("select count(*) from scan.stage_result") == 4


async def test_a_result_that_cant_be_stored_fails_its_scan(shop: Shop) -> None:
    """It is a fault of ours, explained like any other, and not a job that nobody works on any more."""

    async def unstorable(scan: Scan, deadline: float) -> AsyncIterator[Classification]:
        yield Classification(METAL, display_name="\0")

    shop.peers.classify = unstorable  # type: ignore[method-assign,assignment]
    async with shop.worker().working():
        scan = await shop.ended(await shop.submit())
    assert (scan.state, scan.error and scan.error.reason) == (State.FAILED, Reason.INTERNAL)


async def test_a_checkpoint_that_is_cancelled_while_it_is_written_is_stored_once(shop: Shop) -> None:
    """The worker leaves while the database takes its time: what was paid for is stored before it is given back."""
    writing, written = asyncio.Event(), asyncio.Event()
    commit = shop.queue._checkpoints._commit

    async def slow(batch: Any) -> Any:
        writing.set()
        await written.wait()
        return await commit(batch)

    shop.queue._checkpoints._commit = slow
    await shop.submit()
    worker = shop.worker()
    async with worker.working():
        await writing.wait()
        asyncio.get_running_loop().call_later(1.0, written.set)  # longer than the grace of half a second
    assert (await shop.claimed()).stage == "rules"
    assert shop.peers.calls == {"vision": 1, "rules": 1}


async def test_two_leases_of_one_job_in_one_commit_are_told_apart(shop: Shop) -> None:
    """A worker that was declared dead started anew and took the same job; a write of its former self was on the way."""
    late = await shop.held()
    await shop.lose_everybody()
    again = await shop.claimed()
    assert await checkpoints(shop, late, again) == [Fenced, type(None)]
    assert await shop.pool.fetchval("select token from scan.stage_result") == again.token


@pytest.mark.parametrize("statement", ["checkpoint", "finish"])
@pytest.mark.parametrize("committed", [True, False], ids=["committed", "lost"])
async def test_a_commit_without_an_answer_is_neither_repeated_nor_paid_again(
    shop: Shop, statement: str, committed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The connection broke at COMMIT: the result is kept in hand until its fate is known."""
    # A reward whose handover was lost with the answer is found by reconciling: here soon.
    monkeypatch.setattr("scan_svc.jobs.consumer._HANDOVER_SECONDS", 0.5)
    monkeypatch.setattr("scan_svc.jobs.consumer._RECONCILE_SECONDS", 0.5)
    losing: Any = LosingPool(shop.pool, Queries("scan_svc.jobs")[statement], committed=committed)
    shop.use(JobQueue(losing))
    scan_id = await shop.submit()
    async with shop.worker().working():
        scan = await shop.ended(scan_id)
    assert losing.broke
    assert scan.state is State.SUCCEEDED
    assert shop.peers.calls == {"vision": 1, "rules": 1, "answer": 1, "reward": 1}
    assert [run.stage for run in scan.stages] == ["vision", "rules", "answer", "reward"]


async def test_scans_run_although_nobody_notifies(shop: Shop) -> None:
    """NOTIFY may be switched off, or swallowed by a pooler; the poll finds the work."""
    async with shop.worker().working():
        scan = await shop.ended(await shop.submit())
    assert scan.state is State.SUCCEEDED


async def test_a_worker_that_was_declared_dead_claims_nothing(shop: Shop) -> None:
    """Its scans would be with a worker that nobody watches."""
    worker_id = await shop.registry.register()
    await shop.lose_everybody()
    await shop.submit()
    assert await shop.queue.claim(worker_id, 1) == []


async def test_a_claim_waits_for_a_reaper_at_work_and_then_claims_nothing(shop: Shop, database_url: str) -> None:
    """The reaper has removed the worker, but hasn't committed yet."""
    worker_id = await shop.registry.register()
    await shop.submit()
    reaper = await asyncpg.connect(database_url)
    await reaper.execute("begin; delete from scan.worker")
    claim = asyncio.create_task(shop.queue.claim(worker_id, 1))
    await blocked(reaper)
    await reaper.execute("commit")
    assert await claim == []
    await reaper.close()


async def test_a_reaper_waits_for_a_claim_at_work_and_then_takes_its_jobs_back(shop: Shop, database_url: str) -> None:
    """The claim isn't committed yet: without the lock its jobs would be leased to a worker that is gone, for ever."""
    worker_id = await shop.registry.register()
    scan_id = await shop.submit()
    claimant = await asyncpg.connect(database_url)
    await claimant.execute("update scan.worker set beat_at = now() - interval '1 hour'")
    await claimant.execute("begin")
    await JobQueue(claimant).claim(worker_id, 1)
    reap = asyncio.create_task(shop.registry.rescue_orphans(LEASE_SECONDS))
    await blocked(claimant)
    await claimant.execute("commit")
    assert await reap == [scan_id]
    await claimant.close()


async def test_a_claim_whose_answer_was_lost_is_given_back(shop: Shop) -> None:
    """The jobs are leased to a worker that doesn't know of them, and that goes on heartbeats."""
    lease = await shop.held()
    worker_id = await shop.pool.fetchval("select id from scan.worker")
    assert await shop.registry.reconcile(worker_id, "scan", [lease.job_id]) == 0
    assert await shop.registry.reconcile(worker_id, "scan", []) == 1
    (again,) = await shop.queue.claim(worker_id, 1)
    assert (again.job_id, again.attempt) == (lease.job_id, lease.attempt)


async def test_what_crashes_its_worker_five_times_is_archived_and_never_replayed(shop: Shop) -> None:
    """A poison scan must not take the service down for ever; what it has cost so far is explained, not tried again."""
    scan_id = await shop.submit()
    for _ in range(POISON_CRASHES):
        worker_id = await shop.registry.register()
        leases = await shop.queue.claim(worker_id, 1) or await shop.quarantine.claim(worker_id, 0)
        assert [lease.scan.scan_id for lease in leases] == [scan_id]
        assert leases[0].attempt == 1
        assert await shop.lose_everybody() == [scan_id]
    await shop.dead_letters.reprocess()
    worker_id = await shop.registry.register()
    assert await shop.queue.claim(worker_id, 1) == []
    assert await shop.quarantine.claim(worker_id, 0) == []
    assert await shop.pool.fetchval("select state from scan.job") == "ARCHIVED"
    assert (await shop.store.get(scan_id)).state is State.FAILED


async def test_a_stage_that_is_done_clears_a_scan_of_its_crashes(shop: Shop) -> None:
    """Crashes are counted stage by stage: an innocent that was often near one moves on and is out of suspicion."""
    await shop.submit()
    for _ in range(2):
        await shop.claimed()
        await shop.lose_everybody()
    (lease,) = await shop.quarantine.claim(await shop.registry.register(), 0)
    await shop.queue.checkpoint(vision_done(lease))
    assert await shop.pool.fetchval("select crashes from scan.job") == 0


async def test_a_suspect_runs_one_stage_with_nothing_beside_it(shop: Shop) -> None:
    """The worker lets its other scans end their stage and gives them back; the suspect's later stages run anywhere."""
    looking = asyncio.Event()
    seen: list[Any] = []

    async def look() -> None:
        if not seen:  # the innocent one, until the worker lets go of it
            seen.append(None)
            await looking.wait()
        else:
            seen.append(
                [(row["state"], row["stage"]) for row in await shop.pool.fetch("select * from scan.job order by id")]
            )

    shop.peers.before["vision"] = look
    innocent = await shop.submit()
    async with shop.worker().working():
        await eventually(lambda: true_of(shop.peers.calls["vision"] == 1))
        suspect = await shop.submit(crashes=2)
        await eventually(
            lambda: shop.pool.fetchval("select exists (select from scan.periodic where name = 'suspects')")
        )
        looking.set()
        ended = [await shop.ended(scan_id) for scan_id in (innocent, suspect)]
    assert seen == [None, [("READY", "rules"), ("LEASED", "vision")]]
    assert [scan.state for scan in ended] == [State.SUCCEEDED, State.SUCCEEDED]
    assert shop.peers.calls == dict.fromkeys(("vision", "rules", "answer", "reward"), 2)


async def test_what_was_archived_for_its_crashes_runs_again_when_a_person_replays_it(shop: Shop) -> None:
    """Its cause may be mended; until it has shown that, it runs alone."""
    scan_id = await shop.submit(crashes=POISON_CRASHES)
    await shop.pool.execute("update scan.job set state = 'ARCHIVED'")
    await shop.dead_letters.replay(scan_id)
    async with shop.worker().working():
        assert (await shop.ended(scan_id)).state is State.SUCCEEDED


async def test_no_suspect_runs_beside_one_that_must_be_alone(shop: Shop) -> None:
    """With few crashes a few run together, and others join them; with more nobody does."""
    for crashes in (2, 2, 2, 2, 2, 2, 3):
        await shop.submit(crashes=crashes)
    worker_id = await shop.registry.register()
    assert [lease.group_size for lease in await shop.quarantine.claim(worker_id, 0)] == [1]
    assert [lease.group_size for lease in await shop.quarantine.claim(worker_id, 0)] == [4, 4, 4, 4]
    assert await shop.quarantine.claim(worker_id, 4) == []
    assert [lease.group_size for lease in await shop.quarantine.claim(worker_id, 3)] == [4]


async def test_a_new_worker_looks_for_suspects_first(shop: Shop) -> None:
    """It has nothing to let go of yet; later it would have to wait for its other scans."""
    order: list[str] = []
    claim, claim_suspects = shop.queue.claim, shop.queue.claim_suspects

    async def claimed(worker_id: int, count: int) -> list[Lease]:
        order.append("others")
        return await claim(worker_id, count)

    async def claimed_suspects(worker_id: int, count: int, least_crashes: int, most_crashes: int) -> list[Lease]:
        order.append("suspects")
        return await claim_suspects(worker_id, count, least_crashes, most_crashes)

    shop.queue.claim, shop.queue.claim_suspects = claimed, claimed_suspects  # type: ignore[method-assign]
    scan_ids = [await shop.submit(), await shop.submit(crashes=2)]
    async with shop.worker().working():
        for scan_id in scan_ids:
            await shop.ended(scan_id)
    assert order[0] == "suspects"


async def test_a_worker_that_was_told_to_leave_begins_no_stage(shop: Shop) -> None:
    """Neither a further one of a scan at work, nor one of a claim that is answered although it was cancelled."""
    looked, told, answered = asyncio.Event(), asyncio.Event(), asyncio.Event()
    shop.peers.before["vision"] = looked.wait
    claim = shop.queue.claim

    async def claim_slowly(worker_id: int, count: int) -> list[Lease]:
        leases = await claim(worker_id, count)
        while leases and shop.peers.calls["vision"] and not answered.is_set():
            try:
                await answered.wait()
            except asyncio.CancelledError:  # lost, as asyncpg loses it if the answer has arrived
                told.set()
        return leases

    shop.queue.claim = claim_slowly  # type: ignore[method-assign]
    at_work = await shop.submit()
    async with AsyncExitStack() as working:
        await working.enter_async_context(shop.worker().working())
        await eventually(lambda: true_of(shop.peers.calls["vision"] == 1))
        await shop.submit()
        taken = "select count(*) = 2 from scan.job where state = 'LEASED'"
        await eventually(lambda: shop.pool.fetchval(taken))
        leaving = asyncio.create_task(working.aclose())
        await told.wait()
        looked.set()
        let_go = "select not exists (select from scan.job where ref = $1 and state = 'LEASED')"
        await eventually(lambda: shop.pool.fetchval(let_go, at_work))
        answered.set()
        await leaving
    assert shop.peers.calls == {"vision": 1}
    rows = await shop.pool.fetch("select state, stage, attempt from scan.job order by id")
    assert [tuple(row) for row in rows] == [("READY", "rules", 0), ("READY", "vision", 0)]


async def test_a_suspect_isnt_claimed_among_the_innocent(shop: Shop) -> None:
    """What was in several crashes may be their cause: it is run where it can harm nobody."""
    scan_id = await shop.submit()
    for _ in range(2):
        await shop.queue.claim(await shop.registry.register(), 1)
        await shop.lose_everybody()
    worker_id, innocent = await shop.registry.register(), await shop.submit()
    assert [lease.scan.scan_id for lease in await shop.queue.claim(worker_id, 10)] == [innocent]
    assert [lease.scan.scan_id for lease in await shop.quarantine.claim(worker_id, 0)] == [scan_id]


async def test_vision_is_called_once_although_the_answer_fails_twice(shop: Shop) -> None:
    """A stage that finished is never paid for again."""
    failures = [Unavailable(Reason.UNAVAILABLE, peer="model") for _ in range(2)]

    async def sometimes() -> None:
        if failures:
            raise failures.pop()

    shop.peers.before["answer"] = sometimes
    async with shop.worker().working():
        scan = await shop.ended(await shop.submit())
    assert scan.state is State.SUCCEEDED
    assert shop.peers.calls == {"vision": 1, "rules": 1, "answer": 3, "reward": 1}


async def test_what_failed_tries_cost_is_added_up(shop: Shop) -> None:
    """A model is paid for answers that couldn't be used, too: the peer's error says how much."""
    paid = {"cost_micro_usd": 700, "input_tokens": 900, "output_tokens": 50, "calls": 1}
    failures = [Unavailable(Reason.UNAVAILABLE, peer="model", **paid) for _ in range(2)]

    async def sometimes() -> None:
        if failures:
            raise failures.pop()

    shop.peers.before["answer"] = sometimes
    async with shop.worker().working():
        scan = await shop.ended(await shop.submit())
    (run,) = [run for run in scan.stages if run.stage == "answer"]
    assert (run.attempts, run.usage) == (3, Usage("", 1800, 100, 1400, 2))


@pytest.mark.parametrize(
    "error",
    [Unavailable(Reason.UNAVAILABLE, peer="rules", retry_after=60.0), InvalidArgument(Reason.PHOTO_EMPTY)],
    ids=["put back", "failed"],
)
async def test_what_is_shown_of_a_scan_that_stopped_is_what_is_stored(shop: Shop, error: EcoError) -> None:
    """The version is one and the same, so a reader who is sent to the database must not see a smaller percentage."""

    async def fail() -> None:
        raise error

    shop.peers.before["answer"] = fail
    scan_id = await shop.submit()

    async def stopped() -> bool:
        shown = await shop.progress.snapshots.read(scan_id)
        return shown is not None and shown.step in (Step.RETRY, Step.ANSWER) and shown.state is not State.RUNNING

    async with shop.worker().working():
        await eventually(stopped)
        shown = await shop.progress.snapshots.read(scan_id)
        assert shown is not None
        stored = shop.progress.snapshots.of(await shop.store.get(scan_id))
        assert (shown.version, shown.state, shown.body) == (stored.version, stored.state, stored.body)


async def test_a_stage_that_is_tried_again_shows_no_smaller_percentage(shop: Shop) -> None:
    """How far the last try had come was stored with the job: this one begins there, and stays until it is past."""
    seen: list[int] = []

    async def look() -> None:
        shown = await shop.progress.snapshots.read(scan_id)
        assert shown is not None
        seen.append(scan_pb2.Scan.FromString(shown.body).progress.percent)

    shop.peers.before |= {"rules": look, "answer": look}
    scan_id = await shop.submit()
    await shop.pool.execute("update scan.job set percent = 80")
    async with shop.worker().working():
        await shop.ended(scan_id)
    assert seen == [80, 80]


async def test_a_deleted_scan_leaves_what_its_failed_tries_cost(shop: Shop) -> None:
    """Billing needs it, although no stage came to its end."""
    lease = await shop.held()
    await shop.queue.retry(replace(lease, spent=Usage("m", 9, 5, 700, 1)), FAILURE, 60.0)
    await shop.store.delete(lease.scan.scan_id)
    usage = json.loads(await shop.pool.fetchval("select usage::text from scan.tombstone"))
    assert [(run["stage"], run["attempts"], run["usage"]["cost_micro_usd"]) for run in usage] == [("vision", 1, 700)]


async def test_a_cancelled_scan_shows_what_its_failed_tries_cost(shop: Shop) -> None:
    """Beside what the stages cost that came to their end."""
    lease = await shop.held()
    await shop.queue.checkpoint(vision_done(lease))
    lease = replace(lease, stage="rules", spent=Usage("m", 9, 5, 700, 1))
    await shop.queue.retry(lease, FAILURE, 60.0)
    await shop.store.cancel(lease.scan.scan_id)
    runs = (await shop.store.get(lease.scan.scan_id)).stages
    assert [(run.stage, run.attempts, run.usage) for run in runs] == [("vision", 1, None), ("rules", 1, lease.spent)]


async def test_a_dead_letter_shows_what_its_failed_tries_cost(shop: Shop) -> None:
    """A person who decides on a replay sees what it has cost already."""
    lease = await shop.held()
    await shop.queue.fail(replace(lease, spent=Usage("m", 9, 5, 700, 1)), FAILURE, replayable=True)
    listed = await shop.dead_letters.page(DeadLetterFilter(), None, 10)
    archived = await shop.dead_letters.archive(lease.scan.scan_id)
    assert [dead_letter(letter).usage.cost_micro_usd for letter in (*listed, archived)] == [700, 700]


@pytest.fixture
def processes(database_url: str, redis_url: str, tmp_path: Path) -> Iterator[Processes]:
    """Starts worker processes."""
    processes = Processes(database_url, redis_url, tmp_path)
    yield processes
    processes.close()


async def test_vision_is_called_once_although_its_worker_is_killed_after_it(shop: Shop, processes: Processes) -> None:
    """kill -9 between two stages: another process goes on from the second."""
    scan_id = await shop.submit()
    doomed = processes.start(hold="answer")
    await processes.until(Event.STARTED, "answer")
    doomed.kill()
    processes.start()
    scan = await shop.ended(scan_id)
    assert scan.state is State.SUCCEEDED
    assert [processes.count(Event.STARTED, stage) for stage in ("vision", "rules", "answer")] == [1, 1, 2]


async def test_a_frozen_worker_stops_by_itself_when_it_thaws(shop: Shop, processes: Processes) -> None:
    """Others have finished its scan: it lets go, registers anew, and starts nothing."""
    scan_id = await shop.submit()
    frozen = processes.start(hold="answer")
    await processes.until(Event.STARTED, "answer")
    frozen.send_signal(signal.SIGSTOP)
    processes.start()
    before = await shop.ended(scan_id)
    frozen.send_signal(signal.SIGCONT)
    await processes.until(Event.REGISTERED, count=3)
    assert before.state is State.SUCCEEDED
    assert await shop.store.get(scan_id) == before
    assert [processes.count(Event.STARTED, stage) for stage in ("vision", "rules", "answer", "reward")] == [1, 1, 2, 1]


async def test_a_thawed_worker_starts_no_stage_that_others_have_done(database_url: str, redis_url: str) -> None:
    """It was frozen between a checkpoint and the next stage, which another worker has run and paid for meanwhile."""
    lease_seconds = 2.0
    async with opened(database_url, redis_url, lease_seconds) as shop:
        show, frozen = shop.progress.log.show, False

        def freeze(lease: Lease, scan: Scan) -> None:
            nonlocal frozen
            if scan.results.rules and not frozen:
                frozen = True
                others = threading.Thread(target=asyncio.run, args=[take_over(database_url, redis_url, lease_seconds)])
                others.start()
                others.join()  # without giving way to the event loop: nothing happens in this process
            show(lease, scan)

        shop.progress.log.show = freeze  # type: ignore[method-assign]
        scan_id = await shop.submit()
        async with shop.worker().working():
            scan = await shop.ended(scan_id)
        assert scan.state is State.SUCCEEDED
        assert shop.peers.calls == {"vision": 1, "rules": 1, "reward": 1}


async def test_an_answer_read_after_a_freeze_is_no_proof_of_the_lease(database_url: str, redis_url: str) -> None:
    """The checkpoint was stored before the process froze; by the time it reads so others have gone on."""
    lease_seconds = 2.0
    async with opened(database_url, redis_url, lease_seconds) as shop:
        checkpoint, frozen = shop.queue.checkpoint, False

        async def freeze(write: Checkpoint) -> None:
            nonlocal frozen
            await checkpoint(write)
            if write.following == "answer" and not frozen:
                frozen = True
                others = threading.Thread(target=asyncio.run, args=[take_over(database_url, redis_url, lease_seconds)])
                others.start()
                others.join()

        shop.queue.checkpoint = freeze  # type: ignore[method-assign,assignment]
        scan_id = await shop.submit()
        async with shop.worker().working():
            scan = await shop.ended(scan_id)
        assert scan.state is State.SUCCEEDED
        assert shop.peers.calls == {"vision": 1, "rules": 1, "reward": 1}


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
        async with opened(dsn, variables["ECO2_REDIS_URL"]) as shop:
            gate, waiting = asyncio.Event(), asyncio.Event()

            async def hold() -> None:
                if shop.peers.calls["vision"] == count:
                    waiting.set()
                await gate.wait()

            shop.peers.before["vision"] = hold
            await asyncio.gather(*(shop.submit() for _ in range(count)))
            async with shop.worker().working():
                await asyncio.wait_for(waiting.wait(), 30)
                kill_immediately("postgres", tmp_path)
                gate.set()
                await eventually(lambda: all_succeeded(dsn, count), 60)
            assert shop.peers.calls == dict.fromkeys(("vision", "rules", "answer", "reward"), count)


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


async def checkpoints(shop: Shop, *leases: Lease) -> list[type]:
    """Writes the checkpoints of several leases in one commit; returns what came of each."""
    writes = (shop.queue.checkpoint(vision_done(lease)) for lease in leases)
    return [type(outcome) for outcome in await asyncio.gather(*writes, return_exceptions=True)]


async def true_of(condition: bool) -> bool:
    """For `eventually`, of what this process knows."""
    return condition
