"""How fast the machine itself is while something is measured on it.

Virtual machines share their cores, in two ways that both spoil figures. The same work may take twice the CPU time a
second later: so a fixed piece of Python runs five times a second beside every measurement, for 1 % of a core, and its
CPU time is told with the figures. And the host may stop a core for others: what it took away the kernel counts (steal),
and whoever waits meanwhile waits longer. Compare runs only where both are alike.
"""

import select
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from statistics import median
from typing import Any

import psutil

_PAUSE_SECONDS = 0.2
_ROUNDS = 20_000


class CpuSpeed:
    """What the fixed piece of work took, in milliseconds of CPU.

    Attributes:
        times: One for each time it ran; filled when the measurement is over.
        stolen: Of the time in which something wanted to run, the share in which the host ran others, 0 to 1.
    """

    def __init__(self) -> None:
        self.times: Sequence[float] = ()
        self.stolen = 0.0

    @property
    def typical(self) -> float:
        """Half of them took less; 0 before the measurement is over."""
        return median(self.times) if self.times else 0.0


@contextmanager
def beside() -> Iterator[CpuSpeed]:
    """Measures the machine while the block runs, in a process of its own."""
    cpu = CpuSpeed()
    before = psutil.cpu_times()
    process = subprocess.Popen([sys.executable, "-m", "bench.cpu_speed"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        yield cpu
    finally:
        told, _ = process.communicate()  # it ends with its input
        cpu.times = [float(line) for line in told.split()]
        cpu.stolen = _stolen(before, psutil.cpu_times())


def work() -> float:
    """The fixed piece of work; returns the milliseconds of CPU it took."""
    began = time.process_time()
    total = 0
    for number in range(_ROUNDS):
        total += number * number & 7
    return (time.process_time() - began) * 1000


def _stolen(before: Any, after: Any) -> float:
    """Share of the wanted time that was stolen between two looks at the kernel's own count."""
    spent = {name: getattr(after, name) - getattr(before, name) for name in after._fields}
    wanted = sum(spent[name] for name in ("user", "nice", "system", "irq", "softirq", "steal"))
    return float(spent["steal"] / wanted) if wanted else 0.0


def _main() -> None:
    while not select.select([sys.stdin], [], [], _PAUSE_SECONDS)[0]:
        print(f"{work():.3f}")


if __name__ == "__main__":
    _main()
