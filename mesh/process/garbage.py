"""Python's collector of reference cycles, kept from stopping a process that is at work.

Left alone it looks through the whole heap whenever that has grown by a quarter: with thousands of open streams every
such pass stops all of them for a tenth of a second. Here only young objects are looked at while the process works. The
whole is looked through when the process has nothing to do, or when so much has been added that old cycles could be what
fills the memory. What isn't part of a cycle is freed at once in any case.
"""

import asyncio
import gc
import sys
import time
from collections.abc import Callable

import structlog

from mesh.process import memory

_log = structlog.get_logger("garbage")

# The first two generations: 10,000 new objects take about two milliseconds, ten times as many ten, since few are left.
# The third never gets its turn by itself.
_THRESHOLDS = 10_000, 10, 1_000_000_000
# Blocks are Python's allocations, of about a hundred bytes each. How many must have been added before everything is
# looked through, in a process that has nothing to do and in one that is at work; there the heap must have doubled, too.
_WHEN_IDLE = 100_000
_WHEN_BUSY = 1_000_000
# Share of a core below which a process has nothing to do: housekeeping takes one or two hundredths.
_IDLE = 0.05
_LOOK_SECONDS = 1.0
# A process that gets no turn uses little CPU, too, but what it does comes late: the next look, for one.
_LATE_SECONDS = 0.02


def spare_the_whole() -> None:
    """From now on only young objects are looked at; to be called before a process makes what it consists of.

    Nearly all of that stays. To look through it again and again took a quarter of the time that a rule book takes.
    """
    gc.set_threshold(*_THRESHOLDS)


class GarbageCollection:
    """When everything is looked through.

    Args:
        blocks: How many blocks of memory Python has allocated.
        cpu: Seconds of CPU that the process has used.
        clock: Seconds, from any start.
    """

    def __init__(
        self,
        blocks: Callable[[], int] = sys.getallocatedblocks,
        cpu: Callable[[], float] = time.process_time,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._blocks = blocks
        self._cpu = cpu
        self._clock = clock
        self._kept = 0
        self._used = self._looked_at = 0.0

    def begin(self) -> None:
        """The process is complete: what it consists of stays, and is never looked at again."""
        spare_the_whole()
        memory.give_back()
        gc.freeze()
        self._kept = self._blocks()
        self._used, self._looked_at = self._cpu(), self._clock()

    async def run(self) -> None:
        """Looks after the process for ever."""
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            self.look()

    def look(self) -> None:
        """Collects if it is time; to be called about once a second."""
        blocks, idle = self._blocks(), self._idle()
        self._kept = min(self._kept, blocks)  # who comes after others have left takes their room
        if blocks - self._kept > (_WHEN_IDLE if idle else max(_WHEN_BUSY, self._kept)):
            began = time.perf_counter()
            found = gc.collect()
            self._kept = self._blocks()
            took = round((time.perf_counter() - began) * 1000)
            _log.info("garbage collected", found=found, blocks=self._kept, idle=idle, milliseconds=took)

    def _idle(self) -> bool:
        used, now = self._cpu(), self._clock()
        passed = now - self._looked_at
        idle = used - self._used < _IDLE * passed and passed < _LOOK_SECONDS + _LATE_SECONDS
        self._used, self._looked_at = used, now
        return idle
