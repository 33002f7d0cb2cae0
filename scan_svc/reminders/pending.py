"""Reminders that wait, by the scan that they are about."""

from collections.abc import Awaitable, Callable
from contextlib import suppress

import asyncpg

from mesh.errors import FailedPrecondition, NotFound
from mesh.postgres import Queries


class PendingReminders:
    """The reminders of all users that haven't ended.

    Args:
        pool: Connections.
        cancel: Cancels a user's client job; raises NotFound or FailedPrecondition if it is over.
    """

    def __init__(self, pool: asyncpg.Pool, cancel: Callable[[str, str], Awaitable[object]]) -> None:
        self._pool = pool
        self._cancel = cancel
        self._sql = Queries("scan_svc.reminders")

    async def of_scan(self, user_id: str, scan_id: str) -> list[str]:
        """Ids of those about one scan, oldest first."""
        return [str(row["id"]) for row in await self._pool.fetch(self._sql["pending"], user_id, scan_id)]

    async def cancel(self, user_id: str, scan_id: str) -> None:
        """Cancels those about a scan: it was put out, or deleted.

        If this isn't reached any more the reminder finds out by itself when it is due.
        """
        for job_id in await self.of_scan(user_id, scan_id):
            with suppress(NotFound, FailedPrecondition):  # it has ended meanwhile
                await self._cancel(user_id, job_id)
