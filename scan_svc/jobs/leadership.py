"""What one process of all does as long as it can; another one takes over when it can't any more."""

from datetime import datetime

import asyncpg

from mesh.postgres import Queries


class Leadership:
    """A lease on one task, in the table of periodic tasks. No session holds it, so it works through a pooler, too.

    Args:
        pool: Connections.
        task: Tells it apart in the database.
        lease_seconds: How long after it was heard of last another process may take over.
    """

    def __init__(self, pool: asyncpg.Pool, task: str, lease_seconds: float) -> None:
        self._pool = pool
        self._sql = Queries("scan_svc.jobs")
        self._task = task
        self._lease_seconds = lease_seconds
        # When its lease ends, to the microsecond as the database wrote it: nobody else has that very moment.
        self._until: datetime | None = None

    async def held(self) -> bool:
        """Whether this process leads, from now on for a lease."""
        self._until = await self._pool.fetchval(self._sql["lead"], self._task, self._lease_seconds, self._until)
        return self._until is not None

    async def stand_down(self) -> None:
        """Lets another process lead at once."""
        if self._until is not None:
            await self._pool.execute(self._sql["stand_down"], self._task, self._until)
            self._until = None
