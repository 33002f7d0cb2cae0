"""Whether a lease is still good: asked of the database only when nobody can be sure any more."""

import asyncio
import time

from mesh import outages
from scan_svc.jobs.leases import Fenced, Lease
from scan_svc.jobs.queue import JobQueue
from scan_svc.pipeline.persistence import persist

_BRIEF_SECONDS = 1.0


class LeaseGuard:
    """Notices that a lease has passed to another worker.

    Args:
        queue: The job table.
        lease: The lease.
        lease_seconds: How long it is surely good without word from the database.
    """

    def __init__(self, queue: JobQueue, lease: Lease, lease_seconds: float) -> None:
        self._queue = queue
        self._lease = lease
        self._lease_seconds = lease_seconds
        # When the database was last asked and found the lease to be good. Never when it had answered: a process may be
        # frozen for long between the two.
        self._confirmed_at = lease.asked_at
        self._ask_again_at = 0.0  # not before: the database is down

    def confirm(self, asked_at: float) -> None:
        """The database took a write of this lease that was sent at this moment of the monotonic clock."""
        self._confirmed_at = max(self._confirmed_at, asked_at)

    async def check(self) -> None:
        """Before anything is paid for: a process that was frozen meanwhile may have lost the scan.

        Raises:
            Fenced: It has.
            EcoError: It can't be known now.
        """
        asked_at = time.monotonic()
        if asked_at - self._confirmed_at <= self._lease_seconds:
            return
        if not await persist(self._holds, self._lease.scan.scan_id, self._lease.stage):
            raise Fenced
        self._confirmed_at = asked_at

    async def check_briefly(self) -> None:
        """While something is being paid for: notices that the scan was lost, if the database can tell within a second.

        While it is down nobody else can have the scan, and whoever stopped now would pay once more.

        Raises:
            Fenced: It was lost.
        """
        asked_at = time.monotonic()
        if asked_at - self._confirmed_at <= self._lease_seconds or asked_at < self._ask_again_at:
            return
        try:
            async with asyncio.timeout(_BRIEF_SECONDS):
                held = await self._holds()
        except Exception as error:
            if outages.from_exception(error) is None:
                raise
            self._ask_again_at = time.monotonic() + self._lease_seconds / 4
            return
        if not held:
            raise Fenced
        self._confirmed_at = asked_at

    async def _holds(self) -> bool:
        return await self._queue.holds_lease(self._lease)
