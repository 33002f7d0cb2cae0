"""Whether one more scan can be taken.

By Little's law a scan stays for as long as the scans in the system take to leave it at the rate at which they have been
leaving. When that is longer than anybody waits, a new one is refused at once instead of queued for nothing.
"""

import asyncio
import math
import random
import time
from collections import Counter, deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

from mesh import outages
from mesh.concurrency.tasks import kept_running
from mesh.errors import ResourceExhausted
from mesh.reasons import Reason
from scan_svc.scans import Priority

_SAMPLE_SECONDS = 1.0
_WINDOW = 20  # samples the rate is measured over
_LONGEST_RETRY = 60.0
# Of the scans that a worker takes, so many may be batch scans that have waited for long.
BATCH_SHARE = 0.25


@dataclass(frozen=True, slots=True)
class Backlog:
    """What the workers have before them.

    Attributes:
        waiting: Interactive scans nobody works on yet.
        in_system: These, and those that are worked on.
        batch_waiting: Batch scans nobody works on yet.
        batch_in_system: These, and those that are worked on.
    """

    waiting: int = 0
    in_system: int = 0
    batch_waiting: int = 0
    batch_in_system: int = 0

    def ahead(self, priority: Priority) -> int:
        """How many scans wait that are taken before one that comes now."""
        return self.waiting + (self.batch_waiting if priority is Priority.BATCH else 0)

    def present(self, priority: Priority) -> int:
        """How many scans are there that one which comes now has to do with."""
        return self.in_system + (self.batch_in_system if priority is Priority.BATCH else 0)


class Admission:
    """Lets scans in while they can be done in time.

    Args:
        count: Counts the backlog of all workers.
        longest_seconds: How long a scan may be expected to stay, by its priority.
        always: So many in the system are never too many: there must be some before a rate can be measured.
        clock: Seconds, from anywhere.
    """

    def __init__(
        self,
        count: Callable[[], Awaitable[Backlog]],
        longest_seconds: Mapping[Priority, float],
        always: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._count = count
        self._clock = clock
        self._longest = longest_seconds
        self._always = always
        self._backlog = Backlog()
        self._entered = Counter[Priority]()  # through this process, since the backlog was counted
        self._left = 0  # heard of since then
        self._rates: deque[float] = deque(maxlen=_WINDOW)
        self._counted_at = clock()

    def check(self, priority: Priority = Priority.INTERACTIVE) -> None:
        """Says whether there is room for one more; those that give way to it aren't in its way.

        Raises:
            ResourceExhausted: There isn't; with the time after which there may be.
        """
        stay, longest = self._stay(priority), self._longest[priority]
        if self._present(priority) < self._always or stay <= longest:
            return
        known = stay if math.isfinite(stay) else longest * 2
        retry = min(_LONGEST_RETRY, max(1.0, known - longest)) * random.uniform(0.5, 1.0)
        raise ResourceExhausted(Reason.SCAN_BACKLOG, expected_seconds=round(known), retry_after=retry)

    def entered(self, priority: Priority = Priority.INTERACTIVE) -> None:
        """One scan more was queued."""
        self._entered[priority] += 1

    def left(self, count: int) -> None:
        """So many scans have ended, wherever they were worked on."""
        self._left += count

    def wait(self, so_far: float, priority: Priority = Priority.INTERACTIVE) -> float | None:
        """Seconds until a scan that has waited `so_far` is taken; None if that isn't known."""
        ahead = self._backlog.ahead(priority)
        if not ahead:
            return 0.0
        rate = self._rate(priority)
        return max(0.0, ahead / rate - so_far) if rate else None

    async def run(self) -> None:
        """Counts for ever."""
        while True:
            await asyncio.sleep(_SAMPLE_SECONDS)
            if not (self._entered.total() or self._left or self._present(Priority.BATCH)):
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
        entered, left, began = self._entered.copy(), self._left, self._clock()
        backlog = await self._count()
        before, now = self._backlog.present(Priority.BATCH), backlog.present(Priority.BATCH)
        # Redis may be down, and then no other process is heard of.
        inferred = entered.total() - (now - before)
        if before or now:
            self._rates.append(max(left, inferred, 0) / (began - self._counted_at))
        else:
            self._rates.clear()
        self._backlog, self._counted_at = backlog, began
        self._entered -= entered
        self._left -= left

    def _rate(self, priority: Priority) -> float:
        """Scans a second that those of a priority can count on: all, less what aged batch scans have for certain."""
        rate = sum(self._rates) / len(self._rates) if self._rates else 0.0
        return rate * (1 - BATCH_SHARE) if self._backlog.batch_waiting and priority is not Priority.BATCH else rate

    def _present(self, priority: Priority) -> int:
        """Those in the system that one of a priority has to do with, those that came since they were counted too."""
        entered = self._entered if priority is Priority.BATCH else {priority: self._entered[priority]}
        return self._backlog.present(priority) + sum(entered.values())

    def _stay(self, priority: Priority) -> float:
        rate = self._rate(priority)
        return self._present(priority) / rate if rate else math.inf


@asynccontextmanager
async def open_admission(
    count: Callable[[], Awaitable[Backlog]], longest_seconds: Mapping[Priority, float], always: int
) -> AsyncIterator[Admission]:
    """The admission, as `Admission` is made, counting until the block is left."""
    admission = Admission(count, longest_seconds, always)
    async with kept_running(admission.run):
        yield admission
