"""Everybody who watches a scan in this process.

What is heard of a change is only a wake-up; the state is read, once for all watchers of a scan. Each watcher has one
slot that keeps the latest state, so a slow one skips states in between but never the last.
"""

import asyncio
import math
import random
import time
from collections import Counter, defaultdict
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum

from mesh import outages
from mesh.errors import NotFound, ResourceExhausted, Unavailable
from mesh.reasons import Reason
from scan_svc.progress.snapshots import REWARD_SECONDS, Snapshot

# How long before its deadline a stream is ended in order.
_GOODBYE_SECONDS = 1.0


class EventKind(StrEnum):
    """Mirror of `eco2.scan.v1.WatchScanResponse.Type`."""

    SNAPSHOT = "SNAPSHOT"
    UPDATE = "UPDATE"
    TERMINAL = "TERMINAL"
    HEARTBEAT = "HEARTBEAT"
    RECONNECT = "RECONNECT"


@dataclass(frozen=True, slots=True)
class WatchEvent:
    """One event of a watch; `scan` is absent in HEARTBEAT and RECONNECT."""

    kind: EventKind
    scan: Snapshot | None = None


@dataclass(frozen=True, slots=True)
class WatchLimits:
    """How many may watch.

    Attributes:
        process: At once in this process.
        user: At once in this process, of one user.
        heartbeat: Seconds of silence before a heartbeat.
    """

    process: int
    user: int
    heartbeat: float


class _Slot:
    """The latest state a watcher hasn't seen. One watcher waits, once at a time."""

    __slots__ = ("_waiting", "_woken", "gone", "latest")

    def __init__(self) -> None:
        self.latest: Snapshot | None = None
        self.gone = False
        self._woken = False
        self._waiting: asyncio.Future[None] | None = None

    def offer(self, scan: Snapshot) -> None:
        if self.latest is None or scan.version > self.latest.version:
            self.latest = scan
            self.wake()

    def close(self) -> None:
        self.gone = True
        self.wake()

    def wake(self) -> None:
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


