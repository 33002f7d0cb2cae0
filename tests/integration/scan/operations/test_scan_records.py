"""Scans as operators find them, however many there are, and what one of them went through."""

import json
import re
import uuid
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import grpc
import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from eco2.errors.v1.error_reason_pb2 import ErrorReason
from eco2.scan.v1 import operations_service_pb2 as pb
from eco2.scan.v1.scan_pb2 import Scan
from eco2.scan.v1.scan_timeline_pb2 import StageAttempt
from mesh.errors import Unavailable
from mesh.reasons import Reason
from scan_svc.jobs.workers import WorkerRegistry
from scan_svc.operations.scan_records import ScanFilter, ScanRecords
from scan_svc.scans import State
from tests.integration.scan.client import Client, reason
from tests.integration.scan.job_tables import Jobs
from tests.support.scan.peer_servicers import Peers

# As many as anybody looks through in vain: 12,000 scans of two users in two days, every thousandth cancelled.
_MANY = """
insert into scan.scan (id, user_id, payload_hash, state, version, image_url, object_key, content_type, size_bytes,
                       sha256, user_input, region, locale, step, stages, created_at, started_at, finished_at)
select uuidv7(-age), case when n % 2 = 0 then 'user' else 'other' end, '',
       case when n % 1000 = 0 then 'CANCELLED' else 'SUCCEEDED' end, 1, '', '', '', 0, '', '', '', 'ko', 'done',
       '[]', now() - age, now() - age, now() - age + n * interval '1 millisecond'
from (select n, n * interval '14 seconds' as age from generate_series(1, 12000) n) as given
"""


async def found(duty: Any, **wanted: Any) -> list[str]:
    """Ids of the scans that a filter means."""
    return [scan.scan_id for scan in (await duty.SearchScans(pb.SearchScansRequest(**wanted))).scans]


async def test_scans_are_found_by_user_state_and_time(duty: Any, jobs: Jobs) -> None:
    """Newest first; a scan that somebody complains about leads to all of theirs without telling whose they are."""
    old = await jobs.scan(days=3, user="somebody-1")
    failed = await jobs.add("DEAD", days=2)
    running = await jobs.add("LEASED", worker_id=7, days=1)
    new = await jobs.scan("CANCELLED", user="somebody-1")
    assert await found(duty) == [new, running, failed, old]
    assert await found(duty, user_id="somebody-1") == [new, old]
    assert await found(duty, same_user_as=old.upper()) == [new, old]
    assert await found(duty, state=Scan.STATE_RUNNING) == [running]
    assert await found(duty, state=Scan.STATE_FAILED) == [failed]
    assert await found(duty, state=Scan.STATE_CANCELLED, user_id="somebody-1") == [new]
    now = datetime.now(UTC)
    assert await found(duty, until_time=now - timedelta(hours=36)) == [failed, old]
    assert await found(duty, from_time=now - timedelta(hours=60), until_time=now - timedelta(hours=12)) == [
        running,
        failed,
    ]
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await found(duty, same_user_as=str(uuid.uuid4()))
    assert reason(refused.value) == Reason.SCAN_NOT_FOUND


async def test_a_time_that_cannot_be_is_refused_by_its_field(duty: Any) -> None:
    """A certificate calls by gRPC, whose reader takes any number of seconds."""
    beyond = Timestamp(seconds=10**15)
    for call in (
        duty.SearchScans(pb.SearchScansRequest(until_time=beyond)),
        duty.ListSlowestScans(pb.ListSlowestScansRequest(until_time=beyond)),
    ):
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await call
        assert reason(refused.value) == Reason.INVALID_FIELD
        assert "until_time" in str(refused.value.details())


async def test_a_user_that_cannot_be_is_refused_by_its_field(duty: Any) -> None:
    """The database's texts hold no NUL."""
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await duty.SearchScans(pb.SearchScansRequest(user_id="mina\0"))
    assert reason(refused.value) == Reason.INVALID_FIELD


