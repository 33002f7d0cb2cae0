"""The log in PostgreSQL: what is written with each change, in which order it is read, and how it ends."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from mesh.errors import EcoError, OutOfRange
from mesh.reasons import Reason
from scan_svc.events.events import Cursor, Event
from scan_svc.events.store import EventRetention, EventStore
from scan_svc.restored import resume
from tests.integration.scan.job_tables import Jobs
from tests.support.scan.scan_parts import ScanParts
from tests.support.waiting import eventually

CLAIM = "update scan.job set state = 'LEASED', token = token + 1, attempt = attempt + 1 where ref = $1"
_ABOVE = "select exists (select from scan.event where clock >= pg_snapshot_xmin(pg_current_snapshot())::text::bigint)"
RELEASE = "update scan.job set state = 'READY', token = token + 1, attempt = attempt - 1 where ref = $1"


@pytest.fixture
def store(parts: ScanParts) -> EventStore:
    """The log."""
    return EventStore(parts.pool)


@pytest.fixture
async def late(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection whose transaction stays open."""
    connection = await asyncpg.connect(database_url)
    yield connection
    connection.terminate()


async def everything(
    pool: asyncpg.Pool, after: Cursor | None = None, size: int = 100, *, settled: bool = True
) -> list[Event]:
    """All events that can be read, page by page.

    Args:
        pool: The database.
        after: From where on.
        size: Of a page.
        settled: Whether to wait until all that is committed can be read: other tests' transactions hold it back, too.
    """

    async def readable() -> bool:
        above: bool = await pool.fetchval(_ABOVE)
        return not above

    if settled:
        await eventually(readable)
    store, events = EventStore(pool), list[Event]()
    page = await store.page(after or await store.oldest(), size)
    while page.events:
        events += page.events
        page = await store.page(page.cursor, size)
    return events


def what(events: Sequence[Event], subject: str) -> list[tuple[str, str]]:
    """Types of a subject's events, and the stage of each."""
    return [
        (event.type.removeprefix("eco2."), event.data.get("stage", "")) for event in events if event.subject == subject
    ]


async def test_each_step_of_a_scan_is_an_event(parts: ScanParts) -> None:
    """From its creation to its reward, in order, and nothing else."""
    async with parts.worker().working():
        scan_id = await parts.submit()
        await parts.ended(scan_id)
    told = what(await everything(parts.pool, size=3), scan_id)
    assert told == [
        ("scan.accepted", "vision"),
        ("scan.stage.started", "vision"),
        ("scan.stage.succeeded", "vision"),
        ("scan.stage.started", "rules"),
        ("scan.stage.succeeded", "rules"),
        ("scan.stage.started", "answer"),
        ("scan.stage.succeeded", "answer"),
        ("scan.succeeded", ""),
        ("reward.accepted", "reward"),
        ("reward.stage.started", "reward"),
        ("reward.stage.succeeded", "reward"),
        ("reward.succeeded", ""),
    ]


async def test_a_transaction_that_stays_open_hides_what_follows_and_loses_nothing(
    parts: ScanParts, store: EventStore, late: asyncpg.Connection
) -> None:
    """A reader that went on past it would never see what it commits at last."""
    first = await parts.submit()
    cursor = await store.latest()
    open_one = late.transaction()
    await open_one.start()
    await late.execute(CLAIM, first)
    second = await parts.submit()
    assert await everything(parts.pool, cursor, settled=False) == []
    await open_one.commit()
    told = await everything(parts.pool, cursor)
    assert what(told, first) == [("scan.stage.started", "vision")]
    assert what(told, second) == [("scan.accepted", "vision")]


