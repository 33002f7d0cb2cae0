"""How often the steps of a running scan are shown: ten times a second if somebody reads them, else once.

Of those that follow faster only the newest is shown. The first one and the classification are shown at once in any
case, and so are all that end a lease, which never come here. A step that isn't shown hasn't been seen by anybody: it
may be left out, or lost.
"""

import asyncio
import time
from collections.abc import Callable, Iterable

from scan_svc.mirrors.vision import Classification
from scan_svc.scans import Scan

# Between two steps. The second is also how late a reader of whom nobody has heard learns of one, at most.
_READ_SECONDS = 0.1
_UNREAD_SECONDS = 1.0


class _Pace:
    """How one scan is shown.

    Attributes:
        read: Whether somebody reads it.
        newest: The newest version there is.
        heard: The newest version there was when a reader came: that Redis knew of none by then means nothing.
        found: The classification that was shown.
        shown_at: When something was shown last, by the clock.
        held: What isn't shown yet.
        timer: Shows it.
    """

    __slots__ = ("found", "heard", "held", "newest", "read", "shown_at", "timer")

    def __init__(self) -> None:
        self.read = False
        self.newest = self.heard = 0
        self.found: Classification | None = None
        self.shown_at = 0.0
        self.held: Scan | None = None
        self.timer: asyncio.TimerHandle | None = None


class Pacer:
    """Decides when the steps of the scans that this process works on are shown.

    Args:
        announce: Shows a scan; calls `published` once it is in Redis.
        supersede: The same in the place of what hasn't left yet, which costs nothing; False if nothing is there.
        clock: Seconds, from any start.
    """

    def __init__(
        self,
        announce: Callable[[Scan], None],
        supersede: Callable[[Scan], bool],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._announce = announce
        self._supersede = supersede
        self._clock = clock
        self._paces: dict[str, _Pace] = {}

    def show(self, scan: Scan) -> None:
        """Shows a running scan as soon as it is time, unless a newer step comes before."""
        pace = self._paces.get(scan.scan_id)
        first = pace is None
        if pace is None:
            pace = self._paces[scan.scan_id] = _Pace()
        pace.newest, pace.held = scan.version, scan
        if first or scan.results.vision != pace.found:
            self._release(pace)
        elif self._supersede(scan):
            _withdraw(pace)
        else:
            self._release_in_time(pace)

    def end(self, scan_id: str) -> None:
        """This process doesn't work on a scan any more."""
        if pace := self._paces.pop(scan_id, None):
            _withdraw(pace)

    def withdraw(self) -> None:
        """What isn't shown yet will be shown by somebody else."""
        for pace in self._paces.values():
            _withdraw(pace)

    def arrived(self, scan_ids: Iterable[str]) -> None:
        """Somebody has begun to read these scans."""
        for scan_id in scan_ids:
            if pace := self._paces.get(scan_id):
                pace.read, pace.heard = True, pace.newest
                self._release(pace)

    def published(self, scan_id: str, version: int, *, read: bool) -> None:
        """Redis has this version of a scan, and says whether somebody reads it."""
        pace = self._paces.get(scan_id)
        if pace and pace.read != read and (read or version > pace.heard):
            pace.read = read
            self._release_in_time(pace)

    def _release_in_time(self, pace: _Pace) -> None:
        left = pace.shown_at + (_READ_SECONDS if pace.read else _UNREAD_SECONDS) - self._clock()
        if left <= 0:
            self._release(pace)
        elif pace.held:
            if pace.timer:
                pace.timer.cancel()
            pace.timer = asyncio.get_running_loop().call_later(left, self._release, pace)

    def _release(self, pace: _Pace) -> None:
        scan = pace.held
        _withdraw(pace)
        if scan:
            pace.found, pace.shown_at = scan.results.vision, self._clock()
            self._announce(scan)


def _withdraw(pace: _Pace) -> None:
    pace.held = None
    if pace.timer:
        pace.timer.cancel()
        pace.timer = None
