"""Whether one more scan can be taken.

By Little's law a scan stays for as long as the scans in the system take to leave it at the rate at which they have been
leaving. When that is longer than anybody waits, a new one is refused at once instead of queued for nothing.
"""

import asyncio
import math
import random
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from mesh import outages
from mesh.concurrency.tasks import kept_running
from mesh.errors import ResourceExhausted
from mesh.reasons import Reason

_SAMPLE_SECONDS = 1.0
_WINDOW = 20  # samples the rate is measured over
_LONGEST_RETRY = 60.0


@dataclass(frozen=True, slots=True)
class Backlog:
    """What the workers have before them.

    Attributes:
        waiting: Scans nobody works on yet.
        in_system: These, and those that are worked on.
    """

    waiting: int = 0
    in_system: int = 0


class Admission:
    """Lets scans in while they can be done in time.

    Args:
        count: Counts the backlog of all workers.
        longest_seconds: How long a scan may be expected to stay.
        always: So many in the system are never too many: there must be some before a rate can be measured.
        clock: Seconds, from anywhere.
    """

    def __init__(
        self,
        count: Callable[[], Awaitable[Backlog]],
        longest_seconds: float,
        always: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._count = count
        self._clock = clock
        self._longest = longest_seconds
        self._always = always
        self._backlog = Backlog()
        self._entered = 0  # through this process, since the backlog was counted
        self._left = 0  # heard of since then
        self._rates: deque[float] = deque(maxlen=_WINDOW)
        self._counted_at = clock()

    def check(self) -> None:
        """Says whether there is room for one more.

        Raises:
            ResourceExhausted: There isn't; with the time after which there may be.
        """
        stay = self._stay()
        if self._backlog.in_system + self._entered < self._always or stay <= self._longest:
            return
        known = stay if math.isfinite(stay) else self._longest * 2
        retry = min(_LONGEST_RETRY, max(1.0, known - self._longest)) * random.uniform(0.5, 1.0)
        raise ResourceExhausted(Reason.SCAN_BACKLOG, expected_seconds=round(known), retry_after=retry)

    def entered(self) -> None:
        """One scan more was queued."""
        self._entered += 1

    def left(self, count: int) -> None:
        """So many scans have ended, wherever they were worked on."""
        self._left += count

    def wait(self, so_far: float) -> float | None:
        """Seconds until a scan that has waited `so_far` is taken; None if that isn't known."""
        if not self._backlog.waiting:
            return 0.0
        rate = self._rate()
        return max(0.0, self._backlog.waiting / rate - so_far) if rate else None

    async def run(self) -> None:
        """Counts for ever."""
        while True:
            await asyncio.sleep(_SAMPLE_SECONDS)
            if not (self._entered or self._left or self._backlog.in_system):
                self._counted_at = self._clock()
                continue
            try:
                await self.sample()
            except Exception as error:
                if outages.from_exception(error) is None:
                    raise
                # The last sample stands; while the database is down nothing is created either.

    async def sample(self) -> None:
        """Counts the backlog once.

        Raises:
            Exception: Whatever counting raised; what has entered and left meanwhile belongs to the next sample.
        """
        # What happens while it is counted, which may take seconds, belongs to the next sample.
        entered, left, began = self._entered, self._left, self._clock()
        backlog = await self._count()
        # Redis may be down, and then no other process is heard of.
        inferred = entered - (backlog.in_system - self._backlog.in_system)
        if self._backlog.in_system or backlog.in_system:
            self._rates.append(max(left, inferred, 0) / (began - self._counted_at))
        else:
            self._rates.clear()
        self._backlog, self._counted_at = backlog, began
        self._entered -= entered
        self._left -= left

    def _rate(self) -> float:
        return sum(self._rates) / len(self._rates) if self._rates else 0.0

    def _stay(self) -> float:
        in_system, rate = self._backlog.in_system + self._entered, self._rate()
        return in_system / rate if rate else math.inf


@asynccontextmanager
async def open_admission(
    count: Callable[[], Awaitable[Backlog]], longest_seconds: float, always: int
) -> AsyncIterator[Admission]:
    """The admission, as `Admission` is made, counting until the block is left."""
    admission = Admission(count, longest_seconds, always)
    async with kept_running(admission.run):
        yield admission
