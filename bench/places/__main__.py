"""`make bench-places`: places searched and imported, items searched by name. How to read it: bench/README.md."""

import asyncio
import json
import random
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
import uvloop

from bench import machine
from bench.places.towns import at_sea, fill, somewhere, write_csv
from local.stack.background import running
from local.stack.stack import StackPart
from mesh import migrations, postgres
from rules_svc.loading import loader
from rules_svc.places.import_cli import Report, take
from rules_svc.places.mappings import load_mapping
from rules_svc.places.places import Location
from rules_svc.places.store import PlaceStore
from rules_svc.search.index import ItemIndex

RESULTS = Path(__file__).parents[1] / "results"

_PLACES = 1_000_000
_ROWS = 100_000
_SEARCHES = 1000

Where = Callable[[random.Random], Location]
Figures = dict[str, Any]

_CASES: Mapping[str, tuple[Where, tuple[str, ...], float]] = {
    "in a town, any material, 3 km": (somewhere, (), 3_000),
    "in a town, 전지 (a fifth), 3 km": (somewhere, ("전지",), 3_000),
    "in a town, two materials, 3 km": (somewhere, ("전지", "종이"), 3_000),
    "in a town, any material, 50 km": (somewhere, (), 50_000),
    "in a town, rare (1 in 5,000), 50 km": (somewhere, ("대형폐기물",), 50_000),
    "in a town, a material nobody takes, 50 km": (somewhere, ("미분류",), 50_000),
    "at sea, any material, 50 km": (at_sea, (), 50_000),
}


async def searches(dsn: str) -> Figures:
    """Milliseconds of each kind of search, through the service's own store, one at a time."""
    figures: Figures = {}
    async with postgres.open_pool(dsn) as pool:
        store = PlaceStore(pool)
        for name, (where, materials, radius) in _CASES.items():
            dice = random.Random(3)
            for _ in range(50):
                await store.nearest(where(dice), materials, radius, 5)
            taken = []
            for _ in range(_SEARCHES):
                here = where(dice)
                started = time.perf_counter()
                await store.nearest(here, materials, radius, 5)
                taken.append((time.perf_counter() - started) * 1000)
            figures[name] = _quantiles(taken)
    return figures


def _quantiles(taken: list[float]) -> Figures:
    taken.sort()
    return {"p50_ms": round(taken[len(taken) // 2], 2), "p99_ms": round(taken[int(len(taken) * 0.99)], 2)}


async def imports(dsn: str, folder: Path) -> Figures:
    """A CSV of a hundred thousand rows, and the same once more."""
    file = folder / "bins.csv"
    write_csv(file, _ROWS)
    mapping = load_mapping("clothing_bins")
    with (folder / "rejected.jsonl").open("w", encoding="utf-8") as out:
        return {name: await take(file, mapping, "bench-bins", dsn, Report(out)) for name in ("first", "again")}


def items() -> Figures:
    """Milliseconds of a search by name, over the suite's own table."""
    index = ItemIndex.of(loader.load())
    table = Path(__file__).parents[2] / "tests" / "unit" / "rules" / "search" / "searches.yaml"
    questions = list(loader.read(table))
    taken = []
    for question in questions * 10:
        started = time.perf_counter()
        index.search(question, 5)
        taken.append((time.perf_counter() - started) * 1000)
    return _quantiles(taken)


async def measure(dsn: str, folder: Path) -> tuple[Mapping[str, str], Figures]:
    """Describes the machine, then measures."""
    await migrations.migrate(dsn, "rules_svc")
    connection = await asyncpg.connect(dsn)
    try:
        about = await machine.describe(connection)
        _say("items by name …")
        figures: Figures = {"items": items()}
        _say("importing …")
        figures["imports"] = await imports(dsn, folder)
        await connection.execute("truncate rules.place, rules.spot, rules.sheet")
        _say(f"{_PLACES:,} places …")
        started = time.perf_counter()
        await fill(connection, _PLACES)
        figures["filled_in_seconds"] = round(time.perf_counter() - started, 1)
        _say("searching …")
        figures["searches"] = await searches(dsn)
    finally:
        await connection.close()
    return about, figures


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def main() -> None:
    """`python -m bench.places`."""
    with (
        tempfile.TemporaryDirectory(prefix="eco2-bench-") as folder,
        running(Path(folder) / "stack", part=StackPart.STORES) as variables,
    ):
        about, figures = uvloop.run(asyncio.wait_for(measure(variables["ECO2_DATABASE_URL"], Path(folder)), 1800))
    taken_at = datetime.now(UTC)
    RESULTS.mkdir(exist_ok=True)
    file = RESULTS / f"places-{taken_at:%Y%m%dT%H%M%SZ}.json"
    content = {"taken_at": taken_at.isoformat(timespec="seconds"), "machine": about, "figures": figures}
    file.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(json.dumps(content, indent=1, ensure_ascii=False))
    print(f"Written to {file}")


if __name__ == "__main__":
    main()
