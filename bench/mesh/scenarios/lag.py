"""D: from a change until the people who watch have it: pushed as Server-Sent Events, or found by polling.

Every watcher has a scan, a connection and a token of their own. The changes come at random moments, about as many a
second as so many running scans make (one a second each, at most 1,000), from outside the process that serves the
watchers: as from a worker on another host.
"""

import asyncio
import contextlib
import functools
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Protocol

import numpy as np

from bench.mesh import limits
from bench.mesh.load import arrivals, milliseconds, open_loop, percentile
from bench.mesh.report import Curve, Figures, Outcome, Row, curve
from bench.mesh.running import FIRST_VERSION, Watched, running_scans
from bench.mesh.scale import Scale
from bench.mesh.stack import CpuMeter, Stack
from bench.mesh.users import Phone, phones, version_of

NAME = "D lag"
# The row says so where a default is in the way.
ENVIRONMENT = {"ECO2_WATCHER_LIMIT": "6000"}

_WATCHERS = (200, 1000, 5000)
_MOST_CHANGES = 1000
_POLL_SECONDS = 2.0
_CATCH_UP_SECONDS = 10.0
# p50 and p99 promised, in milliseconds.
_PROMISED: dict[int, tuple[float | None, float]] = {200: (2, 30), 1000: (None, 50)}


class Changes(Protocol):
    """What makes scans change."""

    # When each change was about to be published, by scan and version.
    changed_at: dict[tuple[str, int], float]

    async def change(self, scan_id: str) -> None:
        """Publishes the scan's next version."""

    def version(self, scan_id: str) -> int:
        """The scan's newest version."""


class Lags:
    """Gathers when each watcher learned of each change.

    Args:
        stage: Knows when it was made.
    """

    def __init__(self, stage: Changes) -> None:
        self._stage = stage
        self._seen: dict[str, int] = defaultdict(int)
        self.seconds: list[float] = []
        self.recording = False

    def saw(self, scan_id: str, version: int) -> None:
        """A watcher has this version, and so every change before it."""
        now = time.perf_counter()
        for passed in range(max(self._seen[scan_id], FIRST_VERSION) + 1, version + 1):
            if self.recording:
                self.seconds.append(now - self._stage.changed_at[scan_id, passed])
        self._seen[scan_id] = max(self._seen[scan_id], version)

    def missing(self, watched: Sequence[Watched]) -> int:
        """Changes that somebody hasn't learned of yet."""
        return sum(self._stage.version(one.scan_id) - max(self._seen[one.scan_id], FIRST_VERSION) for one in watched)


async def measure(stack: Stack, scale: Scale) -> Outcome:
    """Every number of watchers, pushed and polling."""
    rows: list[Row] = []
    figures: dict[str, Figures] = {"hop": await limits.hops(stack, scale)}
    curves: dict[str, Curve] = {}
    for count in _WATCHERS:
        async with running_scans(stack, count) as (stage, watched):
            for way in (pushed, polled):
                name = f"{count:,} watchers, {way.__name__}"
                lags = Lags(stage)
                async with phones(stack, count) as users:
                    figures[name] = await follow(stack, scale, stage, users, watched, lags, way)
                curves[name] = curve(lags.seconds)
                promised = _PROMISED.get(count) if way is pushed else None
                rows.append(_row(name, figures[name], figures["hop"], promised))
    return Outcome(rows, figures, curves)


async def follow(
    stack: Stack,
    scale: Scale,
    stage: Changes,
    users: Sequence[Phone],
    watched: Sequence[Watched],
    lags: Lags,
    way: "Way",
) -> Figures:
    """Changes scans at random moments while their users follow them in one way; how late they learned of it."""
    rate = min(len(watched), _MOST_CHANGES)
    random = np.random.default_rng(len(watched))

    async def change(number: int) -> None:
        await stage.change(watched[int(random.integers(len(watched)))].scan_id)

    async with way(users, watched, lags) as polls:
        await open_loop(change, arrivals(rate, scale.warm_up))
        await _caught_up(lags, watched)
        lags.recording = True
        meter = CpuMeter(stack)
        changes = await open_loop(change, arrivals(rate, scale.short, seed=2))
        ours, beside = meter.stop()
        in_time = len(polls)
        await _caught_up(lags, watched)
        found = {
            **milliseconds(lags.seconds),
            "changes_per_second": changes.rate,
            "missing": lags.missing(watched),
            "services_cores": sum(ours[name] for name in stack.services) / changes.seconds,
            "envoy_cores": ours.get("envoy", 0.0) / changes.seconds,
            "generator_cores": beside["generator"] / changes.seconds,
            "services_mib": sum(stack.memory()[name] for name in stack.services),
        }
        if polls:
            found |= {"polls_per_second": in_time / changes.seconds, "poll_p95_ms": percentile(polls, 95) * 1000}
        return found


