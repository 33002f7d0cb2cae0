"""The simulation behaves as the benchmark measured, and as queueing theory says."""

import random
from dataclasses import replace

import pytest
import simpy

from bench.simulate.autoscaler import Rules
from bench.simulate.day import live
from bench.simulate.fleet import Fleet, Pace, arrivals
from bench.simulate.machine import compare
from bench.simulate.rules import CHOSEN, DOCUMENTS

_NIGHT = 3600.0


def test_it_agrees_with_the_benchmark() -> None:
    """With one number fitted; the mean of a burst depends on who is served first, which it doesn't know."""
    apart = {one.name: one.apart for one in compare()}
    mean = apart.pop("500 at once: mean, s")
    assert {name: share for name, share in apart.items() if share > 0.1} == {}
    assert mean < 0.3


def test_a_fleet_that_doesnt_scale_waits_as_erlang_says() -> None:
    """M/M/1 at four fifths: a wait of four services on average, within a sixth over 24,000 scans."""

    class Exponential(random.Random):
        def uniform(self, a: float, b: float) -> float:
            return self.expovariate(1 / a) if a else 0.0

    env, chance = simpy.Environment(), random.Random(3)
    fleet = Fleet(env, 1, Pace(look=(1.0, 1.0), write=(0.0, 0.0)), 1, Exponential(5))
    env.process(arrivals(env, lambda _: 0.8, 0.8, fleet.submit, chance))
    env.run(until=30_000)
    assert sum(fleet.waits) / len(fleet.waits) == pytest.approx(4.0, rel=0.15)


def test_the_chosen_rules_wait_less_than_the_documents() -> None:
    """The first hour of a day, which falls to the quiet of the night: enough for depth alone to swing."""
    chosen, documents = (live(rules, 3.0, 4, Pace(), seconds=_NIGHT) for rules in (CHOSEN, DOCUMENTS))
    assert chosen.p95 < 1.0 < documents.p95
    assert chosen.pod_hours < 20 * _NIGHT / 3600


def test_pods_are_added_for_what_waits_and_removed_once_it_is_gone() -> None:
    """Never fewer than the least, nor more than the most."""
    rules = Rules("any", busy=0.8, least=2, most=6, in_window=60)
    day = live(rules, 2.0, 4, Pace(), seconds=_NIGHT)
    counts = {pods for _, pods, _ in day.curve}
    assert min(counts) >= 2
    assert max(counts) == 6
    assert live(replace(rules, most=2), 2.0, 4, Pace(), seconds=1800.0).curve[-1][1] == 2
