"""How calls are counted in Redis."""

import asyncio
import math
import uuid

import pytest
from redis.asyncio import Redis

from mesh.redis import open_redis
from ratelimit_svc.buckets import Buckets

MICROSECONDS = 1_000_000


@pytest.fixture
def user() -> str:
    return f"user:{uuid.uuid4().hex}"


@pytest.mark.redis_shapes
async def test_as_many_as_the_limit_at_once_then_one_at_a_time(redis_url: str, user: str) -> None:
    """Of calls that come together in several processes, exactly so many go through."""
    async with open_redis(redis_url) as one, open_redis(redis_url) as other:
        buckets = [Buckets(one), Buckets(other)]
        counts = await asyncio.gather(*(buckets[number % 2].take(user, "Rpc", 4) for number in range(10)))

    taken = sorted(count.left for count in counts if count and count.left is not None)
    waits = [count.seconds for count in counts if count and count.left is None]
    assert taken == [0, 1, 2, 3]
    assert len(waits) == 6
    assert all(0 < wait <= 60 / 4 for wait in waits)


@pytest.mark.parametrize(("waited", "through"), [(14.0, 0), (15.1, 1), (31.0, 2), (60.5, 4), (1000.0, 4)])
async def test_a_bucket_refills_evenly(redis_url: str, user: str, waited: float, through: int) -> None:
    """And never holds more than the limit."""
    async with open_redis(redis_url) as redis, Redis.from_url(redis_url) as direct:
        buckets = Buckets(redis)
        for _ in range(4):
            await buckets.take(user, "Rpc", 4)
        key = f"ratelimit:{user}:Rpc"
        full = int(await direct.get(key))
        await direct.set(key, full - round(waited * MICROSECONDS), keepttl=True)  # as if so much time had passed

        counts = [await buckets.take(user, "Rpc", 4) for _ in range(6)]

    assert [bool(count and count.left is not None) for count in counts] == [True] * through + [False] * (6 - through)


@pytest.mark.redis_shapes
@pytest.mark.parametrize("limit", [1_000_000, 60_000_000, 1_000_000_000, 2**31 - 1])
async def test_a_limit_out_of_reach_is_one_that_lets_through(redis_url: str, user: str, limit: int) -> None:
    """A call takes no time that counts out of it: that isn't an error, which would be taken for Redis being away."""
    async with open_redis(redis_url) as redis:
        for _ in range(3):
            count = await Buckets(redis).take(user, "Rpc", limit)
            assert count is not None
            assert count.left is not None
            assert count.left >= limit - 4
        assert redis.breaker.closed


async def test_nothing_is_kept_for_longer_than_a_minute(redis_url: str, user: str) -> None:
    """Whose calls they were is nobody's business later; and a full bucket says nothing."""
    async with open_redis(redis_url) as redis, Redis.from_url(redis_url) as direct:
        for number in range(1, 6):
            count = await Buckets(redis).take(user, "Rpc", 4)
            assert count is not None
            left = await direct.pttl(f"ratelimit:{user}:Rpc")
            assert 0 < left <= min(number, 4) * 15_000 + 1


async def test_whoever_is_refused_pays_nothing_for_it(redis_url: str, user: str) -> None:
    """Or one that keeps asking would never be let through again."""
    async with open_redis(redis_url) as redis, Redis.from_url(redis_url) as direct:
        buckets = Buckets(redis)
        await buckets.take(user, "Rpc", 1)
        before = await direct.get(f"ratelimit:{user}:Rpc")
        refused = [await buckets.take(user, "Rpc", 1) for _ in range(5)]

        assert await direct.get(f"ratelimit:{user}:Rpc") == before
    assert all(count and count.left is None and math.ceil(count.seconds) <= 60 for count in refused)


async def test_without_redis_nothing_is_counted() -> None:
    """Redis may vanish; the edge has limits of its own."""
    async with open_redis("redis://127.0.0.1:1/0") as redis:
        assert await Buckets(redis).take("user:anybody", "Rpc", 1) is None
