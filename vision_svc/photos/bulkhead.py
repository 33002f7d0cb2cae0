"""Limits how many photos are in memory at once, and shares that among users."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from math import ceil

from mesh.concurrency.fair_slots import FairSlots, QueueFull
from mesh.errors import ResourceExhausted
from mesh.reasons import Reason

_RETRY_SECONDS = 2.0


def reserve(slots: int) -> int:
    """Slots beside `slots` for users who hold none: a quarter more."""
    return ceil(slots / 4)


class Bulkhead:
    """Slots for photos in memory, and a queue for photos that aren't loaded yet.

    Args:
        slots: Photos in memory at once; a quarter more come from users who have none there.
        queue: Photos that may wait; more are refused at once instead of running into their deadline.
    """

    def __init__(self, slots: int, queue: int) -> None:
        self._slots = FairSlots(slots, reserve(slots), queue=queue)

    @asynccontextmanager
    async def slot(self, account: str, *, batch: bool = False) -> AsyncIterator[None]:
        """One slot; users take turns by the time they have held slots for.

        Args:
            account: The user; "" for nobody in particular.
            batch: Whether nobody waits for it: it gives way, and never has more than half of the slots.

        Raises:
            ResourceExhausted: The queue is full, and nobody has more photos in it.
        """
        try:
            async with self._slots.slot(account, batch=batch):
                yield
        except QueueFull as error:
            raise ResourceExhausted(
                Reason.LIMIT_EXCEEDED, retry_after=_RETRY_SECONDS, limit="photos at once"
            ) from error
