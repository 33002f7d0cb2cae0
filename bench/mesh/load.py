"""Two ways of putting load on a server, and what they observe.

Closed: so many clients, each sends its next request when the last one was answered; shows what the system can do.
Open: requests come when they come, whether or not earlier ones were answered; shows what people wait. Its latencies run
from the moment a request was *meant* to be sent: a stalled server can't hide the requests it kept from being sent.
"""

import asyncio
import functools
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Send = Callable[[], Awaitable[object]]
Clock = Callable[[], float]

_PERCENTS = (50, 90, 95, 99)


class Refused(Exception):
    """The server answered with something else than success; the text says with what."""


@dataclass(slots=True)
class Sample:
    """What a load observed.

    Attributes:
        latencies: Seconds of each success.
        errors: How often each kind of failure occurred.
        seconds: How long was measured.
        done_in_time: Successes within that time; the others were answered after its end.
    """

    latencies: list[float] = field(default_factory=list)
    errors: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0
    done_in_time: int = 0

    @property
    def rate(self) -> float:
        """Successes a second."""
        return self.done_in_time / self.seconds if self.seconds else 0.0

    @property
    def success(self) -> float:
        """Share of requests that succeeded, 0 to 1."""
        count = len(self.latencies) + self.errors.total()
        return len(self.latencies) / count if count else 0.0

    def figures(self) -> dict[str, float]:
        """Rate, count, errors, mean and percentiles in milliseconds."""
        return {
            "count": len(self.latencies),
            "errors": self.errors.total(),
            "per_second": self.rate,
            **milliseconds(self.latencies),
        }


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest value that at least so many percent of all are not above: one that occurred, nothing interpolated.

    Raises:
        ValueError: There are no values.
    """
    if not len(values):
        raise ValueError("a percentile of nothing")
    return float(np.percentile(np.asarray(values), percent, method="inverted_cdf"))


def milliseconds(seconds: Sequence[float]) -> dict[str, float]:
    """Mean, percentiles and maximum of durations, in milliseconds; nothing for none."""
    if not len(seconds):
        return {}
    exact = {f"p{percent}_ms": percentile(seconds, percent) * 1000 for percent in _PERCENTS}
    return {"mean_ms": float(np.mean(seconds)) * 1000, **exact, "max_ms": max(seconds) * 1000}


def arrivals(rate: float, seconds: float, seed: int = 1) -> NDArray[np.float64]:
    """Moments of a Poisson process, in seconds from now: strangers don't coordinate."""
    random = np.random.default_rng(seed)
    moments = np.cumsum(random.exponential(1 / rate, size=int(rate * seconds * 1.5) + 50))
    return moments[moments < seconds]


async def closed_loop(clients: Sequence[Send], seconds: float, clock: Clock = time.perf_counter) -> Sample:
    """Every client sends one request after the other until the time is up."""
    sample = Sample(seconds=seconds)
    ends_at = clock() + seconds

    async def client(send: Send) -> None:
        while (began := clock()) < ends_at:
            await _observed(send, sample, began, ends_at, clock)

    await asyncio.gather(*(client(send) for send in clients))
    return sample


async def open_loop(send: Callable[[int], Awaitable[object]], moments: Sequence[float] | NDArray[np.float64],
                    clock: Clock = time.perf_counter) -> Sample:  # fmt: skip
    """Sends request number i at the i-th moment, however the ones before fare.

    Args:
        send: Sends one request and waits for its answer.
        moments: When to send, in seconds from now, ascending.
        clock: Seconds, from any start.
    """
    began = clock()
    sample = Sample(seconds=float(moments[-1]))
    async with asyncio.TaskGroup() as group:
        for number, moment in enumerate(moments):
            if (ahead := began + float(moment) - clock()) > 0:
                await asyncio.sleep(ahead)
            intended = began + float(moment)
            group.create_task(
                _observed(functools.partial(send, number), sample, intended, began + sample.seconds, clock)
            )
    return sample


async def _observed(send: Send, sample: Sample, began: float, ends_at: float, clock: Clock) -> None:
    try:
        await send()
    except (Refused, OSError) as error:
        sample.errors[str(error) or type(error).__name__] += 1
        return
    ended = clock()
    sample.latencies.append(ended - began)
    sample.done_in_time += ended <= ends_at
