"""Calendars in PostgreSQL."""

import asyncpg

from mesh.locale import Locale
from mesh.postgres import Queries
from scan_svc.reminders.calendars import Calendar


class CalendarStore:
    """The calendars of all users, one each.

    Args:
        pool: Connections.
    """

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self._sql = Queries("scan_svc.reminders")

    async def put(self, user_id: str, digest: bytes, region: str, building: str, locale: Locale) -> Calendar:
        """Gives a user a calendar, in place of the one they had."""
        row = await self._pool.fetchrow(self._sql["put_calendar"], user_id, digest, region, building, locale)
        assert row is not None  # it is written in any case
        return _calendar(row)

    async def find(self, digest: bytes) -> Calendar | None:
        """The calendar of an address."""
        row = await self._pool.fetchrow(self._sql["find_calendar"], digest)
        return _calendar(row) if row else None

    async def remove(self, user_id: str) -> None:
        """Ends a user's calendar, if they have one."""
        await self._pool.execute(self._sql["remove_calendar"], user_id)

    async def move(self, from_user: str, to_user: str) -> None:
        """Gives a user's calendar to another one; who has one already keeps that, and the first one's ends."""
        await self._pool.execute(self._sql["move_calendar"], from_user, to_user)


def _calendar(row: asyncpg.Record) -> Calendar:
    calendar_id, user_id, region, building, locale, created_at = row
    return Calendar(str(calendar_id), user_id, region, building, Locale(locale), created_at)
