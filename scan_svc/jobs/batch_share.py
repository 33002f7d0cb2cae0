"""What batch scans get of a worker: what is left, and when they have waited for long a share for certain.

Interactive scans are taken first. So that batch scans aren't left for good under a steady stream of those, every fourth
scan that a worker takes may be a batch scan which has waited for `ECO2_BATCH_AGING_SECONDS`, the oldest first. With B
such scans before it, one is taken after at most 4 (B + 1) scans that a worker takes. And so that an interactive scan
finds room at once, batch scans never have the last quarter of a worker's places.
"""

from collections.abc import Collection

from scan_svc.admission import BATCH_SHARE
from scan_svc.jobs.leases import Lease
from scan_svc.jobs.queue import JobQueue
from scan_svc.scans import Priority

# What is left over of a share is kept for the next claim, less than one scan: or two claims of one scan each would both
# take an aged one, after a time in which none waited.
_MOST_LEFT_OVER = 0.99


class BatchShare:
    """Claims scans for one worker, batch scans within their share.

    Args:
        queue: The scan jobs.
        most: Batch scans that may be at work at once.
    """

    def __init__(self, queue: JobQueue, most: int) -> None:
        self._queue = queue
        self._most = most
        self._at_work = 0
        self._left_over = 0.0
        self._held_back = False

    @property
    def held_back(self) -> bool:
        """Whether batch scans were left out of the last claim for want of room."""
        return self._held_back

    def begin(self, lease: Lease) -> None:
        """A scan is at work."""
        self._at_work += lease.batch

    def end(self, lease: Lease) -> None:
        """It has ended."""
        self._at_work -= lease.batch

    async def claim(self, worker_id: int, count: int, full: Collection[str] = ()) -> list[Lease]:
        """Takes up to `count` scans, as `JobQueue.claim` does."""
        room = max(0, self._most - self._at_work)
        aged = min(int(self._left_over + count * BATCH_SHARE), room)
        least = Priority.BATCH if room >= count else Priority.INTERACTIVE
        leases = await self._queue.claim(worker_id, count, full, aged=aged, least=least)
        batch = sum(lease.batch for lease in leases)
        left = min(count - len(leases), room - batch)
        self._held_back = least is not Priority.BATCH and left <= 0 < count - len(leases)
        if least is not Priority.BATCH and left > 0:
            leases += await self._rest(worker_id, left, full)
        left_over = self._left_over + len(leases) * BATCH_SHARE - min(aged, batch)
        self._left_over = max(0.0, min(_MOST_LEFT_OVER, left_over))
        return leases

    async def _rest(self, worker_id: int, count: int, full: Collection[str]) -> list[Lease]:
        """As many as batch scans have room for; none if that can't be asked, since what was taken before is at hand."""
        try:
            return await self._queue.claim(worker_id, count, full)
        except Exception:  # those that were taken although the answer was lost are reconciled
            return []
