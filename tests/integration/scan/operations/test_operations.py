"""What the people on duty see and do, on real stores and without a worker that would run away with the jobs."""

import asyncio
import base64
import json
import uuid
from collections.abc import Awaitable
from typing import Any

import grpc
import pytest
from google.rpc import error_details_pb2, status_pb2

from eco2.errors.v1.error_reason_pb2 import ErrorReason
from eco2.scan.v1 import operations_service_pb2 as pb
from eco2.scan.v1 import scan_pb2
from mesh.errors import NotFound
from mesh.grpc.status import DETAILS_HEADER
from mesh.reasons import Reason
from scan_svc.jobs.dead_letters import DeadLetters
from scan_svc.scans import Failure
from tests.integration.scan.client import Client
from tests.integration.scan.job_tables import Jobs


async def reason(call: Awaitable[object]) -> str:
    """The ErrorInfo reason a call is refused with."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    status = status_pb2.Status.FromString(dict(caught.value.trailing_metadata() or ())[DETAILS_HEADER])
    info = error_details_pb2.ErrorInfo()
    assert any(detail.Unpack(info) for detail in status.details)
    return info.reason


@pytest.fixture
def letters(jobs: Jobs) -> DeadLetters:
    """The dead letters, with nobody to tell."""

    async def nobody(scan_id: str) -> None:
        """Doesn't watch."""

    return DeadLetters(jobs.database, nobody, lambda kind: None)


async def listed(duty: Any, **wanted: Any) -> list[str]:
    """Ids of the dead letters that a filter means."""
    reply = await duty.ListDeadLetters(pb.ListDeadLettersRequest(**wanted))
    return [letter.scan_id for letter in reply.dead_letters]


async def test_letters_are_found_by_stage_reason_age_and_state(duty: Any, jobs: Jobs) -> None:
    """An outage of one peer fills the list; what remains to be understood is among the others."""
    timed_out = Failure("DeadlineExceeded", Reason.DEADLINE_EXCEEDED, {})
    old = await jobs.add(age=7200)
    slow = await jobs.add(failure=timed_out, age=600)
    seen = await jobs.add(stage="vision", age=300)
    set_aside = await jobs.add("ARCHIVED", age=400)
    await jobs.add("READY")
    assert await listed(duty) == [old, slow, seen]
    assert await listed(duty, stage="vision") == [seen]
    assert await listed(duty, reason=ErrorReason.ERROR_REASON_DEADLINE_EXCEEDED) == [slow]
    assert await listed(duty, min_age={"seconds": 3600}) == [old]
    assert await listed(duty, state=pb.DeadLetter.STATE_ARCHIVED) == [set_aside]
    assert await listed(duty, stage="answer", min_age={"seconds": 500}) == [old, slow]


async def test_a_letter_tells_what_a_person_must_know(duty: Any, jobs: Jobs) -> None:
    """Whoever is woken at night decides by this line."""
    scan_id = await jobs.add(replays=2)
    (letter,) = (await duty.ListDeadLetters(pb.ListDeadLettersRequest())).dead_letters
    assert (letter.scan_id, letter.stage, letter.attempts, letter.replays) == (scan_id, "answer", 3, 2)
    assert letter.state == pb.DeadLetter.STATE_DEAD
    assert letter.error.details
    assert letter.dead_time.ToDatetime() == (await jobs.of(scan_id))["run_at"].replace(tzinfo=None)


async def test_pages_neither_skip_nor_repeat(duty: Any, jobs: Jobs) -> None:
    """Many die in the same instant when a peer goes away."""
    async with jobs.database.acquire() as connection, connection.transaction():
        together = Jobs(connection)
        added = [await together.add(age=60) for _ in range(5)]
    seen, token = list[str](), ""
    while True:
        page = await duty.ListDeadLetters(pb.ListDeadLettersRequest(page_size=2, page_token=token))
        seen += [letter.scan_id for letter in page.dead_letters]
        token = page.next_page_token
        if not token:
            break
    assert seen == added


def token(died_at: str, job_id: int) -> str:
    """A page token of a letter that can't be."""
    return base64.urlsafe_b64encode(json.dumps((died_at, job_id)).encode()).decode()


@pytest.mark.parametrize(
    ("wanted", "refusal"),
    [
        ({"page_token": "made up"}, Reason.INVALID_PAGE_TOKEN),
        ({"page_token": token("2026-11-21T12:00:00", 1)}, Reason.INVALID_PAGE_TOKEN),
        ({"page_token": token("2026-11-21T12:00:00Z", 2**63)}, Reason.INVALID_PAGE_TOKEN),
        ({"page_token": token("0001-01-01T00:00:00+14:00", 1)}, Reason.INVALID_PAGE_TOKEN),
        ({"min_age": {"seconds": -1}}, Reason.INVALID_FIELD),
        ({"min_age": {"seconds": 10**10}}, Reason.INVALID_FIELD),
        ({"stage": "deliver"}, Reason.INVALID_FIELD),
    ],
)
async def test_a_filter_that_means_nothing_is_refused(duty: Any, wanted: dict[str, Any], refusal: Reason) -> None:
    """A filter that is silently ignored replays too much."""
    assert await reason(duty.ListDeadLetters(pb.ListDeadLettersRequest(**wanted))) == refusal


