"""Departures in PostgreSQL.

Whoever works on one holds it by moving its `run_at`: should they die, it is due again then. Both that and working on it
twice do no harm, since the services' calls are idempotent.
"""

from datetime import datetime, timedelta

import asyncpg

from auth_svc.departures.departures import Departure
from mesh.postgres import Queries


class DepartureStore:
    """The departures that aren't over.

    Args:
        pool: Connections to the database.
        tokens: How long an access token of somebody who is gone may still be good; then it is worked on once more.
        lease: How long whoever works on one may take.
    """

    def __init__(self, pool: asyncpg.Pool, tokens: timedelta, lease: timedelta) -> None:
        self._pool = pool
        self._sql = Queries("auth_svc.departures")
        self._tokens = tokens
        self._lease = lease

    async def close(self, user_id: str) -> tuple[datetime, datetime]:
        """Closes a user's account: its sessions and identities are gone, and its data is to be erased.

        Returns:
            When, and until when an access token may still be good.
        """
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.execute(self._sql["remove_account"], user_id)
            await connection.execute(self._sql["erase_departed_into"], user_id)
            closed: datetime = await connection.fetchval(self._sql["depart"], user_id)
        return closed, closed + self._tokens

    async def claim(self, count: int) -> list[Departure]:
        """Takes up to `count` that are due."""
        rows = await self._pool.fetch(self._sql["claim_departures"], count, self._lease)
        return [Departure(*row) for row in rows]

    async def settle(self, departure: Departure) -> None:
        """All data has followed: the departure is over, unless a token may be good; then it is due when none is."""
        await self._pool.execute(self._sql["settle_departure"], departure.user_id, departure.to_user, self._tokens)

    async def put_off(self, departure: Departure, pause: float, *, in_vain: bool) -> None:
        """Some data hasn't followed: it is due again in `pause` seconds."""
        await self._pool.execute(self._sql["put_off_departure"], departure.user_id, pause, in_vain)
