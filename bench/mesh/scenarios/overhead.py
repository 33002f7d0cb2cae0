"""B: what a whole scan takes beyond the model's own time, one scan at a time on an idle system.

A user creates a scan of a photo in our storage and watches it by Server-Sent Events; the clock runs from sending
CreateScan to receiving the terminal event. Then the same for a client that can't stream: it announces a photo, puts it
into storage, starts the scan and waits for its end by long polling.
"""

import asyncio
import time
from collections.abc import Awaitable

from bench.mesh.http1 import Connection
from bench.mesh.load import Refused, milliseconds
from bench.mesh.model import Pace
from bench.mesh.photos import photos, stored
from bench.mesh.report import Figures, Outcome, Row, curve
from bench.mesh.scale import Scale
from bench.mesh.stack import Stack
from bench.mesh.users import ENDS, Phone, phones, state_of

NAME = "B overhead"

_PACE = Pace(vision=0.1, answer=0.1)
_WARM_UP = 10
_PAUSE = 0.02  # the system shall be idle again
_P50_MS, _P99_MS = 20, 35
# Announce, start, and one that waits for the end.
_REQUESTS = 3
_END = "?wait=20s&after_version=4294967295"


async def measure(stack: Stack, scale: Scale) -> Outcome:
    """One scan after the other."""
    assert stack.model
    stack.model.set(_PACE)
    addresses = await stored(stack, scale.scans + _WARM_UP)
    storage = await Connection.open(stack.variables["ECO2_S3_ENDPOINT"])
    async with phones(stack, 1) as (phone,):
        pushed = [await _beyond(watched(phone, address)) for address in addresses][_WARM_UP:]
        before = phone.requests
        waited = [await _beyond(_waited(phone, photo, storage)) for photo in photos(scale.scans // 4, seed=21)]
        requests = (phone.requests - before) / len(waited)
    storage.close()
    found, asked = milliseconds(pushed), milliseconds(waited)
    rows = [
        Row(NAME, f"a whole scan beyond the model's {_PACE.seconds * 1000:.0f} ms, pushed: p50 / p95 / p99",
            _text(found), f"p50 < {_P50_MS}, p99 < {_P99_MS} ms",
            holds=found["p50_ms"] < _P50_MS and found["p99_ms"] < _P99_MS),
        Row(NAME, "the same with its upload, by long polling", f"{_text(asked)}; {requests:.1f} requests a scan",
            f"{_REQUESTS} requests", holds=requests <= _REQUESTS),
    ]  # fmt: skip
    figures = {"overhead": found, "long polling": {**asked, "requests_per_scan": requests}}
    return Outcome(rows, figures, {"beyond the model, pushed": curve(pushed), "by long polling": curve(waited)})


async def _beyond(scan: Awaitable[float]) -> float:
    """Seconds a scan took beyond the model's, on a system that is idle again."""
    await asyncio.sleep(_PAUSE)
    return await scan - _PACE.seconds


async def watched(phone: Phone, address: str) -> float:
    """Seconds from the request to the end of the scan.

    Raises:
        Refused: It failed.
    """
    ended: list[float] = []

    def seen(event: bytes) -> None:
        if phone.state(event) == "SUCCEEDED":
            ended.append(time.perf_counter())

    began = time.perf_counter()
    await phone.watch(await phone.create(image_url=address), seen)
    if not ended:
        raise Refused("a scan failed")
    return ended[0] - began


async def _waited(phone: Phone, photo: bytes, storage: Connection) -> float:
    """The same, of a photo that is uploaded first."""
    began = time.perf_counter()
    scan_id = await phone.upload(photo, storage)
    state = ""
    while state not in ENDS:
        state = state_of(await phone.read(phone.reading(scan_id, _END)))
    if state != "SUCCEEDED":
        raise Refused("a scan failed")
    return time.perf_counter() - began


def _text(found: Figures) -> str:
    return f"{found['p50_ms']:.1f} / {found['p95_ms']:.1f} / {found['p99_ms']:.1f} ms"
