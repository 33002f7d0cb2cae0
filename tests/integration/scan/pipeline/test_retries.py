"""A stage that failed runs again alone; what is shown never goes back, what it cost is never lost."""

import json

import pytest
from msgspec.structs import replace

from eco2.scan.v1 import scan_pb2
from mesh.errors import EcoError, InvalidArgument, Unavailable
from mesh.reasons import Reason
from scan_svc.jobs.dead_letters import DeadLetterFilter
from scan_svc.mirrors.vision import Usage
from scan_svc.operations.wire import dead_letter
from scan_svc.scans import State, Step
from tests.integration.scan.jobs.writes import FAILURE, vision_done
from tests.support.scan.scan_parts import ScanParts
from tests.support.waiting import eventually


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
    assert [dead_letter(letter, str).usage.cost_micro_usd for letter in (*listed, archived)] == [700, 700]
