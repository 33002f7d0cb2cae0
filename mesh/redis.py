"""Redis: a client that gives up quickly, since everything in Redis can be had elsewhere."""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from typing import TypeVar

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

T = TypeVar("T")


async def answer(command: Awaitable[T]) -> T:
    """Redis' answer; every command goes through here.

    redis-py sends through `asyncio.wait_for`, which on Python 3.11 loses a cancellation that arrives together with the
    result: measured, every third one. A scan that was cancelled would then run on.
    """
    result = await command
    task = asyncio.current_task()
    if task and task.cancelling():
        raise asyncio.CancelledError
    return result


@asynccontextmanager
async def open_redis(url: str, *, timeout: float = 0.5, max_connections: int = 16) -> AsyncIterator["Redis"]:
    """A client on a bounded pool, closed at exit. Connects when it is first used.

    Args:
        url: `redis://[:password@]host:port/0`.
        timeout: Seconds for connecting, for any answer, and for a free connection.
        max_connections: How many at most.
    """
    pool = BlockingConnectionPool.from_url(
        url,
        max_connections=max_connections,
        timeout=timeout,
        socket_timeout=timeout,
        socket_connect_timeout=timeout,
        retry=Retry(NoBackoff(), 1),
    )
    client = Redis.from_pool(pool)
    try:
        yield client
    finally:
        await client.aclose()
