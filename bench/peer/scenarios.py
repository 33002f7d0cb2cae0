"""What both systems do in turn, and the figures that are taken of each: the rows of `comparison.PROMISES`."""

import asyncio
import functools
import itertools
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import asyncpg

from bench.mesh import complete
from bench.mesh.load import Refused, Send, closed_loop, milliseconds
from bench.mesh.model import Pace
from bench.mesh.photos import Draw, phone_photos, photos, stored
from bench.mesh.report import Figures
from bench.mesh.scale import FULL, QUICK, Scale
from bench.mesh.scenarios import burst, lag, overhead
from bench.mesh.stack import CpuMeter
from bench.mesh.users import Phone
from bench.peer.targets import Target

WATCHERS = (200, 1000, 5000)
CREATORS = (100, 500)

_AT_ONCE = 0  # the model's seconds where it shall not be waited for
_CROWD = 500
_UNDER_WAY, _PHONE_UNDER_WAY = 128, 16
_USERS = 64
_POLLERS = 50
_SLOW = 2.0  # the model's seconds where scans shall be under way
_PAUSE, _LOOK_SECONDS = 0.02, 0.2
_CLASSIFIED_SECONDS = 8.0  # until all are classified, on a slow machine
_LONGEST_SECONDS = 120.0
# A photo that was seen before is answered without the model: each measurement gets others.
_seeds = itertools.count(100)


@dataclass(frozen=True, slots=True)
class Counts:
    """How much is done in one round with one system.

    Attributes:
        scans: Complete scans.
        creations: For each number of clients.
        alone: Scans one after the other.
        phone_photos: Scans of 12 megapixels.
        scale: Seconds of what runs for a while.
    """

    scans: int
    creations: int
    alone: int
    phone_photos: int
    scale: Scale


MANY = Counts(scans=1000, creations=1000, alone=100, phone_photos=32, scale=FULL)
FEW = Counts(scans=200, creations=500, alone=20, phone_photos=12, scale=QUICK)


async def warm(target: Target, count: int = 64) -> None:
    """Connections, threads and plans are made before anything is measured."""
    await _complete(target, count, count)


async def memory(target: Target, counts: Counts) -> Figures:
    """PSS; read in the first round only, since both systems keep what they are given."""
    sizes = target.stack.memory()
    return {"pss_mib": sum(sizes.values()), **{f"{name}_mib": size for name, size in sizes.items()}}


async def throughput(target: Target, counts: Counts) -> Figures:
    """Complete scans, with 128 always under way and the model taking no time."""
    return await _complete(target, counts.scans, _UNDER_WAY)


async def phone_photo(target: Target, counts: Counts) -> Figures:
    """The same with photos of 12 megapixels."""
    return await _complete(target, counts.phone_photos, _PHONE_UNDER_WAY, phone_photos)


async def alone(target: Target, counts: Counts) -> Figures:
    """One scan at a time on an idle system, watched: what it takes beyond the model's own time."""
    pace = _pace(target, 0.1, 0.1)
    addresses = await stored(target.stack, counts.alone, seed=next(_seeds))
    beyond = []
    async with target.users(1) as (user,):
        for address in addresses:
            await asyncio.sleep(_PAUSE)
            beyond.append(await overhead.watched(user, address) - pace.seconds)
    return milliseconds(beyond)


async def creations(target: Target, counts: Counts) -> Figures:
    """CreateScan in a closed loop, while the scans before are being worked on."""
    found: dict[str, float] = {}
    for clients in CREATORS:
        _pace(target, _SLOW, _SLOW)
        addresses = await stored(target.stack, counts.creations, seed=next(_seeds))
        before = await _succeeded(target)
        async with target.users(clients) as users:
            meter, began = CpuMeter(target.stack), time.perf_counter()
            await _created(users, addresses)
            seconds, (cpu, _) = time.perf_counter() - began, meter.stop()
        found[f"per_second_{clients}"] = counts.creations / seconds
        found[f"cpu_us_{clients}"] = sum(cpu.values()) / counts.creations * 1e6
        _pace(target, _AT_ONCE, _AT_ONCE)
        await _ended(target, before + counts.creations)
    return found


async def _created(users: Sequence[Phone], addresses: Sequence[str]) -> None:
    """Each user creates one scan after the other, until there are no photos left."""
    left = iter(addresses)

    async def create(user: Phone) -> None:
        for address in left:
            await user.create(image_url=address)

    await asyncio.gather(*(create(user) for user in users))


