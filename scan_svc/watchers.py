"""Everybody who watches a scan in this process, fed by one Redis subscription.

A message is only a wake-up; the state is read, once for all watchers of a scan. Each watcher has one slot that keeps
the latest state, so a slow one skips states in between but never the last. Without Redis the watched scans are read
every second instead.
"""

import asyncio
import contextlib
import math
import random
import time
from collections import defaultdict
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum

import structlog
from redis.asyncio import Redis

from mesh import outages
from mesh.errors import NotFound, Reason, ResourceExhausted
from mesh.redis import answer
from scan_svc.progress import CHANNEL
from scan_svc.scans import Scan

_log = structlog.get_logger("watchers")

_POLL_SECONDS = 1.0
# A connection that says nothing, not even to a ping, for this long is rebuilt: it may be half open.
_SILENCE_SECONDS = 5.0
# How long before its deadline a stream is ended in order.
_GOODBYE_SECONDS = 1.0


class Kind(StrEnum):
    """Mirror of `eco2.scan.v1.WatchScanResponse.Type`."""

    SNAPSHOT = "SNAPSHOT"
    UPDATE = "UPDATE"
    TERMINAL = "TERMINAL"
    HEARTBEAT = "HEARTBEAT"
    RECONNECT = "RECONNECT"


@dataclass(frozen=True, slots=True)
class Event:
    """One event of a watch; `scan` is absent in HEARTBEAT and RECONNECT."""

    kind: Kind
    scan: Scan | None = None


class _Slot:
    """The latest state a watcher hasn't seen."""

    __slots__ = ("gone", "latest", "ready")

    def __init__(self) -> None:
        self.latest: Scan | None = None
        self.gone = False
        self.ready = asyncio.Event()

    def offer(self, scan: Scan) -> None:
        if self.latest is None or scan.version > self.latest.version:
            self.latest = scan
            self.ready.set()

    def close(self) -> None:
        self.gone = True
        self.ready.set()


class Watchers:
    """The watchers of this process.

    Args:
        client: Redis, for the subscription.
        read: The scan as it is now; raises NotFound.
        limit: Watchers at once.
        heartbeat: Seconds of silence before a heartbeat.
    """

    def __init__(self, client: Redis, read: Callable[[str], Awaitable[Scan]], *, limit: int, heartbeat: float) -> None:
        self._redis = client
        self._read = read
        self._limit = limit
        self._heartbeat = heartbeat
        self._slots: dict[str, set[_Slot]] = defaultdict(set)
        self._count = 0
        self._changed: set[str] = set()
        self._work = asyncio.Event()
        self._draining = False

    @property
    def count(self) -> int:
        """Watchers at the moment."""
        return self._count

    async def watch(
        self, scan_id: str, owner: str, after_version: int, seconds: float | None = None
    ) -> AsyncGenerator[Event, None]:
        """A scan's state, then every change, then its end.

        Args:
            scan_id: Which scan.
            owner: Whose it must be.
            after_version: The version the watcher has seen already; 0 for none.
            seconds: How long the stream may last; it ends with RECONNECT shortly before. None for any time.

        Raises:
            NotFound: No such scan, or not the owner's.
            ResourceExhausted: Too many watchers in this process.
        """
        if self._count >= self._limit:
            raise ResourceExhausted(Reason.LIMIT_EXCEEDED, limit="watchers", retry_after=1.0 + random.random())
        slot = _Slot()
        ends_at = math.inf if seconds is None else time.monotonic() + seconds - _GOODBYE_SECONDS
        self._add(scan_id, slot)  # before the first read, so that no change falls between
        try:
            scan = await self._read(scan_id)
            if scan.user_id != owner:
                raise NotFound(Reason.SCAN_NOT_FOUND, scan_id=scan_id)
            if scan.version > after_version and not scan.state.terminal:
                yield Event(Kind.SNAPSHOT, scan)
            while not scan.state.terminal:
                if self._draining or time.monotonic() >= ends_at:
                    yield Event(Kind.RECONNECT)
                    return
                woken = await self._woken(slot, min(self._heartbeat, ends_at - time.monotonic()))
                if slot.gone:
                    raise NotFound(Reason.SCAN_NOT_FOUND, scan_id=scan_id)
                if not woken:
                    self._touch(scan_id)  # in case a message was lost with the process that wanted to send it
                if not woken and time.monotonic() < ends_at:
                    yield Event(Kind.HEARTBEAT)
                elif slot.latest and slot.latest.version > scan.version:
                    scan = slot.latest
                    if not scan.state.terminal:
                        yield Event(Kind.UPDATE, scan)
            yield Event(Kind.TERMINAL, scan)
        finally:
            # Synchronous: a cancelled stream may run this in another task.
            self._remove(scan_id, slot)

    def drain(self) -> None:
        """Sends every watcher away with RECONNECT."""
        self._draining = True
        for slots in self._slots.values():
            for slot in slots:
                slot.ready.set()

    async def run(self) -> None:
        """Feeds the watchers for ever."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._listen())
            group.create_task(self._feed())

    async def _woken(self, slot: _Slot, seconds: float) -> bool:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await slot.ready.wait()
        woken = slot.ready.is_set()
        slot.ready.clear()
        return woken

    def _add(self, scan_id: str, slot: _Slot) -> None:
        self._slots[scan_id].add(slot)
        self._count += 1

    def _remove(self, scan_id: str, slot: _Slot) -> None:
        self._slots[scan_id].discard(slot)
        if not self._slots[scan_id]:
            del self._slots[scan_id]
        self._count -= 1

    def _touch(self, *scan_ids: str) -> None:
        self._changed.update(scan_ids)
        self._work.set()

    async def _feed(self) -> None:
        """Reads what has changed and hands it to the slots."""
        while True:
            await self._work.wait()
            self._work.clear()
            changed, self._changed = self._changed, set()
            for scan_id in changed:
                await self._hand_out(scan_id)

    async def _hand_out(self, scan_id: str) -> None:
        try:
            scan = await self._read(scan_id)
        except NotFound:  # deleted while it was watched
            for slot in self._slots.get(scan_id, ()):
                slot.close()
            return
        except Exception as error:
            if outages.from_exception(error) is None:
                raise
            return  # the stores are down: the next wake-up or poll tries again
        for slot in self._slots.get(scan_id, ()):
            slot.offer(scan)

    async def _listen(self) -> None:
        """Subscribes, again after every failure; polls while there is no subscription."""
        while True:
            try:
                await self._subscribed()
            except Exception as error:
                if outages.from_exception(error) is None:
                    raise
                _log.warning("subscription lost", error=repr(error))
            self._touch(*self._slots)
            await asyncio.sleep(_POLL_SECONDS)

    async def _subscribed(self) -> None:
        """Turns messages into work until the connection fails or falls silent."""
        async with self._redis.pubsub() as channel:
            await answer(channel.subscribe(CHANNEL))
            pinged = False
            while True:
                message = await answer(channel.get_message(timeout=_SILENCE_SECONDS))
                if message is None:
                    if pinged:
                        raise TimeoutError("the subscription fell silent")
                    await answer(channel.ping())
                    pinged = True
                    continue
                pinged = False
                if message["type"] == "message":
                    scan_id = message["data"].decode()
                    if scan_id in self._slots:
                        self._touch(scan_id)
                elif message["type"] == "subscribe":
                    # redis-py reconnects in silence; this is its only sign, and what came meanwhile is lost.
                    self._touch(*self._slots)
