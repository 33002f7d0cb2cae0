"""Background tasks: kept alive, and ended for certain."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import structlog

_log = structlog.get_logger("tasks")

_AGAIN_SECONDS = 0.5
_PAUSE_SECONDS = 1.0


@asynccontextmanager
async def kept_running(loop: Callable[[], Coroutine[Any, Any, None]]) -> AsyncIterator[None]:
    """Runs a loop until the block is left: a fault in it is logged, and doesn't end it."""

    async def run() -> None:
        while True:
            try:
                await loop()
            except Exception:
                _log.exception("loop broke")
            await asyncio.sleep(_PAUSE_SECONDS)

    task = asyncio.create_task(run())
    try:
        yield
    finally:
        await end(task)


async def end(*tasks: "asyncio.Task[Any]") -> None:
    """Cancels tasks until they have ended.

    Once isn't enough: on Python 3.11 asyncpg and redis-py return a result that arrives together with a cancellation,
    and the cancellation is lost.
    """
    while pending := [task for task in tasks if not task.done()]:
        for task in pending:
            task.cancel()
        await asyncio.wait(pending, timeout=_AGAIN_SECONDS)
