"""Metrics of a process: how late its event loop is, how long collections stop it, what it takes of the machine."""

import asyncio
import gc
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mesh.observability.instruments import Instruments, Reading
from mesh.observability.metrics import Kind, Metric

_LOOK_SECONDS = 0.25
_STATM, _OPEN_FILES = Path("/proc/self/statm"), Path("/proc/self/fd")

LOOP_LAG = Metric(
    "eco2.event_loop.lag",
    Kind.HISTOGRAM,
    "s",
    "How late timers fire, by four looks a second: what every call waits for beside its own work.",
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5),
)
GC_PAUSE = Metric(
    "eco2.gc.pause",
    Kind.HISTOGRAM,
    "s",
    "How long a collection of reference cycles stopped the process.",
    {"cpython.gc.generation": ("0", "1", "2")},
    (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1),
)
CPU_TIME = Metric("process.cpu.time", Kind.COUNTER, "s", "CPU time of the process.", {"cpu.mode": ("user", "system")})
MEMORY = Metric("process.memory.usage", Kind.UP_DOWN_COUNTER, "By", "Memory of the process that is resident.")
FILES = Metric(
    "process.unix.file_descriptor.count", Kind.UP_DOWN_COUNTER, "{file_descriptor}", "Files and sockets that are open."
)
UPTIME = Metric("process.uptime", Kind.GAUGE, "s", "How long the process has run.")
METRICS = (LOOP_LAG, GC_PAUSE, CPU_TIME, MEMORY, FILES, UPTIME)


@contextmanager
def process_metrics(instruments: Instruments) -> Iterator[None]:
    """Measures this process, and the event loop that runs, while the block does; nothing if nobody receives it."""
    if not instruments.exporting:
        yield
        return
    began = time.monotonic()
    instruments.observe(CPU_TIME, _cpu_time)
    instruments.observe(UPTIME, lambda: [(time.monotonic() - began, {})])
    if _STATM.exists():  # Linux
        instruments.observe(MEMORY, _memory)
        instruments.observe(FILES, lambda: [(sum(1 for _ in _OPEN_FILES.iterdir()), {})])
    lag, pauses = _LoopLag(instruments), _CollectorPauses(instruments)
    gc.callbacks.append(pauses.told)
    try:
        yield
    finally:
        gc.callbacks.remove(pauses.told)
        lag.stop()


class _LoopLag:
    """Looks at the running loop, by a timer and no task."""

    def __init__(self, instruments: Instruments) -> None:
        self._lags = instruments.histogram(LOOP_LAG)
        self._loop = asyncio.get_running_loop()
        self._next()

    def stop(self) -> None:
        """Looks no more."""
        self._timer.cancel()

    def _next(self) -> None:
        self._due = self._loop.time() + _LOOK_SECONDS
        self._timer = self._loop.call_at(self._due, self._look)

    def _look(self) -> None:
        self._lags.record(max(0.0, self._loop.time() - self._due))
        self._next()


class _CollectorPauses:
    """Hears of every collection.

    One may begin wherever memory is taken, in the middle of OpenTelemetry's SDK too, which holds a lock there that it
    takes for every value: a value recorded from here would wait for itself. Our own histograms have no lock.
    """

    def __init__(self, instruments: Instruments) -> None:
        generations = enumerate(GC_PAUSE.combinations())
        self._record = {number: instruments.series(GC_PAUSE, generation) for number, generation in generations}
        self._began = 0.0

    def told(self, phase: str, info: dict[str, int]) -> None:
        """Called by the collector, before and after."""
        if phase == "start":
            self._began = time.perf_counter()
        else:
            self._record[info["generation"]](time.perf_counter() - self._began)


def _cpu_time() -> list[Reading]:
    times = os.times()
    return [(times.user, {"cpu.mode": "user"}), (times.system, {"cpu.mode": "system"})]


def _memory() -> list[Reading]:
    pages = int(_STATM.read_text().split()[1])
    return [(pages * os.sysconf("SC_PAGE_SIZE"), {})]