async def test_a_scan_tells_how_it_is_getting_on_and_not_whose_it_is(duty: Any, jobs: Jobs) -> None:
    """Of a user there is what logs have, too; ids go in and never come out."""
    scan_id = await jobs.add("DEAD", "answer", days=0)
    other = await jobs.scan(user="somebody-1")
    reply = await duty.SearchScans(pb.SearchScansRequest())
    scan = next(scan for scan in reply.scans if scan.scan_id == scan_id)
    assert (scan.state, scan.stage, scan.attempts) == (Scan.STATE_FAILED, "answer", 3)
    assert scan.reason == ErrorReason.ERROR_REASON_UNAVAILABLE
    assert re.fullmatch("u-[0-9a-f]{16}", scan.user)
    assert b"somebody-1" not in reply.SerializeToString()
    assert scan.user != next(scan.user for scan in reply.scans if scan.scan_id == other)


async def test_pages_neither_skip_nor_repeat(duty: Any, jobs: Jobs) -> None:
    """Also where the token is all that the next page has."""
    added = [await jobs.scan() for _ in range(5)]
    seen, token = list[str](), ""
    while True:
        page = await duty.SearchScans(pb.SearchScansRequest(page_size=2, page_token=token))
        seen += [scan.scan_id for scan in page.scans]
        if not (token := page.next_page_token):
            break
    assert seen == added[::-1]
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await found(duty, page_token="made up")
    assert reason(refused.value) == Reason.INVALID_PAGE_TOKEN


async def test_a_page_looks_so_far_and_the_next_one_goes_on_from_there(jobs: Jobs) -> None:
    """What is rare may be on no page for a while; nothing of it is lost, and each page says how far it looked."""
    rare = [await jobs.scan("EXPIRED" if number in (1, 8) else "SUCCEEDED") for number in range(10)]
    records = ScanRecords(jobs.database, looked_at=3)
    seen, after, pages, reached = list[str](), None, 0, list[datetime]()
    while True:
        scans, page = await records.search(ScanFilter(state=State.EXPIRED), after, 5)
        seen, pages, after = [*seen, *(scan.scan_id for scan in scans)], pages + 1, page.following
        if after is None:
            break
        assert page.reached is not None
        reached.append(page.reached)
    assert seen == [rare[8], rare[1]]
    assert pages == 4
    assert reached == sorted(reached, reverse=True)


def scanned(plan: Mapping[str, Any]) -> Iterator[tuple[str, int]]:
    """Of each table that a plan reads, its name and how many rows it looked at."""
    if "Relation Name" in plan:
        rows = (
            plan["Actual Rows"] + plan.get("Rows Removed by Filter", 0) + plan.get("Rows Removed by Index Recheck", 0)
        )
        yield plan["Relation Name"], round(rows * plan["Actual Loops"])
    for part in plan.get("Plans", ()):
        yield from scanned(part)


async def test_no_search_reads_more_than_it_may(jobs: Jobs) -> None:
    """By PostgreSQL's own account, of 12,000 scans: what it looks at doesn't grow with what there is."""
    most, database = 500, jobs.database
    await database.execute(_MANY)
    for _ in range(20):
        await jobs.add("DEAD")
    await database.execute("analyze scan.scan, scan.job")
    records, first, last = ScanRecords(database)._sql, uuid.UUID(int=0), uuid.UUID(int=(1 << 128) - 1)
    searches = {
        "scans_by_time": (last, first, "CANCELLED", 51, most),
        "scans_of_user": (last, first, "CANCELLED", 51, most, "user"),
        "scans_with_jobs": (last, first, "RUNNING", 51, most),
        "slowest_scans": (last, first, 50, most),
    }
    for name, arguments in searches.items():
        text = await database.fetchval(f"explain (analyze, format json) {records[name]}", *arguments)
        plan = json.loads(text)[0]["Plan"]
        # One that another user has made lies beside each of this one's, if it goes by time.
        assert all(rows <= 2 * most for _, rows in scanned(plan)), (name, plan)
        assert any(table == "scan" for table, _ in scanned(plan)), name


