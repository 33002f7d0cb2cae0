"""How many photos may be here at once."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from mesh.errors import ResourceExhausted
from mesh.reasons import Reason

_RETRY_SECONDS = 2.0


class Bulkhead:
    """A few photos held in memory, and a queue for more that have not been loaded yet: waiting costs nothing.

    Args:
        places: Photos held at once.
        queue: Photos that may wait; the next one is sent away at once, which is kinder than a deadline.
    """

    def __init__(self, places: int, queue: int) -> None:
        self._places = asyncio.Semaphore(places)
        self._room = places + queue
        self._inside = 0

    @asynccontextmanager
    async def slot(self) -> AsyncIterator[None]:
        """One place, first come, first served.

        Raises:
            ResourceExhausted: The queue is full.
        """
        if self._inside >= self._room:
            raise ResourceExhausted(Reason.LIMIT_EXCEEDED, retry_after=_RETRY_SECONDS, limit="photos at once")
        self._inside += 1
        try:
            async with self._places:
                yield
        finally:
            self._inside -= 1
