"""Whose characters are whose, when users become one or go.

Both are for the Auth service, which calls again what it can't tell has happened, and once more when no token of the
former owner is good any longer: an evaluation that is under way at the same moment may be written afterwards.
"""

import asyncpg

from mesh.postgres import Queries


class Ownership:
    """Rewards and collections by their users.

    Args:
        pool: Connections to the database.
    """

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self._sql = Queries("character_svc")

    async def transfer(self, from_user: str, to_user: str) -> None:
        """Gives everything of a user to another one, and whatever their scans earn from now on."""
        if from_user == to_user:
            return
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.execute(self._sql["remember_move"], from_user, to_user)
            await connection.execute(self._sql["move_rewards"], from_user, to_user)
            await connection.execute(self._sql["merge_collections"], from_user, to_user)

    async def erase(self, user_id: str) -> None:
        """Removes everything of a user."""
        await self._pool.execute(self._sql["erase_user"], user_id)
