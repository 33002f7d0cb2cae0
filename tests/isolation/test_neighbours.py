"""What one hostile client does to everybody else: nothing that they notice.

Each attack runs in a process of its own, at the lowest priority, since it shares the machine with what it attacks and
with who is measured; a stranger's computer wouldn't. The neighbour asks for one thing after the other. Its 99th
percentile is the median of several windows, so that one hiccup of the machine decides nothing. If it is more than
nobody notices, the machine may be busy: then it is compared with the quiet just before, in further tries. How late this
process's own timers are is measured beside each call: that is the machine's share, not the edge's. A call that fails
fails the test at once, unless this process, in which the fake mesh lives, stood still for longer than the edge waits
for a health check.
"""

import asyncio
import json
import os
import statistics
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx2
import psutil
import pytest
from google.protobuf.message import Message

from eco2.rules.v1 import rules_service_pb2
from tests.isolation.attacks import ATTACKS
from tests.support.edge.envoy import ROOT, Edge
from tests.support.edge.fake_mesh import FakeMesh

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.slow]

FLOOR = float(os.environ.get("ECO2_ISOLATION_FLOOR", "0.05"))  # seconds that nobody notices
HOPS = 4  # processes that take turns in one call: neighbour, edge, mesh, edge
TRIES = 4  # the first without a look at the quiet, if there is a floor
TICK = 0.01
STALL = 1.0  # seconds; the edge gives a health check two
WINDOWS, WINDOW = 3, 0.4
REPLY = 50_000
# The chart's limit of Envoy's memory.
MEMORY = 512 << 20

HIDDEN = "eco2.auth.v1.AuthService.GetMe"  # only what is smuggled asks for it
# What the edge does to whom. Nobody is cut off over what only takes up room in time; time-outs end those.
REFUSALS = {
    "zero_window": "",
    "rapid_reset": "closed",
    "ping_flood": "closed",
    "settings_flood": "closed",
    "empty_data_flood": "closed",
    "continuation_flood": "closed",
    "slow_headers": "",
    "slow_bodies": "",
    "idle_connections": "",
    "giant_headers": "status 431 LIMIT_EXCEEDED",
    "oversize_bodies": "status 413 LIMIT_EXCEEDED",
    "deep_json": "status 400 INVALID_FIELD",
    "many_names": "status 400 INVALID_FIELD",
    "many_items": "status 400 INVALID_FIELD",
    "smuggling": "status 400 INVALID_FIELD",
    "guests": "status 429 RATE_LIMIT",
}


@pytest.mark.parametrize("attack", ATTACKS)
async def test_a_neighbour_hardly_notices(attack: str, mesh: FakeMesh, edge: Edge, rest: httpx2.AsyncClient) -> None:
    """No call of theirs fails, none takes twice as long, and Envoy stays within its memory."""

    async def large(request: Any, context: Any) -> Message:
        return rules_service_pb2.GetTaxonomyResponse(rulebook_version="x" * REPLY)

    mesh.answers["eco2.rules.v1.RulesService.GetTaxonomy"] = large
    process = psutil.Process(edge.pid)
    missed = []
    for number in range(TRIES):
        quiet = await measured(rest) if number or not FLOOR else UNKNOWN
        async with attacking(attack, edge) as outcomes:
            under = await measured(rest)
            memory = process.memory_info().rss
        memory = max(memory, process.memory_info().rss)  # it may have gone on a little
        print(f"{attack}: {quiet} -> {under}, {memory >> 20} MiB, {outcomes}")
        assert memory < MEMORY
        assert not under.failed or max(quiet.stall, under.stall) > STALL, under.failed
        assert not {each for each in outcomes if each == "answered twice" or each.startswith("status 5")}, outcomes
        limit = max(2 * quiet.p99, FLOOR) + HOPS * under.lateness
        assert not REFUSALS[attack] or outcomes.get(REFUSALS[attack]), outcomes
        assert HIDDEN not in {call.rpc for call in mesh.calls}
        if under.p99 <= limit and not under.failed:
            return
        missed.append((quiet, under, outcomes))
    raise AssertionError(f"quiet, under attack, what the attack met: {missed}")


@dataclass(frozen=True, slots=True)
class Measured:
    """What a neighbour met.

    Attributes:
        p99: Seconds within which 99 of 100 calls are answered, the median of some windows.
        lateness: The same of how late a timer of this process is.
        stall: Its greatest lateness.
        failed: What the first call that failed was answered; empty if none did.
    """

    p99: float
    lateness: float
    stall: float
    failed: str


UNKNOWN = Measured(0.0, 0.0, 0.0, "")


async def measured(rest: httpx2.AsyncClient) -> Measured:
    """Calls for some windows, one call after the other."""
    calls, timers, stall, failed = [], [], 0.0, ""
    for _ in range(WINDOWS):
        took: list[float] = []
        late: list[float] = []
        ticking = asyncio.create_task(tick(late))
        until = time.perf_counter() + WINDOW
        while (begun := time.perf_counter()) < until:
            response = await rest.get("/v1/characters")
            took.append(time.perf_counter() - begun)
            if response.status_code != 200:
                failed = failed or f"{response.status_code} {response.text}"
        await asyncio.sleep(TICK)
        ticking.cancel()
        calls.append(p99(took))
        timers.append(p99(late))
        stall = max(stall, *late)
    return Measured(statistics.median(calls), statistics.median(timers), stall, failed)


async def tick(late: list[float]) -> None:
    """Notes how late a timer is, over and over."""
    while True:
        begun = time.perf_counter()
        await asyncio.sleep(TICK)
        late.append(time.perf_counter() - begun - TICK)


def p99(values: list[float]) -> float:
    """What 99 of 100 don't exceed."""
    return sorted(values)[len(values) * 99 // 100]


@asynccontextmanager
async def attacking(name: str, edge: Edge) -> AsyncIterator[dict[str, int]]:
    """The attack goes on while the block runs; afterwards what came of it is filled in."""
    outcomes: dict[str, int] = {}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.isolation.attacks", name, str(edge.port), edge.issuer.token(), REFUSALS[name]),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        cwd=ROOT,
        preexec_fn=lambda: os.nice(19),
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        assert await process.stdout.readline() == b"begun\n"
        yield outcomes
        process.stdin.close()
        outcomes |= json.loads(await process.stdout.readline())
        assert await process.wait() == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
