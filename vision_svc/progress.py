"""Which phases of a classification are told: those that last.

A message costs both ends more than loading or cleaning a usual photo, and nobody sees what is over within a blink.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

from vision_svc.classify import ClassifiedPhoto, Phase


async def lasting(
    events: AsyncGenerator[Phase | ClassifiedPhoto, None], seconds: float
) -> AsyncGenerator[Phase | ClassifiedPhoto, None]:
    """The same events without the phases that end sooner; one that goes on is told so long after its beginning.

    Args:
        events: Phases as they begin, then the classified photo; worked through in a task of its own, which has ended
            when this generator has.
        seconds: How long a phase lasts that is told.

    Raises:
        Exception: What `events` raises.
    """
    due: asyncio.Queue[Phase | None] = asyncio.Queue()
    work = asyncio.create_task(_work(events, due, seconds), name="classify")
    work.add_done_callback(lambda _: due.put_nowait(None))
    try:
        while phase := await due.get():
            yield phase
        yield work.result()
    finally:
        if not work.done():
            # Once: a second cancellation would keep what is left to do from being done, such as replacing the original.
            work.cancel()
            await asyncio.wait((work,))


async def _work(
    events: AsyncGenerator[Phase | ClassifiedPhoto, None], due: "asyncio.Queue[Phase | None]", seconds: float
) -> ClassifiedPhoto:
    later, lasts = asyncio.get_running_loop().call_later, None
    async with aclosing(events):
        try:
            async for event in events:
                if lasts:
                    lasts.cancel()
                if isinstance(event, ClassifiedPhoto):
                    return event
                lasts = later(seconds, due.put_nowait, event)
        finally:
            if lasts:
                lasts.cancel()
    raise AssertionError("a classification ended without a result")