@pytest.mark.parametrize("state", ["DEAD", "ARCHIVED"])
async def test_a_replay_goes_on_from_the_stage_that_failed(
    idle_client: Client, duty: Any, jobs: Jobs, state: str
) -> None:
    """With fresh attempts and all that was paid for; and its user sees at once that it goes on."""
    scan_id = await jobs.add(state, "reward")
    await jobs.result(scan_id, "rules")
    failed = await idle_client.get(scan_id)
    assert (await duty.ReplayScan(pb.ReplayScanRequest(scan_id=scan_id))).stage == "reward"
    job = await jobs.of(scan_id)
    assert (job["state"], job["stage"], job["attempt"], job["replays"]) == ("READY", "reward", 0, 1)
    scan = await idle_client.get(scan_id)
    assert (scan.state, [run.stage for run in scan.stages]) == (scan_pb2.Scan.STATE_QUEUED, ["rules"])
    assert scan.version > failed.version
    assert not scan.HasField("error")
    assert await reason(duty.ReplayScan(pb.ReplayScanRequest(scan_id=scan_id))) == Reason.DEAD_LETTER_NOT_FOUND


async def test_an_id_in_capitals_means_the_same_letter(duty: Any, jobs: Jobs) -> None:
    """As everywhere else."""
    dead, archived = await jobs.add(stage="answer"), await jobs.add()
    assert (await duty.ReplayScan(pb.ReplayScanRequest(scan_id=dead.upper()))).stage == "answer"
    reply = await duty.ArchiveScan(pb.ArchiveScanRequest(scan_id=archived.upper()))
    assert reply.dead_letter.scan_id == archived


async def test_a_poison_scan_stays_a_suspect_when_a_person_replays_it(duty: Any, jobs: Jobs) -> None:
    """It may kill one more worker, not five; an innocent's crashes are forgotten."""
    poison, innocent = await jobs.add("ARCHIVED", crashes=5), await jobs.add(crashes=2)
    for scan_id in (poison, innocent):
        await duty.ReplayScan(pb.ReplayScanRequest(scan_id=scan_id))
    assert [(await jobs.of(scan_id))["crashes"] for scan_id in (poison, innocent)] == [5, 0]


async def test_a_filter_replays_so_many_and_the_longest_dead_first(duty: Any, jobs: Jobs) -> None:
    """After an outage its letters are brought back in portions."""
    added = [await jobs.add(age=age) for age in (500, 400, 300)]
    await jobs.add(stage="vision")
    request = pb.ReplayDeadLettersRequest(stage="answer", max_count=2)
    assert (await duty.ReplayDeadLetters(request)).replayed_count == 2
    assert await jobs.refs("state = 'READY'") == set(added[:2])
    assert (await duty.ReplayDeadLetters(request)).replayed_count == 1
    assert (await duty.ReplayDeadLetters(request)).replayed_count == 0


async def test_two_people_who_replay_the_same_letters_replay_each_once(duty: Any, jobs: Jobs) -> None:
    """Both were woken by the same alarm."""
    for _ in range(20):
        await jobs.add()
    request = pb.ReplayDeadLettersRequest()
    replies = await asyncio.gather(*(duty.ReplayDeadLetters(request) for _ in range(4)))
    assert sum(reply.replayed_count for reply in replies) == 20
    assert len(await jobs.refs("state = 'READY' and replays = 1")) == 20


async def test_an_archived_letter_is_left_to_people(duty: Any, jobs: Jobs, letters: DeadLetters) -> None:
    """Archiving twice is harmless: the first answer may have been lost."""
    scan_id = await jobs.add()
    for _ in range(2):
        reply = await duty.ArchiveScan(pb.ArchiveScanRequest(scan_id=scan_id))
        assert (reply.dead_letter.scan_id, reply.dead_letter.state) == (scan_id, pb.DeadLetter.STATE_ARCHIVED)
    await letters.reprocess()
    assert (await jobs.of(scan_id))["state"] == "ARCHIVED"


async def test_only_a_dead_letter_can_be_archived(duty: Any, jobs: Jobs) -> None:
    """A scan at work has an end of its own coming."""
    for scan_id in (await jobs.add("READY"), await jobs.add("LEASED", worker_id=1), str(uuid.uuid4())):
        refusal = await reason(duty.ArchiveScan(pb.ArchiveScanRequest(scan_id=scan_id)))
        assert refusal == Reason.DEAD_LETTER_NOT_FOUND


