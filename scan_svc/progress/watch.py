"""One watcher of a scan: what waits for it, what it has seen, and until when it waits for more."""

import asyncio
import math
import time

from mesh.errors import NotFound
from mesh.reasons import Reason
from scan_svc.progress.snapshots import REWARD_SECONDS, Snapshot


class Mailbox:
    """The latest state that one watcher hasn't seen. It waits once at a time."""

    __slots__ = ("_waiting", "_woken", "gone", "latest")

    def __init__(self) -> None:
        self.latest: Snapshot | None = None
        self.gone = False
        self._woken = False
        self._waiting: asyncio.Future[None] | None = None

    def offer(self, scan: Snapshot) -> None:
        """Puts a state in; the watcher wakes if it is newer than what is there."""
        if self.latest is None or scan.version > self.latest.version:
            self.latest = scan
            self.wake()

    def close(self) -> None:
        """The scan was deleted."""
        self.gone = True
        self.wake()

    def wake(self) -> None:
        """Wakes the watcher, whatever there is."""
        self._woken = True
        self._release()

    async def woken(self, seconds: float) -> bool:
        """Whether something came, now or in so many seconds."""
        if not self._woken:
            loop = asyncio.get_running_loop()
            self._waiting = loop.create_future()
            # A timer and a future: asyncio.Event under a timeout costs twice as much, for every event of every watch.
            timer = loop.call_later(seconds, self._release)
            try:
                await self._waiting
            finally:
                timer.cancel()
                self._waiting = None
        woken, self._woken = self._woken, False
        return woken

    def _release(self) -> None:
        if self._waiting and not self._waiting.done():
            self._waiting.set_result(None)


class Watch:
    """What one watcher has seen of its scan.

    Args:
        mailbox: Where newer states come.
        scan: What it sees first.

    Attributes:
        scan: What it has seen last.
        until: When it is told of the scan's end at the latest, on the monotonic clock.
    """

    __slots__ = ("_mailbox", "scan", "until")

    def __init__(self, mailbox: Mailbox, scan: Snapshot) -> None:
        self._mailbox = mailbox
        self.scan = scan
        self.until = _told_by(scan, new=False)

    async def woken(self, seconds: float) -> bool:
        """Whether something came, now or in so many seconds.

        Raises:
            NotFound: The scan was deleted.
        """
        woken = await self._mailbox.woken(seconds)
        if self._mailbox.gone:
            raise NotFound(Reason.SCAN_NOT_FOUND, scan_id=self.scan.scan_id)
        return woken

    def advance(self) -> bool:
        """Goes on to the latest state; False if it was seen already."""
        latest = self._mailbox.latest
        if latest is None or latest.version <= self.scan.version:
            return False
        self.until = min(self.until, _told_by(latest, new=not self.scan.state.terminal))
        self.scan = latest
        return True


def _told_by(scan: Snapshot, *, new: bool) -> float:
    """When a scan's end is told at the latest, on the monotonic clock: its answer is there, its reward may follow.

    Args:
        scan: The scan.
        new: It has ended just now; else what is left of the time is reckoned by the clocks of two machines.
    """
    if not scan.state.terminal:
        return math.inf
    if scan.settled:
        return -math.inf
    left = REWARD_SECONDS if new else min(REWARD_SECONDS, scan.settles_at - time.time())
    return time.monotonic() + left
