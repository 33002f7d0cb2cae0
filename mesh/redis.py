"""Redis behind a breaker: a client that gives up quickly, since everything in Redis can be had elsewhere."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

import redis.exceptions
from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from mesh.breaker import Breaker

T = TypeVar("T")

# What a caller of Redis must be ready for.
DOWN = (redis.exceptions.RedisError, OSError, TimeoutError)


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


class GuardedRedis:
    """Redis for those who can do without it.

    Args:
        client: Redis.

    Attributes:
        client: Redis itself, for scripts and the subscription.
        breaker: Whether it is there.
    """

    def __init__(self, client: Redis) -> None:
        self.client = client
        # A write, since a primary that was just made a replica still answers a PING.
        self.breaker = Breaker("redis", DOWN, lambda: answer(client.set("probe", 1, ex=60)))

    async def call(self, ask: Callable[[], Awaitable[T]]) -> T:
        """Redis' answer to a command.

        Raises:
            RedisError, OSError, TimeoutError: It is away; see `DOWN`.
        """
        return await self.breaker.call(lambda: answer(ask()))


@asynccontextmanager
async def open_redis(url: str, *, timeout: float = 0.5, max_connections: int = 16) -> AsyncIterator[GuardedRedis]:
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
        # A connection that Redis closed while it was idle is worth a second try; silence isn't.
        retry=Retry(NoBackoff(), 1, supported_errors=(redis.exceptions.ConnectionError,)),
    )
    guarded = GuardedRedis(Redis.from_pool(pool))
    try:
        yield guarded
    finally:
        await guarded.breaker.aclose()
        await guarded.client.aclose()
