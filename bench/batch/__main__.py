"""`make bench-batch`: a batch of many rows through real parts, with people beside it who wait, and kills.

What is measured: whether the pace is kept, what memory the services take, what people notice, and after `kill -9` of a
process that serves and works, whether the sheet is whole and no row was paid twice. How to read it: bench/README.md.
"""

import argparse
import asyncio
import csv
import io
import os
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from signal import SIGKILL

import asyncpg
import numpy as np
import psutil
import uvloop

from bench import machine
from bench.batch.people import People, scanning
from bench.machine import pss_mebibytes
from bench.mesh.model import Pace
from bench.mesh.photos import stored
from bench.mesh.report import Outcome, Row, keep, table
from bench.mesh.stack import Stack, standing
from eco2.jobs.v1 import batch_pb2, jobs_service_pb2
from eco2.jobs.v1.job_pb2 import Job
from local.cli.api.errors import ApiError
from local.cli.api.jobs import JobsClient, has_ended
from local.errors import Disconnected
from local.files import ENV_FILE, read_env
from mesh.locale import Locale

NAME = "batch"
_MODEL = Pace(vision=1.0, answer=1.0)
_PEOPLE = 6
_NOTICED = 1.2
_AFTER_KILL = 25.0  # seconds in which people notice the kill itself: a lease, and a start
_EVERY = 1.0
_KILLED_AT = (0.4, 0.7, 0.8, 0.9)  # of the rows, each process in turn: one of them has the batch


@dataclass
class _Seen:
    """What was seen while the batch ran, by the monotonic clock."""

    began: float = 0.0
    ended: float = 0.0
    killed: list[float] = field(default_factory=list)
    done: list[tuple[float, int]] = field(default_factory=list)
    memory: list[float] = field(default_factory=list)
    job: Job = field(default_factory=Job)


async def _measure(stack: Stack, rows: int, pace: int, alone: float, kills: int) -> tuple[Outcome, Mapping[str, str]]:
    assert stack.model
    stack.model.set(_MODEL)
    connection = await asyncpg.connect(stack.variables["ECO2_DATABASE_URL"])
    about = await machine.describe(connection)
    expected = 2 * alone + rows / pace * 60 + 120
    addresses = await stored(stack, rows)
    people = People(stack, await stored(stack, int(expected * _PEOPLE / 2) + 100, seed=2))
    idle = _memory(stack)
    async with scanning(people, _PEOPLE):
        first = time.monotonic()
        await asyncio.sleep(alone)
        before = people.between(first + 5, time.monotonic())
        seen, sheet = await _batch(stack, addresses, pace, kills)
        await asyncio.sleep(5)
        second = time.monotonic()
        await asyncio.sleep(alone)
        after = people.between(second, time.monotonic())
    starts = [seen.began, *(moment + _AFTER_KILL for moment in seen.killed)]
    ends = [*seen.killed, seen.ended]
    beside = [seconds for start, end in zip(starts, ends, strict=True) for seconds in people.between(start, end)]
    paid = await connection.fetchrow(_PAID, seen.job.job_id)
    await connection.close()
    assert paid is not None
    return _report(seen, sheet, rows, pace, [*before, *after], beside, people, idle, dict(paid)), about


# Scans of the batch, how many rows they are of, and how many of their stages were paid more than once.
_PAID = """
select count(*) as scans, count(distinct request_id) as rows,
       coalesce(sum((run -> 'usage' ->> 'calls')::int), 0) as calls,
       count(*) filter (where (run ->> 'attempts')::int > 1) as again
from scan.scan, jsonb_array_elements(coalesce(stages, '[]')) as run
where client_job_id = $1 and run -> 'usage' is not null and run ->> 'stage' = 'vision'
"""


async def _batch(stack: Stack, addresses: Sequence[str], pace: int, kills: int) -> tuple[_Seen, list[dict[str, str]]]:
    """Runs the batch, with so many kills, of each process in turn."""
    seen, content = _Seen(), io.StringIO()
    csv.writer(content).writerows([["photo_url"], *([address] for address in addresses)])
    file = content.getvalue().encode()
    client = JobsClient(stack.rest, stack.tokens.issue("batch-user"), Locale.EN)
    upload = jobs_service_pb2.JobUpload(content_type="text/csv", size_bytes=len(file))
    spec = batch_pb2.BatchSpec(rows_per_minute=pace)
    created = await asyncio.to_thread(client.create, jobs_service_pb2.CreateJobRequest(batch=spec, upload=upload))
    seen.job = await asyncio.to_thread(client.upload, created, io.BytesIO(file))
    seen.began = time.monotonic()
    while not has_ended(seen.job):
        await asyncio.sleep(_EVERY)
        try:
            seen.job = await asyncio.to_thread(client.get, seen.job.job_id)
        except (ApiError, Disconnected):  # its process is the one that was killed
            continue
        seen.done.append((time.monotonic(), seen.job.done))
        seen.memory.append(_memory(stack))
        if (
            len(seen.killed) < min(kills, len(stack.services))
            and seen.job.done >= len(addresses) * _KILLED_AT[len(seen.killed)]
        ):
            name = stack.services[len(seen.killed)]
            os.kill(_pids(stack)[name], SIGKILL)
            seen.killed.append(time.monotonic())
            _say(f"{name} was killed at {seen.job.done} rows")
    seen.ended = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "sheet.csv"
        await asyncio.to_thread(client.fetch, seen.job.download_url, place)
        return seen, list(csv.DictReader(io.StringIO(place.read_text("utf-8-sig"), newline="")))


