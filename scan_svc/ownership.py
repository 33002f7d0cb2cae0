"""Whose scans are whose, when users become one or go; in PostgreSQL.

Scans in flight are moved as they are: what their workers write later goes by the scan, not by its user.
"""

from collections.abc import Sequence

import asyncpg

from mesh.postgres import Queries

# Scans in one statement, and such statements in one call: few, so that nobody waits behind it.
_BATCH = 500
_BATCHES = 20


class Ownership:
    """Scans and what else is kept by user.

    Args:
        pool: Connections.
        batch: How many scans change hands in one statement.
    """

    def __init__(self, pool: asyncpg.Pool, batch: int = _BATCH) -> None:
        self._pool = pool
        self._sql = Queries("scan_svc")
        self._batch = batch

    async def transfer(self, from_user: str, to_user: str) -> bool:
        """Gives everything of a user to another one; False if some of it is left for another call."""
        if from_user == to_user:
            return True
        await self._pool.execute(self._sql["move_belongings"], from_user, to_user)
        for _ in range(_BATCHES):
            moved: int = await self._pool.fetchval(self._sql["move_scans"], from_user, to_user, self._batch)
            if moved < self._batch:
                break
        if await self._pool.fetchval(self._sql["owns_scans"], from_user):
            return False
        await self._pool.execute(self._sql["forget_endpoints_of"], from_user)
        return True

    async def oldest(self, user_id: str, count: int) -> Sequence[str]:
        """The ids of a user's oldest scans."""
        return [str(row["id"]) for row in await self._pool.fetch(self._sql["oldest_scans"], user_id, count)]

    async def forget(self, user_id: str) -> None:
        """Removes what is left of a user without scans; what models have cost stays, as nobody's."""
        await self._pool.execute(self._sql["forget_user"], user_id)
