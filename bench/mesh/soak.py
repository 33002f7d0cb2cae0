"""Watchers who come and go for minutes or hours: does memory stay bounded, and does anything stop the process?

Run as a program: `python -m bench.mesh.soak --minutes 60`. Every watcher has a scan that changes about once a second,
and hangs up after half a minute on average, in the middle of its stream; another one takes its place. A line every ten
seconds tells what the services and Envoy hold, how often Python's whole heap was looked through for garbage, and how
late changes came. At the end memory may have grown by a tenth since the first minute at most.
"""

import argparse
import asyncio
import contextlib
import functools
import gc
import sys
import time
from collections.abc import Sequence

import numpy as np
import uvloop

from bench.mesh.http1 import Connection
from bench.mesh.load import Refused, arrivals, open_loop, percentile
from bench.mesh.running import Stage, Watched, running_scans
from bench.mesh.scenarios.lag import ENVIRONMENT, Lags
from bench.mesh.stack import Stack, standing
from bench.mesh.users import Phone, user_name, version_of

_STAY_SECONDS = 30.0
_LINE_SECONDS = 10.0
_SETTLED_LINES = 6
_GROWTH = 1.1
_COLLECTED = "garbage collected"


async def _come_and_go(stack: Stack, one: Watched, lags: Lags, seed: int) -> None:
    """One watcher after the other of the same scan."""
    random = np.random.default_rng(seed)
    token = stack.tokens.issue(user_name(one.user))
    while True:
        connection = await Connection.open(stack.rest)
        phone = Phone(connection, stack.rest.rpartition("/")[2], token)
        seen = functools.partial(_saw, lags, one.scan_id)
        with contextlib.suppress(TimeoutError, Refused, OSError):
            async with asyncio.timeout(float(random.exponential(_STAY_SECONDS))):
                await phone.watch(one.scan_id, seen)
        phone.close()


def _saw(lags: Lags, scan_id: str, event: bytes) -> None:
    lags.saw(scan_id, version_of(event))


def _collections(stack: Stack) -> int:
    """How often a service has looked through everything, by their logs."""
    logs = [stack.folder / "log" / f"{name}.log" for name in stack.services]
    return sum(log.read_text(encoding="utf-8", errors="replace").count(_COLLECTED) for log in logs)


async def _changes(stage: Stage, watched: Sequence[Watched], seconds: float, seed: int) -> None:
    random = np.random.default_rng(seed)

    async def change(_: int) -> None:
        await stage.change(watched[int(random.integers(len(watched)))].scan_id)

    await open_loop(change, arrivals(min(len(watched), 1000), seconds, seed=seed))


async def soak(stack: Stack, watchers: int, minutes: float) -> bool:
    """Whether memory stayed as it was after the first minute."""
    gc.disable()  # the generator's pauses would count as the server's
    held: list[float] = []
    async with running_scans(stack, watchers) as (stage, watched):
        lags = Lags(stage)
        lags.recording = True
        tasks = [asyncio.create_task(_come_and_go(stack, one, lags, seed)) for seed, one in enumerate(watched)]
        try:
            ends_at, number = time.monotonic() + minutes * 60, 0
            while time.monotonic() < ends_at:
                number += 1
                await _changes(stage, watched, _LINE_SECONDS, number)
                memory = stack.memory()
                held.append(sum(memory[name] for name in stack.services))
                late = [percentile(lags.seconds, share) * 1000 for share in (50, 99)]
                lags.seconds.clear()
                print(
                    f"{number * _LINE_SECONDS:6.0f} s  services {held[-1]:5.0f} MiB  Envoy {memory['envoy']:4.0f} MiB"
                    f"  full collections {_collections(stack):3d}"
                    f"  change to client p50 {late[0]:.1f}, p99 {late[1]:.1f} ms",
                    flush=True,
                )
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
    settled = held[:_SETTLED_LINES][-1]
    return held[-1] <= settled * _GROWTH


def main() -> None:
    """Runs it on a fresh stack; status 1 if memory has grown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--watchers", type=int, default=1000)
    arguments = parser.parse_args()
    with standing(ENVIRONMENT, hosted=False, processes=None) as stack:
        bounded = uvloop.run(soak(stack, arguments.watchers, arguments.minutes))
    sys.exit(not bounded)


if __name__ == "__main__":
    main()
