"""Whether a call to a model may be made, asked before anything is spent."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from mesh.errors import ResourceExhausted, Unavailable
from mesh.models.ledger import Entry, Ledger, Limits
from mesh.models.usage import Terms
from mesh.reasons import Reason

_DAY = 86_400


@dataclass(frozen=True, slots=True)
class Clock:
    """Time, as the budget sees it.

    Attributes:
        wall: Seconds since the epoch: days begin by it.
        monotonic: A monotonic clock in seconds; deadlines are measured by it.
        sleep: Waits for so many seconds.
    """

    wall: Callable[[], float] = time.time
    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep


class Budget:
    """Lets calls through, as fast and as many as the limits allow.

    Args:
        ledger: Where they are counted.
        limits: How many there may be.
        clock: Time.
    """

    def __init__(self, ledger: Ledger, limits: Limits, clock: Clock) -> None:
        self._ledger = ledger
        self._limits = limits
        self._clock = clock
        self._settling = set[asyncio.Task[None]]()

    async def reserve(self, model: str, terms: Terms, tokens: int, micro_usd: int) -> Entry:
        """Counts a call in, and waits for room for it if the deadline leaves the time.

        Args:
            model: Which.
            terms: On whose account, and until when.
            tokens: Estimated, read and written.
            micro_usd: Estimated cost.

        Raises:
            ResourceExhausted: MODEL_BUDGET_SPENT: the day's money or the account's share would be exceeded.
                MODEL_RATE_LIMITED: there is no room in time.
            Unavailable: MODEL_SPENT_UNKNOWN: nobody here knows what was spent today, and the caller can tell.
        """
        entry = Entry(model, terms.account, tokens, micro_usd, self._clock.wall(), terms.spent)
        while True:
            verdict = await self._ledger.reserve(entry, self._limits)
            if verdict.unknown:
                raise Unavailable(Reason.MODEL_SPENT_UNKNOWN, retry_after=1.0, model=model)
            if verdict.forbidden_by:
                tomorrow = (entry.day + 1) * _DAY - self._clock.wall()
                raise ResourceExhausted(
                    Reason.MODEL_BUDGET_SPENT, retry_after=tomorrow, model=model, limit=verdict.forbidden_by
                )
            if not verdict.wait:
                return entry
            if self._clock.monotonic() + verdict.wait >= terms.deadline:
                raise ResourceExhausted(Reason.MODEL_RATE_LIMITED, retry_after=verdict.wait, model=model)
            await self._clock.sleep(verdict.wait)
            entry = replace(entry, at=self._clock.wall())

    def settle(self, entry: Entry, tokens: int, micro_usd: int) -> None:
        """Corrects the estimate, beside what goes on: nobody's answer waits for it.

        A call that is never settled stays counted as estimated.
        """
        task = asyncio.create_task(self._ledger.settle(entry, tokens, micro_usd))
        self._settling.add(task)
        task.add_done_callback(self._settling.discard)

    async def settled(self) -> None:
        """Waits until everything is corrected that is under way."""
        while self._settling:
            await asyncio.wait(self._settling)