class Watchers:
    """The watchers of this process.

    Args:
        read: The scan as it is now; raises NotFound.
        limits: How many may watch.
    """

    def __init__(self, read: Callable[[str], Awaitable[Snapshot]], limits: WatchLimits) -> None:
        self._read = read
        self._limits = limits
        self._slots: dict[str, set[_Slot]] = defaultdict(set)
        self._users: Counter[str] = Counter()
        self._count = 0
        # Scans being read for their watchers, and whether they changed again meanwhile.
        self._reading: dict[str, bool] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._draining = False

    @property
    def count(self) -> int:
        """Watchers at the moment."""
        return self._count

    async def watch(
        self, scan_id: str, owner: str, after_version: int, seconds: float | None = None
    ) -> AsyncGenerator[WatchEvent, None]:
        """A scan's state, then every change, then its end, with its reward unless that takes longer than two seconds.

        Args:
            scan_id: Which scan.
            owner: Whose it must be.
            after_version: The version the watcher has seen already; 0 for none.
            seconds: How long the stream may last; it ends with RECONNECT shortly before. None for any time.

        Raises:
            NotFound: No such scan, or not the owner's.
            ResourceExhausted: Too many watchers in this process, or of this user.
        """
        ends_at = math.inf if seconds is None else time.monotonic() + seconds - _GOODBYE_SECONDS
        with self._slot(scan_id) as slot:
            scan = await self._owned(scan_id, owner)
            with self._counted(owner):
                until = _told_by(scan, new=False)
                if time.monotonic() < until:
                    # A watch that stands says so, even if there is nothing new.
                    fresh = scan.version > after_version
                    yield WatchEvent(EventKind.SNAPSHOT, scan) if fresh else WatchEvent(EventKind.HEARTBEAT)
                while (now := time.monotonic()) < until:
                    if self._draining or now >= ends_at:
                        if scan.state.terminal:
                            break
                        yield WatchEvent(EventKind.RECONNECT)
                        return
                    woken = await slot.woken(min(self._limits.heartbeat, ends_at - now, until - now))
                    if slot.gone:
                        raise NotFound(Reason.SCAN_NOT_FOUND, scan_id=scan_id)
                    if not woken:
                        self.changed((scan_id,))  # in case a message was lost with the process that wanted to send it
                    if not woken and time.monotonic() < min(ends_at, until):
                        yield WatchEvent(EventKind.HEARTBEAT)
                    elif slot.latest and slot.latest.version > scan.version:
                        until = min(until, _told_by(slot.latest, new=not scan.state.terminal))
                        scan = slot.latest
                        if time.monotonic() < until:
                            yield WatchEvent(EventKind.UPDATE, scan)
                yield WatchEvent(EventKind.TERMINAL, scan)

    async def newer(self, scan_id: str, owner: str, after_version: int, seconds: float) -> Snapshot:
        """A scan as soon as it is newer than a version or has ended; as it is when the time is up.

        Whoever waits for the end, or knows it already, waits as long for the reward as a watch would.

        Raises:
            NotFound: No such scan, or not the owner's.
            ResourceExhausted: Too many watchers in this process, or of this user.
        """
        ends_at = time.monotonic() + seconds
        with self._slot(scan_id) as slot:
            scan = await self._owned(scan_id, owner)
            until = min(ends_at, _told_by(scan, new=False))
            if scan.version > after_version or time.monotonic() >= until or self._draining:
                return scan
            with self._counted(owner):
                while scan.version <= after_version and (now := time.monotonic()) < until:
                    woken = await slot.woken(until - now)
                    if slot.gone:
                        raise NotFound(Reason.SCAN_NOT_FOUND, scan_id=scan_id)
                    if slot.latest and slot.latest.version > scan.version:
                        until = min(until, _told_by(slot.latest, new=not scan.state.terminal))
                        scan = slot.latest
                    elif not woken or self._draining:
                        return scan
                return scan

    def drain(self) -> None:
        """Sends every watcher away with RECONNECT."""
        self._draining = True
        for slots in self._slots.values():
            for slot in slots:
                slot.wake()

    def changed(self, scan_ids: Iterable[str]) -> None:
        """These scans may have changed: whoever watches them gets their newest state."""
        for scan_id in scan_ids:
            if scan_id not in self._slots:
                continue
            if scan_id in self._reading:
                self._reading[scan_id] = True
                continue
            self._reading[scan_id] = False
            task = asyncio.create_task(self._hand_out(scan_id))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def missed(self) -> None:
        """Any scan may have changed."""
        self.changed(list(self._slots))

    async def _hand_out(self, scan_id: str) -> None:
        """Reads a scan for its watchers, again if it changed meanwhile."""
        try:
            again = True
            while again:
                self._reading[scan_id] = False
                scan = await self._read(scan_id)
                for slot in self._slots.get(scan_id, ()):
                    slot.offer(scan)
                again = self._reading[scan_id] and scan_id in self._slots
        except NotFound:  # deleted while it was watched
            for slot in self._slots.get(scan_id, ()):
                slot.close()
        except Exception as error:
            if outages.from_exception(error) is None and not isinstance(error, Unavailable):
                raise
            # The stores are down: the next wake-up, poll or heartbeat tries again.
        finally:
            del self._reading[scan_id]

    async def _owned(self, scan_id: str, owner: str) -> Snapshot:
        scan = await self._read(scan_id)
        if scan.user_id != owner:
            raise NotFound(Reason.SCAN_NOT_FOUND, scan_id=scan_id)
        return scan

    # Both are synchronous: a cancelled stream may leave them in another task.

    @contextmanager
    def _slot(self, scan_id: str) -> Iterator[_Slot]:
        """A place to be told in; taken before the first read, so that no change falls between."""
        slot = _Slot()
        self._slots[scan_id].add(slot)
        try:
            yield slot
        finally:
            self._slots[scan_id].discard(slot)
            if not self._slots[scan_id]:
                del self._slots[scan_id]

    @contextmanager
    def _counted(self, user: str) -> Iterator[None]:
        """One watcher more, once it is known to be allowed to watch: strangers use nobody's room up."""
        for held, most, name in (
            (self._count, self._limits.process, "watches_of_process"),
            (self._users[user], self._limits.user, "watches_of_user"),
        ):
            if held >= most:
                raise ResourceExhausted(Reason.WATCH_LIMIT, limit=name, most=most, retry_after=1.0 + random.random())
        self._count += 1
        self._users[user] += 1
        try:
            yield
        finally:
            self._count -= 1
            self._users[user] -= 1
            if not self._users[user]:
                del self._users[user]


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
