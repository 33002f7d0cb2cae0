"""The event log in PostgreSQL: pages of it, and its days.

Read on the primary, a page a statement: no transaction stays open between two pages, so PgBouncer may lie between.
"""

import uuid
from datetime import UTC, datetime

import asyncpg
import msgspec
import structlog

from mesh.errors import OutOfRange
from mesh.postgres import Queries
from mesh.reasons import Reason
from scan_svc.events.events import Cursor, Event, Page

_log = structlog.get_logger("events")

_BEGINNING = datetime(1970, 1, 3, tzinfo=UTC)


class EventStore:
    """The events of all jobs.

    Args:
        pool: Connections to the primary.
    """

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self._sql = Queries("scan_svc.events")

    async def oldest(self) -> Cursor:
        """Before the first event that is kept."""
        return _oldest(await self._ends())

    async def latest(self) -> Cursor:
        """After the last event that can be read."""
        row = await self._ends()
        if row["id"] is None:
            return _oldest(row)
        return max(_oldest(row), Cursor(row["log"], row["clock"], row["id"], row["at"]))

    async def page(self, after: Cursor, size: int) -> Page:
        """Up to `size` events that follow a place.

        Raises:
            OutOfRange: What follows isn't kept any more, or the place lies beyond the log's end.
        """
        rows = await self._pool.fetch(self._sql["page"], after.clock, after.id, after.at, size)
        oldest = _oldest(rows[0])
        if after.log > oldest.log or (after.log == oldest.log and after.clock >= rows[0]["bound"]):
            raise OutOfRange(Reason.EVENTS_AHEAD, cursor=after, oldest_cursor=oldest)
        if after < oldest:
            raise OutOfRange(Reason.EVENTS_DROPPED, cursor=after, oldest_cursor=oldest)
        events = [_event(row) for row in rows if row["id"] is not None]
        return Page(events, events[-1].cursor if events else after)

    async def about(self, subject: str, after_id: int, size: int) -> list[Event]:
        """Up to `size` events about a scan or a job, after the one with an id."""
        rows = await self._pool.fetch(self._sql["of_subject"], uuid.UUID(subject), after_id, size)
        return [_event(row) for row in rows]

    async def _ends(self) -> asyncpg.Record:
        row = await self._pool.fetchrow(self._sql["ends"])
        assert row is not None  # the migration wrote it
        return row


class EventRetention:
    """How long events are kept: whole days are made ahead, and dropped.

    Args:
        pool: Connections.
        days: How long they are kept at least; a day longer at most.
    """

    def __init__(self, pool: asyncpg.Pool, days: int) -> None:
        self._pool = pool
        self._sql = Queries("scan_svc.events")
        self._days = days

    async def turn_days(self) -> None:
        """Makes the next days and drops those that are past the retention; when somebody is in the way, next time."""
        try:
            await self._pool.execute(self._sql["make_days"])
            dropped = [name for (name,) in await self._pool.fetch(self._sql["drop_days"], self._days)]
        except asyncpg.LockNotAvailableError:
            _log.info("days of events not turned yet: they are being read")
            return
        if dropped:
            _log.info("days of events dropped", tables=dropped)


def _oldest(row: asyncpg.Record) -> Cursor:
    return Cursor(row["log"], row["dropped_clock"], row["dropped_id"], _BEGINNING)


def _event(row: asyncpg.Record) -> Event:
    return Event(
        id=row["id"],
        type=row["type"],
        kind=row["aggregatetype"],
        subject=str(row["aggregateid"]),
        at=row["at"],
        traceparent=row["traceparent"] or "",
        data=msgspec.json.decode(row["payload"]),
        cursor=Cursor(row["log"], row["clock"], row["id"], row["at"]),
    )
