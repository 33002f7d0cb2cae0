"""`make bench-peer`: our stack and the peer's, side by side on one machine, driven in turn by one load generator.

What the peer is and how to read the figures: bench/README.md.
"""

import argparse
import gc
import os
import resource
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

import asyncpg
import psutil
import uvloop

from bench import cpu_speed, machine
from bench.mesh.report import Figures, write
from bench.mesh.scenarios import lag
from bench.mesh.stack import CpuMeter, standing
from bench.peer import comparison, install, targets
from bench.peer.comparison import Measured
from bench.peer.scenarios import FEW, MANY, SCENARIOS, Counts, warm
from bench.peer.targets import Target
from local.errors import CannotStart, NotStarted
from local.stack.services import cores

HOME = Path(__file__).parents[2] / "var" / "peer"  # its environment, kept between runs

_BUSY = 0.5  # load average from which on a machine counts as busy
_KNOBS = "PEER_"


def main() -> None:
    """`python -m bench.peer [--only CE] [--rounds 3] [--quick] [--split | --processes 2]`."""
    arguments = _arguments()
    processes = None if arguments.split else arguments.processes
    chosen = [letter for letter in SCENARIOS if letter in (arguments.only.upper() or "".join(SCENARIOS))]
    if (load := os.getloadavg()[0]) > _BUSY:
        _say(f"The machine is busy (load {load:.1f}): trust ratios only, and those of CPU most.")
    began = time.monotonic()
    counts = FEW if arguments.quick else MANY
    try:
        with _both(processes) as (about, systems):
            measured = _measure(systems, chosen, arguments.rounds or (2 if arguments.quick else 3), counts)
    except (CannotStart, NotStarted) as error:
        sys.exit(str(error))
    rows = comparison.rows(measured)
    print("\n".join(f"{name}: {value}" for name, value in about.items()), end="\n\n")
    print(comparison.table(rows))
    content = {"rows": [asdict(row) for row in rows], "rounds": [asdict(one) for one in measured]}
    print(f"\n{time.monotonic() - began:.0f} s in all. Figures: {write(about, content, 'peer')}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench-peer", description=__doc__)
    parser.add_argument("--only", default="", help=f"scenarios, of {''.join(SCENARIOS)}; all by default")
    parser.add_argument("--rounds", type=int, default=0, help="each with both systems; 3 by default, 2 if quick")
    parser.add_argument("--quick", action="store_true", help="short runs: at most 8 minutes, figures are rougher")
    parser.add_argument("--processes", type=int, default=cores(), help="of ours, each with all services; one a core")
    parser.add_argument("--split", action="store_true", help="of ours a process for each service instead")
    return parser.parse_args()


@contextmanager
def _both(processes: int | None) -> Iterator[tuple[Mapping[str, str], Sequence[Target]]]:
    """Both systems, running and warm, and what a reader must know of them and the machine."""
    _many_files()
    install.rabbitmq()
    python, generated = install.python(HOME / "venv"), HOME / "generated"
    knobs = ", ".join(f"{name}={value}" for name, value in os.environ.items() if name.startswith(_KNOBS))
    install.generate(generated)
    with tempfile.TemporaryDirectory(prefix="eco2-peer-", ignore_cleanup_errors=True) as folder:
        prompts = Path(folder) / "prompts.json"
        with standing(lag.ENVIRONMENT, hosted=True, processes=processes) as stack:
            ours = targets.ours(stack)
            prompts.write_bytes(uvloop.run(targets.recorded(ours)))
            with targets.peer(stack, Path(folder) / "stack", python, generated, prompts) as peer:
                about = {
                    **uvloop.run(_describe(ours)),
                    "ours": ", ".join(stack.processes),
                    "the peer": ", ".join(peer.stack.processes),
                    "its knobs": knobs or "none turned",
                }
                for target in (ours, peer):
                    uvloop.run(warm(target))
                yield about, (ours, peer)


def _measure(systems: Sequence[Target], chosen: Sequence[str], rounds: int, counts: Counts) -> list[Measured]:
    """Every scenario with both systems in every round; who goes first changes with each."""
    measured = []
    for number in range(rounds):
        for letter in chosen:
            if number and SCENARIOS[letter].once:
                continue
            for target in systems if number % 2 == 0 else systems[::-1]:
                one = uvloop.run(_one(target, letter, number, counts))
                measured.append(one)
                told = one.error or ", ".join(f"{name} {value:.4g}" for name, value in _shown(one).items())
                _say(f"round {number + 1}, {SCENARIOS[letter].title}, {target.name}: {told}")
    return measured


async def _one(target: Target, letter: str, number: int, counts: Counts) -> Measured:
    figures: Figures = {}
    error, load = "", os.getloadavg()[0]
    gc.collect()
    gc.disable()  # the generator's own pauses, 80 ms with thousands of users, would count as the server's
    busy, meter, began = _busy_seconds(), CpuMeter(target.stack), time.perf_counter()
    with cpu_speed.beside() as beside:
        try:
            figures = await SCENARIOS[letter].measure(target, counts)
        except (Exception, ExceptionGroup) as failed:  # the other figures are worth having
            error = repr(failed)
    seconds, (ours, others) = time.perf_counter() - began, meter.stop()
    gc.enable()
    told = sum(ours.values()) + sum(others.values())
    around = {
        "load_before": load,
        "seconds": seconds,
        "typical_ms": beside.typical,
        "stolen": beside.stolen,
        "other_cores": max(0.0, _busy_seconds() - busy - told) / seconds,
    }
    return Measured(letter, target.name, number, figures, around, error)


def _shown(one: Measured) -> Figures:
    names = {promise.figure for promise in comparison.PROMISES if promise.scenario == one.scenario}
    return {name: value for name, value in one.figures.items() if name in names}


def _busy_seconds() -> float:
    """CPU seconds that the machine has spent on anything so far."""
    times = psutil.cpu_times()
    return float(times.user + times.nice + times.system + times.irq + times.softirq)


async def _describe(target: Target) -> Mapping[str, str]:
    connection = await asyncpg.connect(target.stack.variables["ECO2_DATABASE_URL"])
    try:
        return await machine.describe(connection)
    finally:
        await connection.close()


def _many_files() -> None:
    """Thousands of watchers are as many open files, here and in the servers, which inherit the limit."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
