"""B: what a whole scan takes beyond the model's own time, one scan at a time on an idle system.

A user creates a scan of a photo in our storage and watches it by Server-Sent Events; the clock runs from sending
CreateScan to receiving the terminal event.
"""

import asyncio
import time

from bench.mesh.load import Refused, milliseconds
from bench.mesh.model import Pace
from bench.mesh.phones import Phone, phones, state_of
from bench.mesh.photos import stored
from bench.mesh.report import Outcome, Row, curve
from bench.mesh.scale import Scale
from bench.mesh.stack import Stack

NAME = "B overhead"

_PACE = Pace(vision=0.1, answer=0.1)
_WARM_UP = 10
_PAUSE = 0.02  # the system shall be idle again
_P50_MS, _P99_MS = 20, 35


async def measure(stack: Stack, scale: Scale) -> Outcome:
    """One scan after the other."""
    assert stack.model
    stack.model.set(_PACE)
    addresses = await stored(stack, scale.scans + _WARM_UP)
    beyond: list[float] = []
    async with phones(stack, 1) as (phone,):
        for address in addresses:
            beyond.append(await _scan(phone, address) - _PACE.seconds)
            await asyncio.sleep(_PAUSE)
    del beyond[:_WARM_UP]
    found = milliseconds(beyond)
    rows = [
        Row(
            NAME,
            f"a whole scan beyond the model's {_PACE.seconds * 1000:.0f} ms, pushed: p50 / p95 / p99",
            f"{found['p50_ms']:.1f} / {found['p95_ms']:.1f} / {found['p99_ms']:.1f} ms",
            f"p50 < {_P50_MS}, p99 < {_P99_MS} ms",
            holds=found["p50_ms"] < _P50_MS and found["p99_ms"] < _P99_MS,
        )
    ]
    return Outcome(rows, {"overhead": found}, {"beyond the model": curve(beyond)})


async def _scan(phone: Phone, address: str) -> float:
    """Seconds from the request to the end of the scan."""
    ended: list[float] = []

    def seen(event: bytes) -> None:
        if state_of(event) == "SUCCEEDED":
            ended.append(time.perf_counter())

    began = time.perf_counter()
    await phone.watch(await phone.create(image_url=address), seen)
    if not ended:
        raise Refused("a scan failed")
    return ended[0] - began
