"""C: complete scans a second when everything is busy and the model takes no time, and what one costs.

Scans are created through the edge, of photos that lie in storage, as fast as earlier ones are finished: so many are
always under way. Nobody watches.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager

import asyncpg

from bench.mesh.load import Refused
from bench.mesh.model import Pace
from bench.mesh.photos import SIDE, stored
from bench.mesh.report import Figures, Outcome, Row
from bench.mesh.scale import Scale
from bench.mesh.stack import CpuMeter, Stack
from bench.mesh.users import Phone, phones
from mesh.postgres import open_pool

NAME = "C throughput"
OTHER_SHAPE = "H other shape"

_USERS = 64
_UNDER_WAY = 128
_STEADY_WITHIN_SECONDS = 60
_LOOK_SECONDS = 0.1
_MOST_SCANS_A_SECOND = 700  # so many photos are prepared
_RATE, _CPU_MS, _PSS_MIB = 417, 4.5, 500


async def measure(stack: Stack, scale: Scale, name: str = NAME) -> Outcome:
    """A saturated stack.

    Args:
        stack: Which.
        scale: For how long.
        name: Of the scenario in the table: the other shape of the stack is measured the same way.
    """
    assert stack.model
    stack.model.set(Pace(0, 0))
    photos = await stored(stack, 2 * _UNDER_WAY + int(_MOST_SCANS_A_SECOND * (scale.warm_up + scale.short)))
    async with phones(stack, _USERS) as users, _feeding(stack, users, iter(photos)) as pool:
        await _steady(pool)
        await asyncio.sleep(scale.warm_up)
        before, began, meter = await _succeeded(pool), time.perf_counter(), CpuMeter(stack)
        await asyncio.sleep(scale.short)
        ours, beside = meter.stop()
        memory = stack.memory()
        done, seconds = await _succeeded(pool) - before, time.perf_counter() - began
    if not done:
        raise Refused("no scan succeeded")
    found = {
        "scans": done,
        "scans_per_second": done / seconds,
        **{f"{name}_ms": used / done * 1000 for name, used in {**ours, **beside}.items()},
        "cpu_ms": sum(ours.values()) / done * 1000,
        **{f"{name}_mib": size for name, size in memory.items()},
        "pss_mib": sum(memory.values()),
    }
    return Outcome(_rows(name, found, list(ours)), {"saturated": found})


def _rows(name: str, found: Figures, programs: Sequence[str]) -> list[Row]:
    def parts(unit: str, digits: int) -> str:
        return ", ".join(f"{one} {found[f'{one}_{unit}']:.{digits}f}" for one in programs)

    rate, cpu, pss = found["scans_per_second"], found["cpu_ms"], found["pss_mib"]
    return [
        Row(name, f"complete scans/s, model 0 ms, photos of {SIDE} x {SIDE}", f"{rate:,.0f}", f">= {_RATE}",
            holds=rate >= _RATE),
        Row(name, "CPU a scan", f"{cpu:.2f} ms: {parts('ms', 2)}; beside them generator {found['generator_ms']:.2f},"
            f" the model's stand-in {found['model_ms']:.2f}", f"<= {_CPU_MS} ms", holds=cpu <= _CPU_MS),
        Row(name, "memory at that load (PSS)", f"{pss:.0f} MiB: {parts('mib', 0)}", f"<= {_PSS_MIB} MiB",
            holds=pss <= _PSS_MIB),
    ]  # fmt: skip


async def _steady(pool: asyncpg.Pool) -> None:
    """Waits until as many are done as are under way: before that, work would be counted whose scans aren't done yet."""
    async with asyncio.timeout(_STEADY_WITHIN_SECONDS):
        while await _succeeded(pool) < _UNDER_WAY:  # noqa: ASYNC110 (the database can't tell us)
            await asyncio.sleep(_LOOK_SECONDS)


async def _succeeded(pool: asyncpg.Pool) -> int:
    count: int = await pool.fetchval("select count(*) from scan.scan where state = 'SUCCEEDED'")
    return count


async def _open(pool: asyncpg.Pool) -> int:
    """Scans under way; the states stand in the query, so that the partial indexes answer."""
    count: int = await pool.fetchval(
        "select (select count(*) from scan.job where kind = 'scan' and state = 'READY')"
        " + (select count(*) from scan.job where kind = 'scan' and state = 'LEASED')"
    )
    return count


@asynccontextmanager
async def _feeding(stack: Stack, users: Sequence[Phone], photos: Iterator[str]) -> AsyncIterator[asyncpg.Pool]:
    """Keeps so many scans under way; yields connections to look at them."""
    room = asyncio.Semaphore(_UNDER_WAY)
    created = 0

    async def create(user: Phone) -> None:
        nonlocal created
        for photo in photos:
            await room.acquire()
            await user.create(image_url=photo)
            created += 1

    async def look() -> None:
        known = 0
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            finished = created - await _open(pool)
            for _ in range(finished - known):
                room.release()
            known = max(known, finished)

    async with open_pool(stack.variables["ECO2_DATABASE_URL"], max_size=2) as pool:
        tasks = [asyncio.create_task(look()), *(asyncio.create_task(create(user)) for user in users)]
        try:
            yield pool
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
