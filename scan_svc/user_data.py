"""All that is kept of a user: it becomes another one's, or goes. Auth decides, and calls until it is done."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

from mesh.errors import NotFound
from scan_svc.client_jobs.service import ClientJobs
from scan_svc.exports.service import Exports
from scan_svc.ownership import Ownership
from scan_svc.progress.owners import Owners
from scan_svc.reminders.calendar_store import CalendarStore
from scan_svc.reminders.subscription_store import SubscriptionStore

# Scans that one call removes, and how many at once: each is a request to storage.
_MOST = 400
_AT_ONCE = 8


class UserData:
    """The data of one user at a time.

    Args:
        ownership: What is whose.
        owners: Whose what is read is.
        exports: Files of all that is kept of users.
        calendars: What their apps have subscribed to.
        subscriptions: Where they are reminded.
        jobs: Their client jobs.
        delete: Removes a user's scan with its photo; raises NotFound if it is gone.
    """

    def __init__(
        self,
        ownership: Ownership,
        owners: Owners,
        exports: Exports,
        calendars: CalendarStore,
        subscriptions: SubscriptionStore,
        jobs: ClientJobs,
        delete: Callable[[str, str], Awaitable[None]],
    ) -> None:
        self._ownership = ownership
        self._owners = owners
        self._exports = exports
        self._calendars = calendars
        self._subscriptions = subscriptions
        self._jobs = jobs
        self._delete = delete

    async def transfer(self, from_user: str, to_user: str) -> bool:
        """Gives everything of a user to another one, but for exports; False if some of it is left for another call."""
        await self._exports.erase(from_user)
        if from_user != to_user:
            await self._calendars.move(from_user, to_user)
            await self._subscriptions.move(from_user, to_user)
            await self._jobs.transfer(from_user, to_user)
        done = await self._ownership.transfer(from_user, to_user)
        self._owners.moved(from_user, to_user)
        return done

    async def erase(self, user_id: str) -> bool:
        """Removes a user's scans as the user could, then what is kept beside them; False if scans are left.

        Raises:
            Unavailable: A store is down; what is removed stays so.
        """
        await self._jobs.erase(user_id)  # first, so that nothing makes scans for them any more
        scan_ids = await self._ownership.oldest(user_id, _MOST)
        for first in range(0, len(scan_ids), _AT_ONCE):
            await asyncio.gather(*(self._remove(user_id, one) for one in scan_ids[first : first + _AT_ONCE]))
        if len(scan_ids) == _MOST:
            return False
        await self._exports.erase(user_id)
        await self._calendars.remove(user_id)
        await self._subscriptions.erase(user_id)
        await self._ownership.forget(user_id)
        return True

    async def _remove(self, user_id: str, scan_id: str) -> None:
        with suppress(NotFound):  # removed by the user meanwhile
            await self._delete(user_id, scan_id)
