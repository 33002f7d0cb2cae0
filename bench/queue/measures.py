"""The measurements, each on a fresh database."""

import asyncio
import time
from collections.abc import Mapping
from itertools import pairwise
from statistics import median, quantiles

import asyncpg

from bench import machine
from bench.queue.environment import Submitter, Yard
from bench.queue.worker import Orders
from bench.queue.worker_pool import worker_pool
from mesh.postgres import open_pool
from scan_svc.pipeline.stages import FREE, ORDER

Figures = Mapping[str, float]


async def throughput(yard: Yard, workers: int, scans: int, profile: str = "") -> Figures:
    """Complete scans a second and what each costs; all are submitted before the first is claimed."""
    async with yard.database() as dsn, worker_pool(workers, Orders(dsn, profile=profile)) as hands:
        began = time.monotonic()
        async with open_pool(dsn) as pool:
            latencies = await Submitter(pool).submit_many(scans)
        submitted = time.monotonic()
        before = hands.cpu_seconds(), machine.cpu_seconds(yard.postgres)
        hands.say("go")
        await hands.until_done(scans)
        seconds = time.monotonic() - submitted
        after = hands.cpu_seconds(), machine.cpu_seconds(yard.postgres)
    worker_ms, postgres_ms = ((end - start) / scans * 1000 for start, end in zip(before, after, strict=True))
    centiles = quantiles(latencies, n=100)
    return {
        "scans_per_second": scans / seconds,
        "worker_cpu_ms": worker_ms,
        "postgres_cpu_ms": postgres_ms,
        "cpu_ms": worker_ms + postgres_ms,
        "submits_per_second": scans / (submitted - began),
        "submit_p50_ms": centiles[49] * 1000,
        "submit_p99_ms": centiles[98] * 1000,
    }


async def hops(yard: Yard, scans: int) -> Figures:
    """How long single scans wait on an idle system: for their first stage, and from stage to stage."""
    began = []
    async with yard.database() as dsn, worker_pool(1, Orders(dsn, hops=True)) as hands, open_pool(dsn) as pool:
        submitter = Submitter(pool)
        hands.say("go")
        for number in range(scans + 1):
            await asyncio.sleep(0.01)  # idle: the worker has nothing left to do
            began.append(time.monotonic())
            await submitter.submit()
            await hands.until_done(number + 1)
        moments = [[starts[stage] for stage in ORDER] for starts in hands.hands[0].starts]
    # The first scan opens connections and prepares statements.
    first = [stages[0] - start for start, stages in zip(began, moments, strict=True)][1:]
    between = [later - earlier for stages in moments[1:] for earlier, later in pairwise(stages)]
    return {"first_hop_p50_ms": median(first) * 1000, "hop_p50_ms": median(between) * 1000}


async def in_flight(yard: Yard, scans: int) -> Figures:
    """Many scans at work at once in one process, each waiting for its model, and the memory that takes."""
    async with yard.database() as dsn, worker_pool(1, Orders(dsn, capacity=scans, hold=True)) as hands:
        async with open_pool(dsn) as pool:
            await Submitter(pool).submit_many(scans)
        worker = hands.hands[0].system
        empty = machine.rss_mebibytes(worker)
        began = time.monotonic()
        hands.say("go")
        await hands.until_waiting(scans)
        claimed = time.monotonic()
        full = machine.rss_mebibytes(worker)
        hands.say("release")
        await hands.until_done(scans)
        return {
            "in_flight": scans,
            "rss_idle_mib": empty,
            "rss_mib": full,
            "kib_per_scan": (full - empty) * 1024 / scans,
            "claimed_in_seconds": claimed - began,
            "finished_in_seconds": time.monotonic() - claimed,
        }


async def long_transaction(yard: Yard, scans: int) -> Figures:
    """What an old snapshot does, such as a report's or a backup's: dead rows stay, and updates stop being HOT."""
    async with yard.database() as dsn:
        report = await asyncpg.connect(dsn)
        await report.execute("begin isolation level repeatable read; select count(*) from scan.job")
        async with worker_pool(1, Orders(dsn)) as hands:
            async with open_pool(dsn) as pool:
                await Submitter(pool).submit_many(scans)
            began = time.monotonic()
            hands.say("go")
            await hands.until_done(scans)
            seconds = time.monotonic() - began
        await report.close()
        return {"scans_per_second": scans / seconds, "hot_ratio": await _hot_ratio(dsn, scans)}


async def undisturbed(yard: Yard, scans: int) -> Figures:
    """The same without one, for comparison."""
    async with yard.database() as dsn:
        async with worker_pool(1, Orders(dsn)) as hands:
            async with open_pool(dsn) as pool:
                await Submitter(pool).submit_many(scans)
            hands.say("go")
            await hands.until_done(scans)
        return {"hot_ratio": await _hot_ratio(dsn, scans)}


async def _hot_ratio(dsn: str, scans: int) -> float:
    """Share of the job table's updates that touched no index; a checkpoint should be one, a claim can't be."""
    updates = ("claim", *(stage for stage in ORDER[:-1] if stage not in FREE))  # the last stage's end deletes the row
    connection = await asyncpg.connect(dsn)
    try:
        while True:  # backends report when they end
            row = await connection.fetchrow(
                "select n_tup_upd, n_tup_hot_upd from pg_stat_user_tables where schemaname = 'scan' and relname = 'job'"
            )
            if row and row["n_tup_upd"] >= scans * len(updates):
                return float(row["n_tup_hot_upd"] / row["n_tup_upd"])
            await asyncio.sleep(0.05)
    finally:
        await connection.close()
