"""Ending background tasks for certain."""

import asyncio
from typing import Any

_AGAIN_SECONDS = 0.5


async def end(*tasks: "asyncio.Task[Any]") -> None:
    """Cancels tasks until they have ended.

    Once isn't enough: on Python 3.11 asyncpg and redis-py return a result that arrives together with a cancellation,
    and the cancellation is lost.
    """
    while pending := [task for task in tasks if not task.done()]:
        for task in pending:
            task.cancel()
        await asyncio.wait(pending, timeout=_AGAIN_SECONDS)
