"""A day with peaks and two rushes, under one set of rules."""

import random
from dataclasses import dataclass
from statistics import quantiles

import simpy

from bench.simulate.autoscaler import Autoscaler, Rules
from bench.simulate.fleet import Fleet, Pace, arrivals

DAY = 86_400.0
# Share of the day's greatest rate by the hour: least at six in the morning, most in the evening, when waste is put out.
HOURS = (
    0.30, 0.20, 0.12, 0.08, 0.06, 0.05, 0.05, 0.20, 0.45, 0.50, 0.45, 0.50,
    0.70, 0.60, 0.50, 0.45, 0.45, 0.55, 0.80, 1.00, 1.00, 0.90, 0.65, 0.45,
)  # fmt: skip
# When three times as many come for five minutes: somebody wrote about it.
RUSHES = (10.5 * 3600, 15.25 * 3600)
_RUSH_SECONDS, _RUSH = 300.0, 3.0


@dataclass(frozen=True, slots=True)
class Day:
    """How a day went.

    Attributes:
        rules: Under which rules.
        scans: How many there were.
        pod_hours: What they cost.
        p50: Median wait for a slot, in seconds.
        p95: So long nineteen of twenty waited at most.
        p99: The same of a hundred.
        worst: The longest wait.
        cut: Model calls that were cut short by scaling in, and paid for twice.
        curve: Second of the day, pods, scans waiting; every quarter of a minute.
    """

    rules: Rules
    scans: int
    pod_hours: float
    p50: float
    p95: float
    p99: float
    worst: float
    cut: int
    curve: list[tuple[float, int, int]]


def rate_at(peak: float, second: float) -> float:
    """Scans a second at a moment of the day; between the hours' middles in a straight line."""
    place = (second / 3600 - 0.5) % 24
    hour, part = int(place), place % 1
    share = HOURS[hour] * (1 - part) + HOURS[(hour + 1) % 24] * part
    rush = any(begins <= second < begins + _RUSH_SECONDS for begins in RUSHES)
    return peak * share * (_RUSH if rush else 1.0)


def live(rules: Rules, peak: float, slots: int, pace: Pace, seed: int = 17, seconds: float = DAY) -> Day:
    """Simulates a day from midnight on; by the same seed the same scans come."""
    env, chance = simpy.Environment(), random.Random(seed)
    fleet = Fleet(env, slots, pace, rules.least, random.Random(seed + 1))
    curve: list[tuple[float, int, int]] = []
    env.process(arrivals(env, lambda now: rate_at(peak, now), peak * _RUSH, fleet.submit, chance))
    env.process(Autoscaler(fleet, rules, lambda *seen: curve.append(seen)).run())
    env.run(until=seconds)
    fleet.close()
    marks = quantiles(fleet.waits, n=100)
    return Day(
        rules, len(fleet.waits), fleet.pod_seconds / 3600, marks[49], marks[94], marks[98], max(fleet.waits), fleet.cut,
        curve,
    )  # fmt: skip
