"""`make bench-queue`: what the durable queue itself costs.

Workers are processes of their own that run the real worker, execution and queue against a PostgreSQL of their own with
fsync on; the stages do nothing, and progress is published nowhere. How to read the figures: bench/README.md.
"""

import json
import sys
import tempfile
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

import asyncpg
import uvloop

from bench import machine
from bench.queue.environment import CLIENTS, Yard, opened
from bench.queue.measures import Figures, hops, in_flight, long_transaction, throughput, undisturbed

RESULTS = Path(__file__).parents[1] / "results"

_SCANS = 6000
_PASSES = 3
_HOPS = 200
_IN_FLIGHT = 5000

Report = dict[str, Figures]


async def measure(yard: Yard, say: Callable[[str], None]) -> Report:
    """Takes every figure."""
    await yard.prepare()
    steps: Sequence[tuple[str, Callable[[], Awaitable[Figures]]]] = (
        ("one_worker", lambda: _repeated(lambda: throughput(yard, 1, _SCANS))),
        ("two_workers", lambda: _repeated(lambda: throughput(yard, 2, _SCANS))),
        ("idle", lambda: hops(yard, _HOPS)),
        ("in_flight", lambda: in_flight(yard, _IN_FLIGHT)),
        ("undisturbed", lambda: undisturbed(yard, _SCANS // 2)),
        ("long_transaction", lambda: long_transaction(yard, _SCANS // 2)),
    )
    report: Report = {}
    for name, step in steps:
        say(name.replace("_", " "))
        report[name] = await step()
    return report


async def _repeated(run: Callable[[], Awaitable[Figures]]) -> Figures:
    """The median of several passes, and the best rate: on a shared machine they lie apart."""
    passes = [await run() for _ in range(_PASSES)]
    middle = {name: median(one[name] for one in passes) for name in passes[0]}
    return {**middle, "best_scans_per_second": max(one["scans_per_second"] for one in passes)}


def table(report: Report) -> str:
    """The figures as a table in Markdown."""
    one, two, idle, held = report["one_worker"], report["two_workers"], report["idle"], report["in_flight"]
    rows = [
        ("complete scans/s, median (best)", *(f"{run['scans_per_second']:,.0f} ({run['best_scans_per_second']:,.0f})"
                                              for run in (one, two))),
        ("CPU ms per scan: worker + PostgreSQL", *(f"{run['worker_cpu_ms']:.2f} + {run['postgres_cpu_ms']:.2f}"
                                                   f" = {run['cpu_ms']:.2f}" for run in (one, two))),
        (f"submits/s, {CLIENTS} clients, no worker", f"{one['submits_per_second']:,.0f}", ""),
        (f"submit p50 / p99, {CLIENTS} clients", f"{one['submit_p50_ms']:.1f} / {one['submit_p99_ms']:.1f} ms", ""),
        ("idle: submit to first stage, p50", f"{idle['first_hop_p50_ms']:.1f} ms", ""),
        ("idle: stage to stage, p50", f"{idle['hop_p50_ms']:.1f} ms", ""),
        (f"{held['in_flight']:,.0f} in flight in one process: RSS",
         f"{held['rss_mib']:.0f} MiB ({held['rss_idle_mib']:.0f} before)", ""),
        ("  claimed in / finished in",
         f"{held['claimed_in_seconds']:.1f} s / {held['finished_in_seconds']:.1f} s", ""),
        ("HOT updates of scan.job", f"{report['undisturbed']['hot_ratio']:.0%}", ""),
        ("  while a long transaction is open", f"{report['long_transaction']['hot_ratio']:.0%},"
         f" {report['long_transaction']['scans_per_second']:,.0f} scans/s", ""),
    ]  # fmt: skip
    lines = [("", "one worker", "two workers"), ("---", "---", "---"), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


async def run(yard: Yard) -> tuple[Mapping[str, str], Report]:
    """Describes the machine, then measures."""
    connection = await asyncpg.connect(yard.dsn)
    about = await machine.describe(connection)
    await connection.close()
    return about, await measure(yard, lambda name: print(f"  {name} …", file=sys.stderr, flush=True))


def keep(about: Mapping[str, str], report: Report) -> Path:
    """Writes the figures down; returns where."""
    taken_at = datetime.now(UTC)
    RESULTS.mkdir(exist_ok=True)
    file = RESULTS / f"queue-{taken_at:%Y%m%dT%H%M%SZ}.json"
    content = {"taken_at": taken_at.isoformat(timespec="seconds"), "machine": about, "figures": report}
    file.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return file


def main() -> None:
    """`python -m bench.queue`."""
    with tempfile.TemporaryDirectory(prefix="eco2-bench-") as folder, opened(Path(folder)) as yard:
        about, report = uvloop.run(run(yard))
    print("\n".join(f"{name}: {value}" for name, value in about.items()))
    print(f"\n{table(report)}\n\nWritten to {keep(about, report)}")


if __name__ == "__main__":
    main()