async def test_who_began_early_and_came_late_to_a_job_stands_after_whoever_had_it_meanwhile(
    parts: ScanParts, store: EventStore, late: asyncpg.Connection
) -> None:
    """By the numbers of the transactions it would stand before."""
    other, job = await parts.submit(), await parts.submit()
    cursor = await store.latest()
    open_one = late.transaction()
    await open_one.start()
    await late.execute(CLAIM, other)  # this gives it its number
    await parts.pool.execute(CLAIM, job)
    await parts.pool.execute(RELEASE, job)
    await late.execute(CLAIM, job)
    await open_one.commit()
    told = await everything(parts.pool, cursor, size=1)
    assert [name for name, _ in what(told, job)] == ["scan.stage.started", "scan.stage.released", "scan.stage.started"]
    ids = [event.id for event in told if event.subject == job]
    assert ids == sorted(ids)


async def test_concurrent_writers_leave_no_holes_and_no_disorder(parts: ScanParts, store: EventStore) -> None:
    """A reader that follows them sees every event once, and those of a job as they happened."""
    jobs = [await parts.submit() for _ in range(4)]
    seen: list[Event] = []
    cursor = await store.latest()

    async def write(number: int) -> None:
        for turn in range(40):
            async with parts.pool.acquire() as connection, connection.transaction():
                for job in sorted((jobs[number], jobs[(number + 1 + turn) % 4])):
                    await connection.execute(CLAIM if turn % 2 else RELEASE, job)

    writing = asyncio.gather(*(write(number) for number in range(4)))
    while True:
        over = writing.done()
        page = await store.page(cursor, 7)
        seen, cursor = [*seen, *page.events], page.cursor
        if over and not page.events:
            break
    await writing
    stored = await parts.pool.fetch("select id, aggregateid::text from scan.event where clock >= $1 order by id", 0)
    for job in jobs:
        kept = [row["id"] for row in stored if row["aggregateid"] == job]
        assert [event.id for event in seen if event.subject == job] == kept[1:]  # without its creation


async def test_retries_failures_and_replays_are_told_with_their_reason(parts: ScanParts) -> None:
    """What an operator looks for first."""
    jobs = Jobs(parts.pool)
    lost = await parts.submit()
    await parts.claimed()
    await parts.lose_everybody()
    dead = await jobs.add("DEAD")
    await parts.dead_letters.replay(dead)
    told = await everything(parts.pool)
    retried = next(event for event in told if event.type == "eco2.scan.stage.retried")
    assert (retried.subject, retried.data["reason"], retried.data["attempt"]) == (lost, "WORKER_GONE", 1)
    assert what(told, dead)[-1] == ("scan.replayed", "answer")


async def test_scans_without_a_job_are_told_of(parts: ScanParts, store: EventStore) -> None:
    """They wait for their photo, expire, are cancelled; or deleted, whatever they were."""
    jobs, pool = Jobs(parts.pool), parts.pool
    expired, cancelled, deleted = [await jobs.scan("AWAITING_UPLOAD") for _ in range(3)]
    await pool.execute("update scan.scan set created_at = now() - interval '1 day' where id = $1", expired)
    await parts.store.expire_uploads(3600)
    await parts.store.cancel(cancelled)
    await parts.store.delete(deleted)
    told = await everything(parts.pool)
    for scan_id, end in ((expired, "expired"), (cancelled, "cancelled"), (deleted, "deleted")):
        assert [name for name, _ in what(told, scan_id)] == ["scan.upload.awaited", f"scan.{end}"]


async def test_nothing_of_a_user_is_in_the_log(parts: ScanParts) -> None:
    """Who deletes their account leaves ids of scans behind that lead nowhere."""
    async with parts.worker().working():
        await parts.ended(await parts.submit())
    columns = [name async for name in _columns(parts.pool)]
    assert columns == ["id", "clock", "at", "aggregatetype", "aggregateid", "type", "traceparent", "payload"]
    keys = await parts.pool.fetch("select distinct jsonb_object_keys(payload) as key from scan.event")
    assert {row["key"] for row in keys} <= {"job_id", "stage", "attempt", "worker_id", "reason", "next_time"}


async def _columns(pool: asyncpg.Pool) -> AsyncIterator[str]:
    for row in await pool.fetch(
        "select attname from pg_attribute where attrelid = 'scan.event'::regclass and attnum > 0 order by attnum"
    ):
        yield row["attname"]


