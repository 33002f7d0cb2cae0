"""E: a crowd. 500 scans at once against a model of 2 s + 2 s; then 500 users who scan without pause for minutes.

The ideal is a system that adds nothing: the model answers as many calls as it is asked at the same time.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from bench.mesh.http1 import Connection
from bench.mesh.load import Refused, milliseconds, percentile
from bench.mesh.model import Pace
from bench.mesh.photos import photos, stored
from bench.mesh.report import Figures, Outcome, Row, curve
from bench.mesh.scale import Scale
from bench.mesh.stack import Cpu, CpuMeter, Stack
from bench.mesh.users import ENDS, Phone, phones, state_of

NAME = "E crowd"

_USERS = 500
# A model writes an answer in so many pieces; each is a change that watchers see.
_PIECES = 60
_BURST = Pace(vision=2.0, answer=2.0, pieces=_PIECES)
_STEADY = Pace(vision=4.5, answer=6.7, pieces=_PIECES)
_BURST_RATIO, _STEADY_RATIO = 1.15, 1.15
_POLL_SECONDS = 1.0


async def measure(stack: Stack, scale: Scale) -> Outcome:
    """The burst, then the closed loop."""
    assert stack.model
    stack.model.set(_BURST)
    addresses = await stored(stack, _USERS + 1, seed=11)
    async with phones(stack, _USERS) as users:
        await _watched(users[0], addresses[_USERS])  # connections and caches are made
        burst = await at_once(users, addresses)
    stack.model.set(_STEADY)
    steady = await _without_pause(stack, scale)
    figures = {"burst": _burst_figures(burst), "steady": steady.figures()}
    curves = {
        "500 at once": curve(burst),
        "500 users, pushed": curve(steady.pushed),
        "500 users, polling": curve(steady.polled),
        "their polls": curve(steady.polls),
    }
    return Outcome(_rows(figures["burst"], figures["steady"], list(stack.processes)), figures, curves)


async def at_once(users: Sequence[Phone], addresses: Sequence[str]) -> list[float]:
    """Everybody creates a scan at the same moment and watches it; when each was done, in seconds from that moment.

    Raises:
        Refused: A scan failed.
    """
    began = time.perf_counter()

    async def scan(user: Phone, address: str) -> float:
        await _watched(user, address)
        return time.perf_counter() - began

    return list(await asyncio.gather(*(scan(*pair) for pair in zip(users, addresses, strict=False))))


async def _watched(user: Phone, address: str) -> None:
    if await _pushed(user, await user.create(image_url=address)) != "SUCCEEDED":
        raise Refused("a scan failed")


async def _pushed(user: Phone, scan_id: str) -> str:
    """How a scan ended, as its watcher learns it."""
    states: list[str] = []
    await user.watch(scan_id, lambda event: states.append(user.state(event)))
    return states[-1] if states else ""


@dataclass(slots=True)
class Steady:
    """What 500 users saw.

    Attributes:
        pushed: Seconds from CreateScan to the end, of those who watched.
        polled: The same of those who asked every second.
        polls: Seconds each poll took.
        ends: How often scans ended in which way.
        done: Scans that came to an end, those included that began before anything was counted.
        cpu: CPU seconds of each of our programs meanwhile.
        seconds: How long that was.
    """

    pushed: list[float] = field(default_factory=list)
    polled: list[float] = field(default_factory=list)
    polls: list[float] = field(default_factory=list)
    ends: Counter[str] = field(default_factory=Counter)
    done: int = 0
    cpu: Cpu = field(default_factory=dict)
    seconds: float = 0.0

    def figures(self) -> Figures:
        """Averages and percentiles, absolute and as ratios to the model's time."""
        both = [*self.pushed, *self.polled]
        if not both:
            raise Refused(f"no scan was finished: {dict(self.ends)}")
        return {
            "scans": self.ends.total(),
            "success": self.ends["SUCCEEDED"] / self.ends.total(),
            "mean_ratio": float(np.mean(both)) / _STEADY.seconds,
            "p95_ratio": percentile(both, 95) / _STEADY.seconds,
            "pushed_mean_s": float(np.mean(self.pushed)),
            "pushed_p95_s": percentile(self.pushed, 95),
            "polled_mean_s": float(np.mean(self.polled)),
            "polled_p95_s": percentile(self.polled, 95),
            "poll_p50_ms": percentile(self.polls, 50) * 1000,
            "poll_p95_ms": percentile(self.polls, 95) * 1000,
            "cores": sum(self.cpu.values()) / self.seconds,
            "cpu_ms": sum(self.cpu.values()) / self.done * 1000,
            **{f"{name}_ms": used / self.done * 1000 for name, used in self.cpu.items()},
        }


