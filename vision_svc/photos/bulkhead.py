"""Limits how many photos are in memory at once."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from mesh.errors import ResourceExhausted
from mesh.reasons import Reason

_RETRY_SECONDS = 2.0


class Bulkhead:
    """Slots for photos in memory, and a queue for photos that aren't loaded yet.

    Args:
        slots: Photos in memory at once.
        queue: Photos that may wait; more are refused at once instead of running into their deadline.
    """

    def __init__(self, slots: int, queue: int) -> None:
        self._slots = asyncio.Semaphore(slots)
        self._room = slots + queue
        self._inside = 0

    @asynccontextmanager
    async def slot(self) -> AsyncIterator[None]:
        """One slot, first come, first served.

        Raises:
            ResourceExhausted: The queue is full.
        """
        if self._inside >= self._room:
            raise ResourceExhausted(Reason.LIMIT_EXCEEDED, retry_after=_RETRY_SECONDS, limit="photos at once")
        self._inside += 1
        try:
            async with self._slots:
                yield
        finally:
            self._inside -= 1