async def _caught_up(lags: Lags, watched: Sequence[Watched]) -> None:
    """Waits until everybody knows everything, but not for ever."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_CATCH_UP_SECONDS):
            while lags.missing(watched):  # noqa: ASYNC110 (thousands would set an event in vain)
                await asyncio.sleep(0.05)


@asynccontextmanager
async def pushed(users: Sequence[Phone], watched: Sequence[Watched], lags: Lags) -> AsyncIterator[list[float]]:
    """Everybody watches."""
    opened: set[str] = set()
    all_open = asyncio.Event()

    def seen(scan_id: str, event: bytes) -> None:
        opened.add(scan_id)
        if len(opened) == len(watched):
            all_open.set()
        lags.saw(scan_id, version_of(event))

    watches = [
        asyncio.create_task(user.watch(one.scan_id, functools.partial(seen, one.scan_id)))
        for user, one in zip(users, watched, strict=True)
    ]
    try:
        async with asyncio.timeout(60):
            await all_open.wait()
        yield []
    finally:
        for user in users:
            user.close()
        await asyncio.gather(*watches, return_exceptions=True)


@asynccontextmanager
async def polled(users: Sequence[Phone], watched: Sequence[Watched], lags: Lags) -> AsyncIterator[list[float]]:
    """Everybody asks every two seconds, each at a moment of their own."""
    took: list[float] = []

    async def poll(user: Phone, one: Watched, first: float) -> None:
        request = user.reading(one.scan_id)
        await asyncio.sleep(first)
        while True:
            began = time.perf_counter()
            lags.saw(one.scan_id, version_of(await user.read(request)))
            if lags.recording:
                took.append(time.perf_counter() - began)
            await asyncio.sleep(max(0.0, began + _POLL_SECONDS - time.perf_counter()))

    firsts = np.random.default_rng(3).uniform(0, _POLL_SECONDS, len(users))
    polls = [
        asyncio.create_task(poll(user, one, float(first)))
        for user, one, first in zip(users, watched, firsts, strict=True)
    ]
    try:
        yield took
    finally:
        for task in polls:
            task.cancel()
        await asyncio.gather(*polls, return_exceptions=True)


Way = Callable[[Sequence[Phone], Sequence[Watched], Lags], AbstractAsyncContextManager[list[float]]]


def _row(name: str, found: Figures, hop: Figures, promised: tuple[float | None, float] | None) -> Row:
    lost = f", {found['missing']:.0f} changes not seen" if found["missing"] else ""
    polls = (
        f"; {found['polls_per_second']:,.0f} polls/s, p95 {found['poll_p95_ms']:.0f} ms"
        if "poll_p95_ms" in found
        else ""
    )
    value = f"{found['p50_ms']:.1f} / {found['p95_ms']:.1f} / {found['p99_ms']:.1f} ms{lost}{polls}"
    what = f"{name}, {found['changes_per_second']:,.0f} changes/s: p50 / p95 / p99"
    limit = f"Redis hop p50 {hop['p50_ms']:.2f}, p99 {hop['p99_ms']:.1f} ms"
    if promised is None:
        return Row(NAME, what, value, limit=limit)
    p50, p99 = promised
    holds = not found["missing"] and found["p99_ms"] < p99 and (p50 is None or found["p50_ms"] < p50)
    return Row(NAME, what, value, (f"p50 < {p50:g}, " if p50 else "") + f"p99 < {p99:g} ms", limit, holds)