async def _without_pause(stack: Stack, scale: Scale) -> Steady:
    """Every user announces a photo, puts it into storage, starts the scan and waits for its end, again and again.

    Half of them watch, half ask every second. They come within one model's time, so that they don't march in step; what
    began before the last one came isn't counted.
    """
    found = Steady()
    storage = stack.variables["ECO2_S3_ENDPOINT"]
    pictures = list(photos(int(_USERS * (scale.crowd / _STEADY.seconds + 2)), seed=12))
    comings = np.random.default_rng(13).uniform(0, _STEADY.seconds, _USERS)
    counted_from = time.perf_counter() + _STEADY.seconds
    ends_at = counted_from + scale.crowd

    async def live(number: int, user: Phone) -> None:
        bucket = await Connection.open(storage)
        await asyncio.sleep(comings[number])
        while (began := time.perf_counter()) < ends_at and pictures:
            try:
                scan_id = await user.upload(pictures.pop(), bucket)
                polls = found.polls if began > counted_from else []
                state = await (_pushed(user, scan_id) if number % 2 else _polled(user, scan_id, polls))
            except (Refused, OSError) as error:
                state = str(error) or type(error).__name__
                await asyncio.sleep(_POLL_SECONDS)  # a real one would think before trying again
            found.done += 1
            if began > counted_from:
                found.ends[state] += 1
                if state == "SUCCEEDED":
                    (found.pushed if number % 2 else found.polled).append(time.perf_counter() - began)
        bucket.close()

    async with phones(stack, _USERS) as users:
        meter, started = CpuMeter(stack), time.perf_counter()
        await asyncio.gather(*(live(number, user) for number, user in enumerate(users)))
        found.cpu, _ = meter.stop()
        found.seconds = time.perf_counter() - started
    return found


async def _polled(user: Phone, scan_id: str, took: list[float]) -> str:
    """How a scan ended, as somebody learns it who asks every second."""
    request = user.reading(scan_id)
    while True:
        await asyncio.sleep(_POLL_SECONDS)
        began = time.perf_counter()
        state = state_of(await user.read(request))
        took.append(time.perf_counter() - began)
        if state in ENDS:
            return state


def _burst_figures(done: Sequence[float]) -> Figures:
    return {**milliseconds(done), "last_ratio": max(done) / _BURST.seconds, "ideal_s": _BURST.seconds}


def _rows(burst: Figures, steady: Figures, programs: Sequence[str]) -> list[Row]:
    ratio, p95 = burst["last_ratio"], steady["p95_ratio"]
    return [
        Row(NAME, f"{_USERS} scans at once, model {_BURST.vision:g} + {_BURST.answer:g} s: last done / ideal",
            f"{ratio:.2f} ({burst['max_ms'] / 1000:.2f} s; half were done after {burst['p50_ms'] / 1000:.2f} s)",
            f"<= {_BURST_RATIO}", f"ideal {_BURST.seconds:g} s", ratio <= _BURST_RATIO),
        Row(NAME, f"{_USERS} users in a closed loop, model {_STEADY.vision:g} + {_STEADY.answer:g} s: p95 / model",
            f"{p95:.2f}, average {steady['mean_ratio']:.2f}; pushed p95 {steady['pushed_p95_s']:.1f} s, polling"
            f" {steady['polled_p95_s']:.1f} s", f"< {_STEADY_RATIO}", f"ideal {_STEADY.seconds:g} s",
            p95 < _STEADY_RATIO),
        Row(NAME, "  success", f"{steady['success']:.2%} of {steady['scans']:,.0f} scans", "100 %",
            holds=steady["success"] == 1),
        Row(NAME, "  polls: p50 / p95", f"{steady['poll_p50_ms']:.0f} / {steady['poll_p95_ms']:.0f} ms;"
            f" {steady['cores']:.2f} cores in all"),
        Row(NAME, "  CPU a scan", f"{steady['cpu_ms']:.1f} ms: "
            + ", ".join(f"{name} {steady[f'{name}_ms']:.1f}" for name in programs)),
    ]  # fmt: skip