async def test_fifty_letters_are_reprocessed_and_spent_ones_archived(jobs: Jobs, letters: DeadLetters) -> None:
    """A peer that has just come back must not drown in what it missed."""
    due = [await jobs.add(age=1000 - n, replays=n % 3) for n in range(53)]
    spent = {await jobs.add(age=2000, replays=replays) for replays in (3, 4)}
    others = {await jobs.add(age=3000, kind="webhook", stage="deliver"), await jobs.add("ARCHIVED", age=3000)}
    await letters.reprocess()
    assert await jobs.refs("state = 'READY' and attempt = 0 and replays between 1 and 3") == set(due[:50])
    assert await jobs.refs("state = 'DEAD'") - others == set(due[50:])
    assert await jobs.refs("state = 'ARCHIVED'") - others == spent
    assert await jobs.refs("state in ('DEAD', 'ARCHIVED') and replays = 0") >= others


async def test_scans_that_nobody_waits_for_are_reprocessed_last(jobs: Jobs, letters: DeadLetters) -> None:
    """An outage leaves ten thousand rows of one batch behind, of which fifty are replayed in five minutes."""
    rows = [await jobs.add(age=1000) for _ in range(50)]
    await jobs.database.execute("update scan.job set priority = -1 where ref = any ($1::uuid[])", rows)
    waited_for = await jobs.add(age=60)
    await letters.reprocess()
    replayed = await jobs.refs("state = 'READY'")
    assert waited_for in replayed
    assert len(replayed) == 50


_BATCH = """
insert into scan.client_job (id, user_id, payload_hash, kind, state, step, spec, locale)
values (uuidv7(), 'user', '', 'batch', $1, 'scan', '{}', 'ko') returning id
"""


async def test_rows_of_batches_that_are_over_are_archived(jobs: Jobs, letters: DeadLetters) -> None:
    """Their sheet is written: nobody would see what is paid for them."""
    rows = {}
    for state in ("QUEUED", "SUCCEEDED", "CANCELLED"):
        rows[state] = await jobs.add()
        batch = await jobs.database.fetchval(_BATCH, state)
        update = "update scan.scan set hidden = true, client_job_id = $1 where id = $2"
        await jobs.database.execute(update, batch, rows[state])
    await letters.reprocess()
    assert await jobs.refs("state = 'READY'") == {rows["QUEUED"]}
    assert await jobs.refs("state = 'ARCHIVED'") == {rows["SUCCEEDED"], rows["CANCELLED"]}


async def test_processes_that_reprocess_at_once_replay_each_letter_once(jobs: Jobs, letters: DeadLetters) -> None:
    """A clock that jumps makes the task due in two processes."""
    added = {await jobs.add() for _ in range(40)}
    await asyncio.gather(*(letters.reprocess() for _ in range(4)))
    assert await jobs.refs("state = 'READY' and replays = 1") == added


async def test_nothing_loops_for_ever(jobs: Jobs, letters: DeadLetters) -> None:
    """What fails at every replay is archived after the third."""
    scan_id, replayed = await jobs.add(), 0
    while (await jobs.of(scan_id))["state"] == "DEAD":
        await letters.reprocess()
        died = await jobs.database.execute("update scan.job set state = 'DEAD' where state = 'READY'")
        replayed += died == "UPDATE 1"
    assert replayed == 3
    assert (await jobs.of(scan_id))["state"] == "ARCHIVED"


async def test_a_letter_deleted_meanwhile_doesnt_hold_up_the_others(jobs: Jobs) -> None:
    """Its user may delete a scan while it is being replayed; the others' watchers wait for the news."""
    added, told, woken = {await jobs.add() for _ in range(3)}, set[str](), list[str]()

    async def tell(scan_id: str) -> None:
        told.add(scan_id)
        raise NotFound(Reason.SCAN_NOT_FOUND, scan_id=scan_id)

    await DeadLetters(jobs.database, tell, woken.append).reprocess()
    assert (told, woken) == (added, ["scan"])


async def test_the_queue_is_counted_by_stage_in_the_pipelines_order(duty: Any, jobs: Jobs) -> None:
    """Where it piles up says which peer to look at, and the oldest for how long already."""
    await jobs.add("READY", "answer", age=100)
    await jobs.add("READY", "answer", age=-100)
    await jobs.add("LEASED", "vision", age=900)
    await jobs.add("DEAD", "vision")
    await jobs.add("ARCHIVED", "rules")
    await jobs.add("READY", "a stage of the next release")
    for age in (30, 20):
        await jobs.add("READY", "deliver", kind="webhook", age=age)
    stats = await duty.GetQueueStats(pb.GetQueueStatsRequest())
    counted = [(one.stage, one.ready, one.in_flight, one.dead) for one in stats.stages]
    assert counted == [("vision", 0, 1, 1), ("answer", 2, 0, 0), ("a stage of the next release", 1, 0, 0)]
    assert [one.oldest_age.seconds // 100 for one in stats.stages] == [0, 1, 0]
    assert (stats.webhooks.ready, stats.webhooks.oldest_age.seconds // 10) == (2, 3)


async def test_an_empty_queue_counts_nothing(duty: Any) -> None:
    """The usual answer; zero is told, not left out."""
    stats = await duty.GetQueueStats(pb.GetQueueStatsRequest())
    assert not stats.stages
    assert (stats.webhooks.HasField("ready"), stats.webhooks.ready) == (True, 0)
