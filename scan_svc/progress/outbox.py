"""Announcements on their way to Redis: the newest state of each scan, sent in batches, kept while Redis is down.

A replica that takes over may lack what its primary had confirmed, and have what was before. So what was sent shortly
before an outage is sent once more after it, to correct what is there: what Redis has lost wholly isn't filled again.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Generic, TypeVar

from mesh.circuit_breakers import CircuitBreaker
from mesh.redis import DOWN

T = TypeVar("T")

_LIMIT = 10_000
_BATCH = 128
# By so much a replica that takes over may be behind.
_REPEATED_SECONDS = 5.0


class Outbox(Generic[T]):
    """The newest state of each scan until Redis has it.

    Args:
        breaker: Whether Redis is there.
        send: Sends a batch, by the scans' ids; raises one of `DOWN` if Redis is down.
        version: Tells which of two states of a scan is newer.

    Attributes:
        doubtful: Scans whose state may have been overtaken: by the time Redis is back somebody else may know more, and
            Redis may have forgotten it.
        repeated: Scans whose state was sent before.
    """

    def __init__(
        self,
        breaker: CircuitBreaker,
        send: Callable[[Mapping[str, T]], Awaitable[None]],
        version: Callable[[T], int],
    ) -> None:
        self._breaker = breaker
        self._send = send
        self._version = version
        self._unsent: dict[str, T] = {}
        self._in_flight: dict[str, T] = {}
        self._confirmed: dict[str, tuple[float, T]] = {}  # with the time, the oldest first
        self._waiting: dict[str, list[asyncio.Future[None]]] = {}
        self._sending: asyncio.Task[None] | None = None
        self.doubtful: set[str] = set()
        self.repeated: set[str] = set()
        breaker.when_closed(self._repeat)

    def __contains__(self, scan_id: str) -> bool:
        return scan_id in self._unsent or scan_id in self._in_flight

    def put(self, scan_id: str, entry: T) -> bool:
        """Takes a scan's state, to be sent in a moment; False if a newer one waits, or there is no room."""
        earlier = self._unsent.get(scan_id, entry)
        taken = self._version(earlier) <= self._version(entry) and (
            scan_id in self._unsent or len(self._unsent) < _LIMIT
        )
        if taken:
            self._unsent[scan_id] = entry
            self.repeated.discard(scan_id)
            if not self._breaker.closed:
                self.doubtful.add(scan_id)
        self._start()
        return taken

    async def sent(self, scan_id: str) -> None:
        """Waits until Redis has what was put of a scan, or is found to be down."""
        if self._sending:
            sent = asyncio.get_running_loop().create_future()
            self._waiting.setdefault(scan_id, []).append(sent)
            await sent

    async def flush(self) -> None:
        """Waits until everything is sent, if Redis is there."""
        while self._sending:
            await asyncio.wait((self._sending,))

    def _start(self) -> None:
        if self._sending is None and self._unsent and self._breaker.closed:
            self._sending = asyncio.create_task(self._drain(), name="outbox")

    async def _drain(self) -> None:
        try:
            while self._unsent and self._breaker.closed:
                self._in_flight = {key: self._unsent.pop(key) for key in list(self._unsent)[:_BATCH]}
                try:
                    await self._send(self._in_flight)
                except DOWN:
                    self._put_back()
                else:
                    self._confirm()
                self._in_flight = {}
                for scan_id in [key for key in self._waiting if key not in self._unsent]:
                    _wake(self._waiting.pop(scan_id))
        finally:
            self._sending = None
            for waiting in self._waiting.values():
                _wake(waiting)
            self._waiting = {}

    def _confirm(self) -> None:
        now = time.monotonic()
        for scan_id, entry in self._in_flight.items():
            self._confirmed.pop(scan_id, None)
            self._confirmed[scan_id] = now, entry
        while self._confirmed and now - next(iter(self._confirmed.values()))[0] > _REPEATED_SECONDS:
            del self._confirmed[next(iter(self._confirmed))]
        self.doubtful -= self._in_flight.keys()
        self.repeated -= self._in_flight.keys()

    def _repeat(self) -> None:
        """After an outage."""
        since = self._breaker.opened_at - _REPEATED_SECONDS
        for scan_id, (sent_at, entry) in self._confirmed.items():
            if sent_at >= since and scan_id not in self:  # else what is on its way is newer
                self._unsent[scan_id] = entry
                self.doubtful.add(scan_id)
                self.repeated.add(scan_id)
        self._start()

    def _put_back(self) -> None:
        for scan_id, entry in self._in_flight.items():
            self._unsent.setdefault(scan_id, entry)
        self.doubtful.update(self._unsent)


def _wake(waiting: "list[asyncio.Future[None]]") -> None:
    for sent in waiting:
        if not sent.done():
            sent.set_result(None)
