"""`make bench`: what users of the whole mesh wait for, through Envoy and real servers, and what it costs.

Each scenario runs on a fresh stack. How to read the figures: bench/README.md.
"""

import argparse
import functools
import gc
import os
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

import asyncpg
import uvloop

from bench import cpu_speed, machine
from bench.mesh.picture import draw
from bench.mesh.report import Outcome, Row, keep, table
from bench.mesh.scale import FULL, QUICK, Scale
from bench.mesh.scenarios import burst, creation, lag, overhead, phone_photos, polling, throughput
from bench.mesh.stack import Stack, standing
from local.stack.services import cores

_BUSY = 0.5  # load average from which on a machine counts as busy


@dataclass(frozen=True, slots=True)
class Scenario:
    """One scenario.

    Attributes:
        title: What it is about.
        measure: Takes its figures on a fresh stack.
        environment: Settings of that stack that differ from the defaults.
        hosted: Whether it needs a hosted model.
        other_shape: Whether it runs on the shape that wasn't asked for: one process for each service, or one a core.
    """

    title: str
    measure: Callable[[Stack, Scale], Awaitable[Outcome]]
    environment: Mapping[str, str] = field(default_factory=dict)
    hosted: bool = False
    other_shape: bool = False


SCENARIOS: Mapping[str, Scenario] = MappingProxyType(
    {
        "A": Scenario("CreateScan", creation.measure),
        "B": Scenario("overhead of an idle system", overhead.measure, hosted=True),
        "C": Scenario("complete scans", throughput.measure, hosted=True),
        "D": Scenario("change to client", lag.measure, lag.ENVIRONMENT),
        "E": Scenario("a crowd", burst.measure, hosted=True),
        "F": Scenario("status polls", polling.measure),
        "G": Scenario("photos as phones take them", phone_photos.measure, hosted=True),
        "H": Scenario(
            "complete scans in the other shape",
            functools.partial(throughput.measure, name=throughput.OTHER_SHAPE),
            hosted=True,
            other_shape=True,
        ),
    }
)


async def _run(stack: Stack, scenario: Scenario, scale: Scale) -> Outcome:
    gc.disable()  # the generator's own pauses, 80 ms with thousands of users, would count as the server's
    with cpu_speed.beside() as beside:
        outcome = await scenario.measure(stack, scale)
    gc.enable()
    times = {
        "typical_ms": beside.typical,
        "least_ms": min(beside.times),
        "most_ms": max(beside.times),
        "stolen": beside.stolen,
    }
    told = Row(
        outcome.rows[0].scenario,
        "the machine itself meanwhile: a fixed piece of Python; what the host took away",
        f"{beside.typical:.2f} ms of CPU ({times['least_ms']:.2f} to {times['most_ms']:.2f}); {beside.stolen:.0%}",
    )
    return replace(outcome, rows=[*outcome.rows, told], figures={**outcome.figures, "machine": times})


async def _describe(stack: Stack) -> Mapping[str, str]:
    connection = await asyncpg.connect(stack.variables["ECO2_DATABASE_URL"])
    try:
        return await machine.describe(connection)
    finally:
        await connection.close()


def main() -> None:
    """`python -m bench.mesh [--only ACF] [--quick] [--split | --processes 2]`."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--only", default="", help=f"scenarios, of {''.join(SCENARIOS)}; all by default")
    parser.add_argument("--quick", action="store_true", help="short runs, for development: figures are rough")
    parser.add_argument("--processes", type=int, default=cores(), help="each with all services; one a core by default")
    parser.add_argument("--split", action="store_true", help="a process for each service instead")
    arguments = parser.parse_args()
    processes, other = (None, cores()) if arguments.split else (arguments.processes, None)
    chosen = [letter for letter in SCENARIOS if letter in (arguments.only.upper() or "".join(SCENARIOS))]
    if (load := os.getloadavg()[0]) > _BUSY:
        _say(f"The machine is busy (load {load:.1f}): expect worse figures than its own.")
    began = time.monotonic()
    about: Mapping[str, str] = {}
    outcomes: dict[str, Outcome] = {}
    for letter in chosen:
        scenario = SCENARIOS[letter]
        _say(f"{letter}: {scenario.title} …")
        shape = other if scenario.other_shape else processes
        with standing(scenario.environment, hosted=scenario.hosted, processes=shape) as stack:
            about = about or {**uvloop.run(_describe(stack)), "services in": ", ".join(stack.services)}
            outcomes[letter] = uvloop.run(_run(stack, scenario, QUICK if arguments.quick else FULL))
        _say(table(outcomes[letter].rows))
    print("\n".join(f"{name}: {value}" for name, value in about.items()), end="\n\n")
    print(table([row for outcome in outcomes.values() for row in outcome.rows]))
    file = keep(about, outcomes, "mesh")
    picture = file.with_suffix(".svg")
    draw(outcomes, {letter: scenario.title for letter, scenario in SCENARIOS.items()}, picture)
    print(f"\n{time.monotonic() - began:.0f} s in all. Figures: {file}; curves: {picture}")


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
