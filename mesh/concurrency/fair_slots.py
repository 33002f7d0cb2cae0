"""A semaphore that users share fairly: `mesh.concurrency.fair_queue` with somebody who waits.

Shares are this process' own: of several processes each gives a user a share of what it has.
"""

import asyncio
import time
from collections.abc import Callable

from mesh.concurrency.fair_queue import FairQueue, Turn, TurnState


class QueueFull(Exception):
    """No more may wait, and nobody's queue is longer than that of whoever is told so."""


class _Slot(Turn):
    """One slot, as a context manager: held from the user's turn on to its end."""

    __slots__ = ("_owner", "decided")

    def __init__(self, owner: "FairSlots", user: str, may_use_reserve: bool, batch: bool) -> None:
        super().__init__(user, may_use_reserve, batch=batch)
        self._owner = owner
        self.decided: asyncio.Future[None] | None = None

    async def __aenter__(self) -> None:
        if self._owner.waits(self):
            await self._owner.until_decided(self)
        if self.state is TurnState.OVER:
            raise QueueFull

    async def __aexit__(self, *_: object) -> None:
        self._owner.end(self)


class FairSlots:
    """Slots, each held by one user's work at a time.

    Args:
        slots: Held at once by anybody.
        reserve: Slots beside them for users who hold none.
        queue: How many may wait; None for any number. When one more comes, the newest of whoever has most waiting is
            sent away, of batch work first.
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

    @property
    def waiting(self) -> int:
        """How many wait for a slot."""
        return self._turns.waiting

    def free(self, user: str, *, batch: bool = False) -> bool:
        """Whether a user would get a slot at once."""
        return self._turns.free(user, batch=batch)

    def slot(self, user: str, *, batch: bool = False) -> _Slot:
        """One slot, to be entered once, which takes until it is this user's turn.

        Args:
            user: Whose work it is for; those without a name share one turn, "".
            batch: Whether it gives way to interactive work.

        Raises:
            QueueFull: As it is entered: too many wait.
        """
        return _Slot(self, user, self._patience <= 0, batch)

    def waits(self, slot: _Slot) -> bool:
        """Lets somebody wait for their slot; False if it needn't."""
        if not self._turns.join(slot):
            return False
        slot.decided = asyncio.get_running_loop().create_future()
        if self._queue is not None and self._turns.waiting > self._queue:
            self._tell(self._turns.drop(slot))
        return True

    async def until_decided(self, slot: _Slot) -> None:
        """Waits until a slot is granted, or it is decided that there is no room to wait in."""
        assert slot.decided
        later = asyncio.get_running_loop().call_later(self._patience, self._lose_patience, slot)
        try:
            await slot.decided
        except BaseException:
            self.end(slot)
            raise
        finally:
            later.cancel()

    def end(self, slot: _Slot) -> None:
        """Ends a slot's use, or the wait for it, and hands out what is free."""
        self._turns.end(slot)
        self._grant()

    def _lose_patience(self, slot: _Slot) -> None:
        slot.may_use_reserve = True
        self._grant()

    def _grant(self) -> None:
        while turn := self._turns.grant():
            self._tell(turn)

    @staticmethod
    def _tell(turn: Turn) -> None:
        assert isinstance(turn, _Slot)
        assert turn.decided
        if not turn.decided.done():  # else it was cancelled, and is about to end its turn
            turn.decided.set_result(None)
