"""Everybody who watches a scan in this process.

A message about a change is only a wake-up; the state is read, once for all watchers of a scan. Each watcher's mailbox
keeps the latest state only, so a slow one skips states in between but never the last.
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
from typing import Protocol

from mesh import outages
from mesh.errors import NotFound, ResourceExhausted, Unavailable
from mesh.reasons import Reason
from scan_svc.meters import ScanMeters
from scan_svc.metrics import WATCHES
from scan_svc.progress.snapshots import Snapshot
from scan_svc.progress.watch import Mailbox, Watch

# How long before its deadline a stream is ended in order.
_RECONNECT_SECONDS = 1.0


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

    @property
    def last(self) -> bool:
        """Whether the watch ends with it."""
        return self.kind in (EventKind.TERMINAL, EventKind.RECONNECT)


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


class Owned(Protocol):
    """Says whose a scan is."""

    async def __call__(self, scan: Snapshot, user_id: str, *, any_kind: bool = False) -> Snapshot:
        """A scan, or a client job if it may be one, if it is a user's; else raises NotFound."""


class Watchers:
    """The watchers of this process.

    Args:
        read: The scan as it is now; raises NotFound.
        owned: A scan if it is a user's; else raises NotFound.
        limits: How many may watch.
        meters: Count them, and how late they are told.
    """

    def __init__(
        self,
        read: Callable[[str], Awaitable[Snapshot]],
        owned: Owned,
        limits: WatchLimits,
        meters: ScanMeters | None = None,
    ) -> None:
        self._read = read
        self._owned = owned
        self._limits = limits
        self._meters = meters or ScanMeters.off()
        self._meters.instruments.observe(WATCHES, lambda: [(self._count, {})])
        self._mailboxes: dict[str, set[Mailbox]] = defaultdict(set)
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
        self, scan_id: str, owner: str, after_version: int, seconds: float | None = None, *, any_kind: bool = False
    ) -> AsyncGenerator[WatchEvent, None]:
        """A scan's state, then every change, then its end, with its reward unless that takes longer than two seconds.

        Args:
            scan_id: Which scan.
            owner: Whose it must be.
            after_version: The version the watcher has seen already; 0 for none.
            seconds: How long the stream may last; it ends with RECONNECT shortly before. None for any time.
            any_kind: Whether it may be a client job.

        Raises:
            NotFound: No such scan, or not the owner's.
            ResourceExhausted: Too many watchers in this process, or of this user.
        """
        ends_at = math.inf if seconds is None else time.monotonic() + seconds - _RECONNECT_SECONDS
        with self._mailbox(scan_id) as mailbox:
            watch = Watch(mailbox, await self._owned(await self._read(scan_id), owner, any_kind=any_kind))
            with self._counted(owner):
                if time.monotonic() < watch.until:
                    # A watch that stands says so, even if there is nothing new.
                    fresh = watch.scan.version > after_version
                    yield WatchEvent(EventKind.SNAPSHOT, watch.scan) if fresh else WatchEvent(EventKind.HEARTBEAT)
                while (now := time.monotonic()) < watch.until:
                    if self._draining or now >= ends_at:
                        if watch.scan.state.terminal:
                            break
                        yield WatchEvent(EventKind.RECONNECT)
                        return
                    woken = await watch.woken(min(self._limits.heartbeat, ends_at - now, watch.until - now))
                    if not woken:
                        self.changed((scan_id,))  # in case a message was lost with the process that wanted to send it
                    if not woken and time.monotonic() < min(ends_at, watch.until):
                        yield WatchEvent(EventKind.HEARTBEAT)
                    elif self._advances(watch) and time.monotonic() < watch.until:
                        yield WatchEvent(EventKind.UPDATE, watch.scan)
                yield WatchEvent(EventKind.TERMINAL, watch.scan)

    async def newer(self, scan_id: str, owner: str, after_version: int, seconds: float) -> Snapshot:
        """A scan as soon as it is newer than a version or has ended; as it is when the time is up.

        Whoever waits for the end, or knows it already, waits as long for the reward as a watch would.

        Raises:
            NotFound: No such scan, or not the owner's.
            ResourceExhausted: Too many watchers in this process, or of this user.
        """
        ends_at = time.monotonic() + seconds
        with self._mailbox(scan_id) as mailbox:
            watch = Watch(mailbox, await self._owned(await self._read(scan_id), owner))
            late = time.monotonic() >= min(ends_at, watch.until)
            if watch.scan.version > after_version or late or self._draining:
                return watch.scan
            with self._counted(owner):
                while watch.scan.version <= after_version:
                    left = min(ends_at, watch.until) - time.monotonic()
                    if left <= 0:
                        break
                    woken = await watch.woken(left)
                    if not self._advances(watch) and (not woken or self._draining):
                        break
                return watch.scan

    def drain(self) -> None:
        """Sends every watcher away with RECONNECT."""
        self._draining = True
        for mailboxes in self._mailboxes.values():
            for mailbox in mailboxes:
                mailbox.wake()

    def changed(self, scan_ids: Iterable[str]) -> None:
        """These scans may have changed: whoever watches them gets their newest state."""
        for scan_id in scan_ids:
            if scan_id not in self._mailboxes:
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
        self.changed(list(self._mailboxes))

    async def _hand_out(self, scan_id: str) -> None:
        """Reads a scan for its watchers, again if it changed meanwhile."""
        try:
            again = True
            while again:
                self._reading[scan_id] = False
                scan = await self._read(scan_id)
                for mailbox in self._mailboxes.get(scan_id, ()):
                    mailbox.offer(scan)
                again = self._reading[scan_id] and scan_id in self._mailboxes
        except NotFound:  # deleted while it was watched
            for mailbox in self._mailboxes.get(scan_id, ()):
                mailbox.close()
        except Exception as error:
            if outages.from_exception(error) is None and not isinstance(error, Unavailable):
                raise
            # The stores are down: the next wake-up, poll or heartbeat tries again.
        finally:
            del self._reading[scan_id]

    def _advances(self, watch: Watch) -> bool:
        """Whether a watch goes on to a newer state, whose age is counted."""
        if not watch.advance():
            return False
        if watch.scan.at:
            self._meters.watch_lag(time.time() - watch.scan.at)
        return True

    # Both are synchronous: a cancelled stream may leave them in another task.

    @contextmanager
    def _mailbox(self, scan_id: str) -> Iterator[Mailbox]:
        """A mailbox of a scan; opened before the first read, so that no change falls between."""
        mailbox = Mailbox()
        self._mailboxes[scan_id].add(mailbox)
        try:
            yield mailbox
        finally:
            self._mailboxes[scan_id].discard(mailbox)
            if not self._mailboxes[scan_id]:
                del self._mailboxes[scan_id]

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
