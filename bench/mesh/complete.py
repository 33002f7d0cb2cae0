"""So many complete scans, as fast as they are finished: how long they take, and what CPU."""

import asyncio
import time
from collections.abc import Sequence

import asyncpg

from bench.mesh.load import Refused
from bench.mesh.report import Figures
from bench.mesh.stack import CpuMeter, Stack
from bench.mesh.users import Phone
from mesh.postgres import open_pool

SUCCEEDED = "select count(*) from scan.scan where state = 'SUCCEEDED'"

_LONGEST_SECONDS = 240.0
_LOOK_SECONDS = 0.05


async def complete(
    stack: Stack, users: Sequence[Phone], addresses: Sequence[str], under_way: int, succeeded: str = SUCCEEDED
) -> Figures:
    """Scans photos that lie in storage, with so many always under way and nobody watching.

    Args:
        stack: Where.
        users: Who creates the scans, in turn.
        addresses: The photos.
        under_way: How many scans at a time.
        succeeded: A query for how many scans have succeeded, ever.

    Raises:
        Refused: A scan failed: not all succeeded in time.
    """
    left, room = iter(addresses), asyncio.Semaphore(under_way)

    async def create(user: Phone) -> None:
        for address in left:
            await room.acquire()
            await user.create(image_url=address)

    async def look(pool: asyncpg.Pool, before: int) -> None:
        known = 0
        while known < len(addresses):
            await asyncio.sleep(_LOOK_SECONDS)
            finished = await pool.fetchval(succeeded) - before
            for _ in range(finished - known):
                room.release()
            known = finished

    async with open_pool(stack.variables["ECO2_DATABASE_URL"], max_size=1) as pool:
        before = await pool.fetchval(succeeded)
        meter, began = CpuMeter(stack), time.perf_counter()
        try:
            async with asyncio.timeout(_LONGEST_SECONDS), asyncio.TaskGroup() as group:
                group.create_task(look(pool, before))
                for user in users:
                    group.create_task(create(user))
        except TimeoutError:
            raise Refused("not all scans succeeded") from None
        seconds, (ours, beside) = time.perf_counter() - began, meter.stop()
    count = len(addresses)
    return {
        "scans": count,
        "scans_per_second": count / seconds,
        "cpu_ms": sum(ours.values()) / count * 1000,
        **{f"{name}_ms": used / count * 1000 for name, used in {**ours, **beside}.items()},
    }
