"""A semaphore that users share fairly: `mesh.concurrency.fair_queue` with somebody who waits.

Shares are this process' own: of several processes each gives a user a share of what it has.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from mesh.concurrency.fair_queue import FairQueue, Turn


class QueueFull(Exception):
    """No more may wait, and nobody's queue is longer than that of whoever is told so."""


@dataclass(slots=True, eq=False)
class _Waiter(Turn):
    """A turn that somebody awaits: whether it was granted, or dropped."""

    granted: asyncio.Future[bool] = field(kw_only=True)


class FairSlots:
    """Slots, each held by one user's work at a time.

    Args:
        slots: Held at once by anybody.
        reserve: Slots beside them for users who hold none.
        queue: How many may wait; None for any number. When one more comes, the newest of whoever has most waiting is
            sent away.
        patience: Seconds after which somebody who waits may use the reserve.
        clock: Seconds, from anywhere.
    """

    def __init__(
        self,
        slots: int,
        reserve: int = 0,
        *,
        queue: int | None = None,
        patience: float = 0.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._turns = FairQueue(slots, reserve, clock)
        self._queue = queue
        self._patience = patience

    def __len__(self) -> int:
        """Users who hold or wait for a slot."""
        return len(self._turns)

    def free(self) -> bool:
        """Whether a user who holds no slot would get one at once."""
        return self._turns.free()

    @asynccontextmanager
    async def slot(self, user: str) -> AsyncIterator[None]:
        """One slot, once it is this user's turn.

        Args:
            user: Whose work it is for; those without a name share one turn, "".

        Raises:
            QueueFull: Too many wait.
        """
        waiter = _Waiter(user, self._patience <= 0, granted=asyncio.get_running_loop().create_future())
        try:
            self._join(waiter)
            if not await self._is_granted(waiter):
                raise QueueFull
            yield
        finally:
            self._turns.end(waiter)
            self._grant()

    def _join(self, waiter: _Waiter) -> None:
        self._turns.join(waiter)
        self._grant()
        if self._queue is not None and self._turns.waiting > self._queue:
            self._tell(self._turns.drop(waiter.user), granted=False)

    async def _is_granted(self, waiter: _Waiter) -> bool:
        """Waits for a slot; False if there is no room to wait in."""
        if waiter.granted.done():
            return waiter.granted.result()
        later = asyncio.get_running_loop().call_later(self._patience, self._lose_patience, waiter)
        try:
            return await waiter.granted
        finally:
            later.cancel()

    def _lose_patience(self, waiter: _Waiter) -> None:
        waiter.may_use_reserve = True
        self._grant()

    def _grant(self) -> None:
        """Hands out what is free."""
        while self._turns.free() and (turn := self._turns.grant()):
            self._tell(turn, granted=True)

    @staticmethod
    def _tell(turn: Turn | None, *, granted: bool) -> None:
        assert isinstance(turn, _Waiter)
        if not turn.granted.done():  # else it was cancelled, and is about to end its turn
            turn.granted.set_result(granted)
