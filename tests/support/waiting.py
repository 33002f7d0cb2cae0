"""Waiting for what another process, or the database, can't tell us."""

import asyncio
from collections.abc import Awaitable, Callable

import asyncpg


async def eventually(check: Callable[[], Awaitable[bool]], seconds: float = 60.0) -> None:
    """Waits until something is true of another process, which can't tell us."""
    async with asyncio.timeout(seconds):
        while True:
            if await check():
                return
            await asyncio.sleep(0.02)


async def blocked(holder: asyncpg.Connection) -> None:
    """Waits until somebody waits for a lock that this connection holds."""
    waits = "select exists (select from pg_stat_activity where pg_backend_pid() = any (pg_blocking_pids(pid)))"

    async def somebody_waits() -> bool:
        return bool(await holder.fetchval(waits))

    await eventually(somebody_waits)


async def true_of(condition: bool) -> bool:
    """For `eventually`, of what this process knows."""
    return condition