async def test_without_a_part_for_the_day_an_event_is_kept_all_the_same(parts: ScanParts) -> None:
    """No change of a job fails for its event; the housekeeping puts it where it belongs."""
    today = await parts.pool.fetchval("select to_char(now() at time zone 'UTC', '\"event\"_YYYY_MM_DD')")
    await parts.pool.execute(f"drop table scan.{today}")
    scan_id = await parts.submit()
    assert await parts.pool.fetchval("select count(*) from scan.event_default") == 1
    await EventRetention(parts.pool, 30).turn_days()
    assert await parts.pool.fetchval("select count(*) from scan.event_default") == 0
    assert await parts.pool.fetchval(f"select count(*) from scan.{today}") == 1
    assert what(await everything(parts.pool), scan_id) == [("scan.accepted", "vision")]


async def test_a_day_past_the_retention_is_dropped_and_its_cursors_are_refused(
    parts: ScanParts, store: EventStore
) -> None:
    """With the cursor from which on a reader misses nothing that is still there."""
    beginning = await store.oldest()
    await parts.submit()
    before = await store.latest()
    await parts.submit()
    last = await store.latest()
    await EventRetention(parts.pool, -2).turn_days()
    for cursor in (before, beginning):
        with pytest.raises(OutOfRange) as caught:
            await store.page(cursor, 10)
        assert caught.value.reason is Reason.EVENTS_DROPPED
        assert Cursor.parse(caught.value.metadata["oldest_cursor"]) == await store.oldest()
    await EventRetention(parts.pool, 30).turn_days()
    scan_id = await parts.submit()
    for cursor in (last, await store.oldest()):
        assert what(await everything(parts.pool, cursor), scan_id) == [("scan.accepted", "vision")]


async def test_a_cursor_from_the_future_is_refused(parts: ScanParts, store: EventStore) -> None:
    """It would wait for events that others have had long ago."""
    latest = await store.latest()
    for ahead in (
        Cursor(latest.log, latest.clock + 1_000_000, 1, datetime.now(UTC)),
        Cursor(latest.log + 1, 1, 1, datetime.now(UTC)),
    ):
        with pytest.raises(OutOfRange) as caught:
            await store.page(ahead, 10)
        assert caught.value.reason is Reason.EVENTS_AHEAD


async def test_a_restored_database_begins_another_log(parts: ScanParts, store: EventStore, database_url: str) -> None:
    """What is kept stays readable, whatever the server counted before; ids of lost events never come again."""
    scan_id = await parts.submit()
    former = await store.latest()
    await parts.pool.execute("update scan.event set clock = clock + 1000000000")  # as a dump of a busier server has it
    await resume(database_url)
    with pytest.raises(OutOfRange) as caught:
        await store.page(former, 10)
    assert caught.value.reason is Reason.EVENTS_DROPPED
    following = await parts.submit()
    told = await everything(parts.pool)
    assert what(told, scan_id) == what(told, following) == [("scan.accepted", "vision")]
    assert told[-1].id > 1_000_000_000_000_000


@pytest.mark.parametrize(
    "text", ["", "x", "1-2-3", "1-2-3-4-5", "1-2-3-x", "1-2-3-999999999999999999", "١-٢-٣-٤", "-1-2-3"]
)
def test_what_is_no_cursor_is_refused(text: str) -> None:
    """With the field's name."""
    with pytest.raises(EcoError) as caught:
        Cursor.parse(text)
    assert caught.value.reason is Reason.INVALID_FIELD
    assert [violation.field for violation in caught.value.violations] == ["cursor"]


def test_a_cursor_is_read_as_it_was_written() -> None:
    """To the microsecond."""
    cursor = Cursor(1, 740, 12, datetime(2026, 11, 30, 4, 0, 0, 123456, tzinfo=UTC) + timedelta(microseconds=1))
    assert Cursor.parse(str(cursor)) == cursor
