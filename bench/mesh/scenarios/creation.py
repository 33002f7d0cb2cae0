"""A: CreateScan through the edge, as people come (open loop) and as fast as it can be answered (closed loop).

Each request announces a photo to be uploaded, as the app does: the token is checked, JSON becomes gRPC, the request is
validated, the scan is committed with fsync, its snapshot goes to Redis, and an upload address is signed.
"""

from collections.abc import Mapping, Sequence

from bench.mesh import limits
from bench.mesh.load import Sample, arrivals, closed_loop, open_loop
from bench.mesh.report import Curve, Figures, Outcome, Row, curve
from bench.mesh.scale import Scale
from bench.mesh.stack import Cpu, CpuMeter, Stack
from bench.mesh.users import phones

NAME = "A CreateScan"

_USERS = 500
_RATE = 100  # new scans a second
_OPEN_P99_MS = 100
# The promises: 2.5 times the requests a second and a third of the p99 of the stack that this design replaces.
_PROMISED = {100: (800, 333), 500: (745, 1150)}


async def measure(stack: Stack, scale: Scale) -> Outcome:
    """Open loop, both closed loops, and what a bare echo and bare commits reach."""
    rows: list[Row] = []
    figures: dict[str, Figures] = {"commits": await limits.commits(stack, scale)}
    curves: dict[str, Curve] = {}
    commits = f"{figures['commits']['per_second']:,.0f} commits/s on 4 connections"
    async with phones(stack, _USERS) as users:
        await open_loop(lambda number: users[number % _USERS].announce(), arrivals(_RATE, scale.warm_up))
        sample = await open_loop(lambda number: users[number % _USERS].announce(), arrivals(_RATE, scale.long))
        name = f"open loop, {_RATE}/s from {_USERS} users"
        figures[name], curves[name] = sample.figures(), curve(sample.latencies)
        held = figures[name]["p99_ms"] < _OPEN_P99_MS and not sample.errors
        rows.append(Row(NAME, f"{name}: p50 / p95 / p99", _spread(figures[name]), f"p99 < {_OPEN_P99_MS} ms",
                        f"commit p99 {figures['commits']['p99_ms']:.1f} ms", held))  # fmt: skip
        for clients, (rate, p99) in _PROMISED.items():
            sends = [user.announce for user in users[:clients]]
            await closed_loop(sends, scale.warm_up)
            meter = CpuMeter(stack)
            sample = await closed_loop(sends, scale.short)
            name = f"closed loop, {clients} clients"
            figures[name] = {**sample.figures(), **_costs(sample, stack.services, *meter.stop())}
            curves[name] = curve(sample.latencies)
            figures[f"echo, {clients} clients"] = bare = await limits.echo(stack, scale, clients)
            rows += _closed(clients, figures[name], bare, commits, rate, p99)
    return Outcome(rows, figures, curves)


def _closed(clients: int, found: Figures, bare: Figures, commits: str, rate: float, p99: float) -> list[Row]:
    limit = f"echo {bare['per_second']:,.0f}/s, p99 {bare['p99_ms']:.0f} ms"
    clean = not found["errors"]
    name = f"closed loop, {clients} clients"
    return [
        Row(NAME, f"{name}: requests/s", f"{found['per_second']:,.0f}", f">= {rate}", f"{limit}; {commits}",
            clean and found["per_second"] >= rate),
        Row(NAME, f"{name}: p50 / p95 / p99", _spread(found), f"p99 <= {p99} ms", limit,
            clean and found["p99_ms"] <= p99),
        Row(NAME, f"{name}: CPU a request", f"{found['cpu_us']:.0f} us, of which the services"
            f" {found['services_us']:.0f}, Envoy {found['envoy_us']:.0f}, PostgreSQL {found['postgres_us']:.0f};"
            f" the generator {found['generator_us']:.0f} more"),
    ]  # fmt: skip


def _spread(found: Figures) -> str:
    return f"{found['p50_ms']:.0f} / {found['p95_ms']:.0f} / {found['p99_ms']:.0f} ms"


def _costs(sample: Sample, services: Sequence[str], ours: Cpu, beside: Cpu) -> Mapping[str, float]:
    """Microseconds of CPU a request, by program."""
    used = {f"{name}_us": seconds / sample.done_in_time * 1e6 for name, seconds in {**ours, **beside}.items()}
    mesh = sum(used[f"{name}_us"] for name in services)
    return {**used, "services_us": mesh, "cpu_us": sum(ours.values()) / sample.done_in_time * 1e6}
