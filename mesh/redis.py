"""Redis: a client that gives up quickly, since everything in Redis can be had elsewhere."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff


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
