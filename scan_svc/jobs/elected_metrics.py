"""Metrics of what all processes share, such as the queue: one process asks PostgreSQL, and tells them for all.

Each would ask the same and tell the same. Whichever does it, worker or API: the queue is known while no worker runs.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Protocol, TypeAlias

import structlog

from mesh import outages
from mesh.concurrency.tasks import kept_running
from mesh.observability.instruments import Instruments, Reading
from mesh.observability.metrics import Metric
from scan_svc.jobs.leadership import Leadership

_log = structlog.get_logger("metrics")

LEASE_SECONDS = 15.0
_ASK_SECONDS = 5.0
_STAND_DOWN_SECONDS = 1.0

Shared: TypeAlias = Iterable[tuple[Metric, Sequence[Reading]]]


class Source(Protocol):
    """Reads some metrics, all with their series."""

    __name__: str

    def __call__(self) -> Awaitable[Shared]:
        """Asks once."""


class ElectedMetrics:
    """Keeps the readings of whoever leads fresh, and forgets them when it doesn't lead any more.

    Args:
        leadership: Says which process it is.
        sources: What is read.
        clock: Monotonic seconds.
    """

    def __init__(
        self, leadership: Leadership, sources: Sequence[Source], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._leadership = leadership
        self._sources = sources
        self._clock = clock
        self._readings: dict[str, Sequence[Reading]] = {}
        self._good_until = 0.0

    def of(self, metric: Metric) -> Sequence[Reading]:
        """The readings of a metric; none where another process tells them, or nobody can."""
        return self._readings.get(metric.name, ()) if self._clock() < self._good_until else ()

    async def run(self) -> None:
        """Asks for ever, while this process leads."""
        while True:
            try:
                await self.refresh()
            except Exception as error:
                if outages.from_exception(error) is None:
                    raise
                _log.warning("shared metrics not told", error=repr(error))
            await asyncio.sleep(_ASK_SECONDS)

    async def refresh(self) -> None:
        """Asks once, if this process leads."""
        asked = self._clock()
        if not await self._leadership.held():
            self._good_until = 0.0
            return
        readings: dict[str, Sequence[Reading]] = {}
        for source in self._sources:
            try:
                readings |= {metric.name: told for metric, told in await source()}
            except Exception as error:  # what one can't read must not hide what the others can
                _log.warning("shared metrics not read", source=source.__name__, error=repr(error))
        self._readings = readings
        # Never longer than the lease: from then on another process may tell them.
        self._good_until = asked + LEASE_SECONDS


@asynccontextmanager
async def open_elected_metrics(
    instruments: Instruments, leadership: Leadership, metrics: Sequence[Metric], sources: Sequence[Source]
) -> AsyncIterator[None]:
    """Tells the metrics whenever this process leads, until the block is left.

    Args:
        instruments: What tells them.
        leadership: Says which process it is.
        metrics: What is told.
        sources: What reads them.
    """
    if not instruments.exporting:
        yield
        return
    elected = ElectedMetrics(leadership, sources)
    for metric in metrics:
        instruments.observe(metric, lambda metric=metric: elected.of(metric))  # type: ignore[misc]
    try:
        async with kept_running(elected.run):
            yield
    finally:
        try:
            async with asyncio.timeout(_STAND_DOWN_SECONDS):
                await leadership.stand_down()
        except Exception as error:  # the next one leads a lease later
            _log.warning("leadership not given up", error=repr(error))
