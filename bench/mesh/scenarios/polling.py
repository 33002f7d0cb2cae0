"""F: status polls, as fast as they are answered, and what each costs."""

import asyncio
import functools

import asyncpg

from bench.mesh import limits
from bench.mesh.load import closed_loop
from bench.mesh.report import Outcome, Row, curve
from bench.mesh.running import running_scans
from bench.mesh.scale import Scale
from bench.mesh.stack import CpuMeter, Stack
from bench.mesh.users import phones

NAME = "F polling"

_CLIENTS = 50
_PROMISED_RATE, _PROMISED_CPU_US = 3837, 430
_STATISTICS_SECONDS = 1.5  # how late backends may report what they did


async def measure(stack: Stack, scale: Scale) -> Outcome:
    """Polls of running scans that have their classification: about 1 kB of JSON each."""
    async with running_scans(stack, _CLIENTS) as (_, scans), phones(stack, _CLIENTS) as users:
        polls = [
            functools.partial(user.read, user.reading(scan.scan_id)) for user, scan in zip(users, scans, strict=True)
        ]
        await closed_loop(polls, scale.warm_up)
        idle = -await _transactions(stack) + (before := await _transactions(stack))
        meter = CpuMeter(stack)
        sample = await closed_loop(polls, scale.short)
        ours, beside = meter.stop()
        # What happens anyway (heartbeats, looking for work) was counted for as long as a report may be late.
        anyway = idle * (scale.short + _STATISTICS_SECONDS) / _STATISTICS_SECONDS
        queries = await _transactions(stack) - before - anyway
    bare = await limits.echo(stack, scale, _CLIENTS)
    count = len(sample.latencies)
    found = {
        **sample.figures(),
        **{f"{name}_us": seconds / count * 1e6 for name, seconds in {**ours, **beside}.items()},
        "services_us": sum(ours[name] for name in stack.services) / count * 1e6,
        "cpu_us": sum(ours.values()) / count * 1e6,
        "queries_per_poll": max(queries, 0) / count,
    }
    limit = f"echo {bare['per_second']:,.0f}/s, p99 {bare['p99_ms']:.0f} ms"
    rows = [
        Row(NAME, f"closed loop of {_CLIENTS}: polls/s", f"{found['per_second']:,.0f}, p50 {found['p50_ms']:.1f}, p99"
            f" {found['p99_ms']:.1f} ms", f">= {_PROMISED_RATE:,}", limit,
            found["per_second"] >= _PROMISED_RATE and not sample.errors),
        Row(NAME, "CPU a poll", f"{found['cpu_us']:.0f} us, of which the services {found['services_us']:.0f},"
            f" Envoy {found['envoy_us']:.0f}; the generator {found['generator_us']:.0f} more",
            f"<= {_PROMISED_CPU_US} us",
            "",
            holds=found["cpu_us"] <= _PROMISED_CPU_US),
        Row(NAME, "database queries a poll", f"{found['queries_per_poll']:.3f}", "0", "",
            found["queries_per_poll"] < 0.005),
    ]  # fmt: skip
    return Outcome(rows, {"polls": found, "echo": bare}, {f"polls, {_CLIENTS} clients": curve(sample.latencies)})


async def _transactions(stack: Stack) -> int:
    """Transactions of the database so far, once every backend has reported."""
    await asyncio.sleep(_STATISTICS_SECONDS)
    connection = await asyncpg.connect(stack.variables["ECO2_DATABASE_URL"])
    try:
        count: int = await connection.fetchval(
            "select xact_commit + xact_rollback from pg_stat_database where datname = current_database()"
        )
        return count
    finally:
        await connection.close()
