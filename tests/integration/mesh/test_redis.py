"""The Redis client: what it must not do to its callers."""

import asyncio

import pytest
from redis.asyncio import Redis
from redis.exceptions import ConnectionError

from mesh.redis import answer, open_redis


@pytest.mark.parametrize("steps", range(12))
async def test_a_cancellation_is_never_lost(redis_url: str, steps: int) -> None:
    """Whenever it comes: a cancelled scan must not run on."""
    async with open_redis(redis_url) as redis:
        for _ in range(20):
            task = asyncio.create_task(_many_commands_then_for_ever(redis.client))
            for _ in range(steps):
                await asyncio.sleep(0)
            task.cancel()
            done, _ = await asyncio.wait([task], timeout=5)
            assert done
            assert task.cancelled()


async def _many_commands_then_for_ever(client: Redis) -> None:
    for _ in range(3):
        await answer(client.set("cancelled", "x" * 2000))
    await asyncio.Event().wait()


async def test_a_dead_server_is_noticed_quickly() -> None:
    """Everything in Redis can be had elsewhere, so nobody waits for it."""
    async with open_redis("redis://127.0.0.1:1/0", timeout=0.1) as redis:
        with pytest.raises(ConnectionError):
            await redis.call(redis.client.ping)
