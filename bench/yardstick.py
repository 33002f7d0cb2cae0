"""How fast the machine itself is while something is measured on it.

Virtual machines share their cores: the same work may take twice the CPU time a second later, and nothing in this
machine tells. So a fixed piece of Python runs five times a second beside every measurement, for 1 % of a core, and its
CPU time is told with the figures: compare runs only where it is alike.
"""

import select
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from statistics import median

_PAUSE_SECONDS = 0.2
_ROUNDS = 20_000


class Yardstick:
    """What the fixed piece of work took, in milliseconds of CPU.

    Attributes:
        times: One for each time it ran; filled when the measurement is over.
    """

    def __init__(self) -> None:
        self.times: Sequence[float] = ()

    @property
    def typical(self) -> float:
        """Half of them took less; 0 before the measurement is over."""
        return median(self.times) if self.times else 0.0


@contextmanager
def beside() -> Iterator[Yardstick]:
    """Measures the machine while the block runs, in a process of its own."""
    yardstick = Yardstick()
    process = subprocess.Popen([sys.executable, "-m", "bench.yardstick"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        yield yardstick
    finally:
        told, _ = process.communicate()  # it ends with its input
        yardstick.times = [float(line) for line in told.split()]


def work() -> float:
    """The fixed piece of work; returns the milliseconds of CPU it took."""
    began = time.process_time()
    total = 0
    for number in range(_ROUNDS):
        total += number * number & 7
    return (time.process_time() - began) * 1000


def _main() -> None:
    while not select.select([sys.stdin], [], [], _PAUSE_SECONDS)[0]:
        print(f"{work():.3f}")


if __name__ == "__main__":
    _main()