async def test_the_slowest_come_first(duty: Any, jobs: Jobs) -> None:
    """Of those that have ended, in the time that is asked for."""
    await jobs.database.execute(_MANY.replace("12000", "30").replace("14 seconds", "1 hour"))
    await jobs.scan("QUEUED")
    reply = await duty.ListSlowestScans(pb.ListSlowestScansRequest(page_size=3))
    assert [round(scan.duration.ToMilliseconds()) for scan in reply.scans] == [30, 29, 28]
    recent = pb.ListSlowestScansRequest(page_size=1)
    recent.from_time.FromDatetime(datetime.now(UTC) - timedelta(hours=10.5))
    assert [scan.duration.ToMilliseconds() for scan in (await duty.ListSlowestScans(recent)).scans] == [10]


async def test_a_timeline_tells_every_try(client: Client, peers: Peers) -> None:
    """Which stage, which worker, how long, why not, for how much; and the trace in which more is told."""
    peers.usage = {"model": "gpt", "input_tokens": 9, "output_tokens": 1, "cost_micro_usd": 420, "calls": 1}
    failures = [Unavailable(Reason.UNAVAILABLE, peer="model", cost_micro_usd=7, calls=1)]

    async def fail_once() -> None:
        if failures:
            raise failures.pop()

    peers.before = {"ComposeAnswer": fail_once}
    scan_id = await client.started()
    await client.finished(scan_id)
    reply = await client.operations.GetScanTimeline(pb.GetScanTimelineRequest(scan_id=scan_id.upper()))
    timeline = reply.timeline
    failed = next(one for one in timeline.attempts if one.outcome == StageAttempt.OUTCOME_FAILED)
    done = {one.stage: one for one in timeline.attempts if one.outcome == StageAttempt.OUTCOME_SUCCEEDED}
    assert {"vision", "rules", "answer"} <= set(done)
    assert (failed.stage, failed.attempt, failed.usage.cost_micro_usd) == ("answer", 1, 7)
    assert (done["answer"].attempt, done["answer"].usage.cost_micro_usd) == (2, 427)
    assert failed.error.details
    assert failed.worker_id == done["vision"].worker_id == done["answer"].worker_id > 0
    assert list(timeline.attempts).index(failed) < list(timeline.attempts).index(done["answer"])
    assert [one.end_time.ToNanoseconds() for one in timeline.attempts] == sorted(
        one.end_time.ToNanoseconds() for one in timeline.attempts
    )
    assert (timeline.scan.state, timeline.scan.cost_micro_usd) == (Scan.STATE_SUCCEEDED, 847)
    assert re.fullmatch("[0-9a-f]{32}", timeline.trace_id)
    assert not reply.HasField("dead_letter")


async def test_a_timeline_tells_of_workers_that_were_lost_and_of_the_end(duty: Any, jobs: Jobs) -> None:
    """What has crashed five workers is a dead letter; its tries say which workers."""
    scan_id = await jobs.add("LEASED", "vision", worker_id=41, crashes=4)
    await WorkerRegistry(jobs.database).rescue_orphans(15)
    reply = await duty.GetScanTimeline(pb.GetScanTimelineRequest(scan_id=scan_id))
    (lost,) = reply.timeline.attempts
    assert (lost.stage, lost.worker_id, lost.outcome) == ("vision", 41, StageAttempt.OUTCOME_LOST)
    assert not lost.HasField("error")
    assert reply.dead_letter.state == pb.DeadLetter.STATE_ARCHIVED
    await jobs.database.execute("delete from scan.scan")
    assert await jobs.database.fetchval("select count(*) from scan.failed_attempt") == 0
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await duty.GetScanTimeline(pb.GetScanTimelineRequest(scan_id=scan_id))
    assert reason(refused.value) == Reason.SCAN_NOT_FOUND
