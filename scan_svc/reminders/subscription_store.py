"""Subscriptions in PostgreSQL."""

from collections.abc import Sequence

import asyncpg

from mesh.errors import NotFound, ResourceExhausted
from mesh.postgres import Queries
from mesh.reasons import Reason
from scan_svc.reminders.subscriptions import MOST, Channel, NewSubscription, PushKeys, Subscription


class SubscriptionStore:
    """The subscriptions of all users.

    Args:
        pool: Connections.
    """

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self._sql = Queries("scan_svc.reminders")

    async def put(self, user_id: str, wanted: NewSubscription) -> Subscription:
        """Keeps a subscription; of an address that the user has already, with the new keys.

        Raises:
            ResourceExhausted: The user has as many as one may.
        """
        keys = wanted.keys
        async with self._pool.acquire() as connection, connection.transaction():
            # Two at once would both be the last one that there is room for.
            await connection.execute(self._sql["lock_subscriber"], user_id)
            row = await connection.fetchrow(
                self._sql["put_subscription"], user_id, wanted.channel, wanted.address,
                keys.receiver if keys else b"", keys.auth if keys else b"", MOST,
            )  # fmt: skip
            if row is None:
                raise ResourceExhausted(Reason.SUBSCRIPTION_LIMIT, most=str(MOST))
            if wanted.channel is Channel.PUSH:
                await connection.execute(self._sql["take_endpoint_over"], user_id, wanted.address)
        return _subscription(row)

    async def of_user(self, user_id: str) -> list[Subscription]:
        """A user's subscriptions, oldest first."""
        return [_subscription(row) for row in await self._pool.fetch(self._sql["subscriptions_of"], user_id)]

    async def remove(self, user_id: str, subscription_id: str) -> None:
        """Ends a subscription.

        Raises:
            NotFound: The user has no such subscription.
        """
        if not await self._removed(user_id, [subscription_id]):
            raise NotFound(Reason.SUBSCRIPTION_NOT_FOUND, subscription_id=subscription_id)

    async def forget(self, user_id: str, subscription_id: str) -> None:
        """Ends a subscription whose receiver says that it is over, if it is there."""
        await self._removed(user_id, [subscription_id])

    async def move(self, from_user: str, to_user: str) -> None:
        """Gives a user's subscriptions to another one, as far as there is room; the newest first."""
        await self._pool.execute(self._sql["move_subscriptions"], from_user, to_user, MOST)

    async def erase(self, user_id: str) -> None:
        """Ends all subscriptions of a user."""
        await self._removed(user_id, [one.subscription_id for one in await self.of_user(user_id)])

    async def _removed(self, user_id: str, subscription_ids: Sequence[str]) -> bool:
        async with self._pool.acquire() as connection, connection.transaction():
            gone = await connection.fetch(self._sql["remove_subscriptions"], user_id, subscription_ids)
            for row in gone:
                if row["channel"] == Channel.WEBHOOK:
                    for query in ("lock_webhook", "forget_webhook"):
                        await connection.execute(self._sql[query], user_id, row["address"])
        return bool(gone)


def _subscription(row: asyncpg.Record) -> Subscription:
    keys = PushKeys(row["receiver"], row["auth"]) if row["receiver"] else None
    wanted = NewSubscription(Channel(row["channel"]), row["address"], keys)
    return Subscription(str(row["id"]), row["user_id"], wanted, row["created_at"])