def _report(
    seen: _Seen, sheet: list[dict[str, str]], rows: int, pace: int, alone: list[float], beside: list[float],
    people: People, idle: float, paid: Mapping[str, int],
) -> Outcome:  # fmt: skip
    p95, p95_alone = (float(np.quantile(one, 0.95)) if one else float("nan") for one in (beside, alone))
    minutes, succeeded = (seen.ended - seen.began) / 60, sum(row["Result"] == "Done" for row in sheet)
    reached = _rate(seen.done)
    whole = len(sheet) == succeeded == rows == paid["rows"] == paid["scans"]
    rows_told = [
        Row(NAME, f"{rows:,} rows at {pace} a minute, {len(seen.killed)} processes killed",
            f"{minutes:.1f} min; {reached:.0f} a minute",
            f">= 0.9 of {pace}", holds=reached >= 0.9 * pace),
        Row(NAME, "rows with a result in the sheet; scans in the database; looks at photos that are paid",
            f"{succeeded:,}; {paid['scans']:,}; {paid['calls']:,}", f"{rows:,} each",
            holds=whole and paid["calls"] == rows),
        Row(NAME, f"people meanwhile: p95 of a scan, alone / beside ({len(alone)}, {len(beside)} scans)",
            f"{p95_alone * 1000:.0f} / {p95 * 1000:.0f} ms: {p95 / p95_alone:.2f}", f"<= {_NOTICED}",
            holds=p95 <= _NOTICED * p95_alone),
        Row(NAME, "people's scans that failed in all, kills included", str(people.failed)),
        Row(NAME, "memory of the services (PSS): before / at most",
            f"{idle:.0f} / {max(seen.memory, default=0):.0f} MiB"),
    ]  # fmt: skip
    figures = {
        "batch": {
            "rows": rows, "pace": pace, "minutes": minutes, "reached": reached, "succeeded": succeeded,
            "scans": paid["scans"], "calls": paid["calls"], "p95_alone_ms": p95_alone * 1000, "p95_ms": p95 * 1000,
            "idle_mib": idle, "most_mib": max(seen.memory, default=0), "people_failed": people.failed,
        }
    }  # fmt: skip
    return Outcome(rows_told, figures)


def _rate(done: list[tuple[float, int]]) -> float:
    """Rows a minute between a tenth and nine tenths of them."""
    last = max((count for _, count in done), default=0)
    between = [(moment, count) for moment, count in done if 0.1 * last <= count <= 0.9 * last]
    if len(between) < 2:
        return 0.0
    (start, first), (end, then) = between[0], between[-1]
    return (then - first) / max(end - start, 1e-9) * 60


def _pids(stack: Stack) -> Mapping[str, int]:
    """The processes as they are now: one that was killed is started again."""
    pairs = read_env(stack.folder / ENV_FILE)["ECO2_PIDS"].split(",")
    return {name: int(pid) for name, pid in (pair.split("=") for pair in pairs)}


def _memory(stack: Stack) -> float:
    """PSS of the services as they run now, in MiB; 0 while one is being started again."""
    now = _pids(stack)
    try:
        return sum(pss_mebibytes(psutil.Process(now[name])) for name in stack.services)
    except psutil.NoSuchProcess:
        return 0.0


def main() -> None:
    """`python -m bench.batch [--rows 10000] [--pace 600] [--alone 60] [--kills 2]`."""
    parser = argparse.ArgumentParser(prog="make bench-batch", description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000, help="of the batch; 10,000 by default")
    parser.add_argument("--pace", type=int, default=600, help="rows a minute; 600 by default")
    parser.add_argument("--alone", type=float, default=60.0, help="seconds of people alone, before and after")
    parser.add_argument("--kills", type=int, default=len(_KILLED_AT), help="processes that are killed; each by default")
    arguments = parser.parse_args()
    _say(f"load {os.getloadavg()[0]:.1f}")
    environment = {
        "ECO2_BATCH_ROWS": str(arguments.rows), "ECO2_BATCH_MOST_ROWS_PER_MINUTE": str(max(600, arguments.pace)),
    }  # fmt: skip
    with standing(environment, hosted=True, processes=2) as stack:
        measuring = _measure(stack, arguments.rows, arguments.pace, arguments.alone, arguments.kills)
        outcome, about = uvloop.run(measuring)
    print("\n".join(f"{name}: {value}" for name, value in about.items()), end="\n\n")
    print(table(outcome.rows))
    print(f"Figures: {keep(about, {NAME: outcome}, NAME)}")


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