async def crowd(target: Target, counts: Counts) -> Figures:
    """500 scans at once, watched: when the last one is done, as a ratio to the model's own time."""
    pace = _pace(target, _SLOW, _SLOW)
    addresses = await stored(target.stack, _CROWD, seed=next(_seeds))
    async with target.users(_CROWD) as users:
        done = await burst.at_once(users, addresses)
    return {**milliseconds(done), "last_ratio": max(done) / pace.seconds}


async def polls(target: Target, counts: Counts) -> Figures:
    """Status polls in a closed loop of 50: of scans that are classified and wait for the answer, then of done ones."""
    seconds = counts.scale.short
    addresses = await stored(target.stack, _POLLERS, seed=next(_seeds))
    before = await _succeeded(target)
    _pace(target, _AT_ONCE, seconds + _CLASSIFIED_SECONDS)
    found: dict[str, float] = {}
    async with target.users(_POLLERS) as users:
        scans = await asyncio.gather(*(user.create(image_url=one) for user, one in zip(users, addresses, strict=True)))
        reads = [functools.partial(user.read, user.reading(scan)) for user, scan in zip(users, scans, strict=True)]
        for read in reads:
            while b'"classification"' not in await read():  # noqa: ASYNC110 (that is what a poll is)
                await asyncio.sleep(_PAUSE)
        found |= await _polled(target, reads, seconds, "running")
        await _ended(target, before + _POLLERS)
        found |= await _polled(target, reads, seconds, "finished")
    return found


async def _polled(target: Target, reads: Sequence[Send], seconds: float, phase: str) -> Figures:
    meter = CpuMeter(target.stack)
    sample = await closed_loop(reads, seconds)
    cpu, _ = meter.stop()
    if sample.errors:
        raise Refused(f"polls: {dict(sample.errors)}")
    cpu_us = sum(cpu.values()) / len(sample.latencies) * 1e6
    return {f"{phase}_us": cpu_us, f"{phase}_per_second": sample.rate}


async def push_lag(target: Target, counts: Counts) -> Figures:
    """From a change until who watches has it; each of so many users watches a scan of their own."""
    found: dict[str, float] = {}
    for count in WATCHERS:
        async with target.running(count) as (stage, watched), target.users(count) as users:
            lags = lag.Lags(stage)
            figures = await lag.follow(target.stack, counts.scale, stage, users, watched, lags, lag.pushed)
        found |= {f"{name}_{count}": value for name, value in figures.items()}
    return found


@dataclass(frozen=True, slots=True)
class Scenario:
    """One scenario: what it is about, how it is measured, and whether only the first round has it."""

    title: str
    measure: Callable[[Target, Counts], Awaitable[Figures]]
    once: bool = False


SCENARIOS: Mapping[str, Scenario] = MappingProxyType(
    {
        "M": Scenario("memory after few scans", memory, once=True),
        "B": Scenario("overhead of an idle system", alone),
        "C": Scenario("complete scans", throughput),
        "A": Scenario("creations", creations),
        "E": Scenario("500 at once", crowd),
        "F": Scenario("status polls", polls),
        "G": Scenario("photos as phones take them", phone_photo),
        "D": Scenario("change to client", push_lag),
    }
)


def _pace(target: Target, vision: float, answer: float) -> Pace:
    assert target.stack.model
    pace = Pace(vision, answer)
    target.stack.model.set(pace)
    return pace


async def _complete(target: Target, count: int, under_way: int, draw: Draw = photos) -> Figures:
    _pace(target, _AT_ONCE, _AT_ONCE)
    addresses = await stored(target.stack, count, seed=next(_seeds), draw=draw)
    async with target.users(min(_USERS, under_way)) as users:
        return await complete.complete(target.stack, users, addresses, under_way, target.succeeded)


async def _succeeded(target: Target) -> int:
    """How many scans have succeeded, ever."""
    connection = await asyncpg.connect(target.stack.variables["ECO2_DATABASE_URL"])
    try:
        count: int = await connection.fetchval(target.succeeded)
        return count
    finally:
        await connection.close()


async def _ended(target: Target, total: int) -> None:
    """Waits until so many scans have succeeded, so that the next measurement begins in silence.

    Raises:
        Refused: They haven't in time: a scan failed.
    """
    try:
        async with asyncio.timeout(_LONGEST_SECONDS):
            while await _succeeded(target) < total:  # noqa: ASYNC110 (the database can't tell us)
                await asyncio.sleep(_LOOK_SECONDS)
    except TimeoutError:
        raise Refused("not all scans succeeded") from None
