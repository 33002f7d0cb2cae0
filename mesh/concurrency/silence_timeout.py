"""A time limit on a peer's silence, in which this process' own stalls don't count.

After a stall (a frozen process, a paused machine, a thousand callers at once) the event loop runs what is due before
it reads what has arrived: a plain time-out then blames a peer that answered long ago.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

# A stall of any length costs one of so many parts of the time.
PARTS = 5


@asynccontextmanager
async def silence_timeout(seconds: float) -> AsyncIterator[None]:
    """As `asyncio.timeout`, but measured in time in which the event loop could have heard the peer.

    Raises:
        TimeoutError: The peer was silent for that long.
    """
    loop = asyncio.get_running_loop()
    part = seconds / PARTS
    timer: asyncio.TimerHandle

    def heard_nothing(left: int) -> None:
        nonlocal timer
        if left:
            timer = loop.call_later(part, heard_nothing, left - 1)
        else:
            limit.reschedule(loop.time())

    async with asyncio.timeout(None) as limit:
        timer = loop.call_later(part, heard_nothing, PARTS - 1)
        try:
            yield
        finally:
            timer.cancel()
