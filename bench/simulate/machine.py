"""The benchmark's own machine: scans that share its cores, against what `make bench` measured on it.

A scan takes CPU before, between and after its two model calls, at the cores first come, first served. How much CPU a
scan takes, and how long the model does, is the benchmark's; how much of the two cores the system has is fitted once,
for all: the generator and the model's stand-in run on the same ones.
"""

import json
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

import simpy

RESULTS = Path(__file__).parents[1] / "results" / "mesh-20261129T214053Z.json"
CORES = 2
USABLE = 0.9  # of each core: fitted
# Of a scan's CPU: until the model looks at the photo, between its calls, after them.
_SHARES = (0.5, 0.2, 0.3)


@dataclass(frozen=True, slots=True)
class Compared:
    """One figure, measured and simulated.

    Attributes:
        name: For people.
        measured: By the benchmark.
        simulated: Here.
    """

    name: str
    measured: float
    simulated: float

    @property
    def apart(self) -> float:
        """By which share they differ."""
        return abs(self.simulated / self.measured - 1)


def burst(scans: int, cpu_seconds: float, calls: tuple[float, float]) -> list[float]:
    """So many scans at once; returns when each is done, in seconds."""
    env = simpy.Environment()
    done: list[float] = []
    cores = simpy.Resource(env, CORES)
    for _ in range(scans):
        env.process(_scan(env, cores, cpu_seconds, calls, done.append))
    env.run()
    return done


def closed(users: int, cpu_seconds: float, calls: tuple[float, float], seconds: float) -> tuple[float, float]:
    """So many users, each with one scan after the other; returns scans a second and their mean time."""
    env = simpy.Environment()
    took: list[float] = []
    cores = simpy.Resource(env, CORES)

    def user(number: int) -> Generator[simpy.Event, Any, None]:
        yield env.timeout(sum(calls) * number / users)  # not all at one moment
        while True:
            began = env.now
            yield env.process(_scan(env, cores, cpu_seconds, calls, lambda _: None))
            if began > seconds / 4:  # the warm-up isn't counted
                took.append(env.now - began)

    for number in range(users):
        env.process(user(number))
    env.run(until=seconds)
    return users / fmean(took), fmean(took)


def compare(results: Path = RESULTS) -> tuple[Compared, ...]:
    """What a run of the benchmark measured beside what comes of its CPU and its model alone."""
    measured: Mapping[str, Any] = json.loads(results.read_text(encoding="utf-8"))["figures"]
    crowd, steady, full = measured["E"]["burst"], measured["E"]["steady"], measured["H"]["saturated"]
    cpu = steady["cpu_ms"] / 1000
    done = burst(500, cpu, (2.0, 2.0))
    rate, mean = closed(500, cpu, (4.5, 6.7), 60.0)
    saturated, _ = closed(128, full["cpu_ms"] / 1000, (0.0, 0.0), 20.0)
    return (
        Compared("500 at once: last done, s", crowd["max_ms"] / 1000, max(done)),
        Compared("500 at once: mean, s", crowd["mean_ms"] / 1000, fmean(done)),
        Compared("500 users: scans/s", steady["scans"] / 180, rate),
        Compared("500 users: mean / model", steady["mean_ratio"], mean / 11.2),
        Compared("model 0 ms: scans/s", full["scans_per_second"], saturated),
    )


def _scan(
    env: simpy.Environment,
    cores: simpy.Resource,
    cpu_seconds: float,
    calls: tuple[float, float],
    done: Callable[[float], None],
) -> Generator[simpy.Event, Any, None]:
    for share, call in zip(_SHARES, (*calls, 0.0), strict=True):
        with cores.request() as core:
            yield core
            yield env.timeout(cpu_seconds * share / USABLE)
        yield env.timeout(call)
    done(env.now)
