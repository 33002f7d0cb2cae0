"""What users do with their subscriptions."""

from collections.abc import Sequence

from mesh.errors import FailedPrecondition
from mesh.reasons import Reason
from scan_svc.reminders.subscription_store import SubscriptionStore
from scan_svc.reminders.subscriptions import Channel, NewSubscription, Subscription
from scan_svc.reminders.vapid import PushKey
from scan_svc.webhooks.store import WebhookStore


class Subscriptions:
    """The subscriptions of one user at a time.

    Args:
        store: PostgreSQL.
        webhooks: Have the secrets of addresses.
        key: By which push services know us; None: nobody is reminded by push.
    """

    def __init__(self, store: SubscriptionStore, webhooks: WebhookStore, key: PushKey | None) -> None:
        self._store = store
        self._webhooks = webhooks
        self._key = key

    def push_key(self) -> str:
        """What a browser subscribes with.

        Raises:
            FailedPrecondition: There is none.
        """
        if self._key is None:
            raise FailedPrecondition(Reason.PUSH_OFF)
        return self._key.public_key

    async def add(self, user_id: str, wanted: NewSubscription) -> tuple[Subscription, str]:
        """Adds a subscription, or gives an earlier one of the same address new keys.

        Returns:
            The subscription, and what its webhooks are signed with; empty of a browser's.

        Raises:
            FailedPrecondition: There is no push here.
            ResourceExhausted: The user has as many as one may.
        """
        if wanted.channel is Channel.PUSH:
            self.push_key()
        subscription = await self._store.put(user_id, wanted)
        if wanted.channel is Channel.PUSH:
            return subscription, ""
        # After the subscription, or housekeeping could take the secret of an address that nobody uses yet.
        return subscription, await self._webhooks.secret(user_id, wanted.address)

    async def of_user(self, user_id: str) -> Sequence[Subscription]:
        """A user's subscriptions, oldest first."""
        return await self._store.of_user(user_id)

    async def end(self, user_id: str, subscription_id: str) -> None:
        """Ends a subscription.

        Raises:
            NotFound: The user has no such subscription.
        """
        await self._store.remove(user_id, subscription_id)
