"""The Redis client on what Sentinels name and on a cluster, while servers are killed and slots move."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from mesh.models.ledger import Entry, Limits, RedisLedger, Verdict
from mesh.redis import GuardedRedis, open_redis
from ratelimit_svc.buckets import Buckets
from scan_svc.progress.keys import ScanKeys
from tests.support.redis_servers import RedisServers, redis_servers

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]
KEYS = [f"key {number}" for number in range(300)]
SCAN = "01975b6c-0000-7000-8000-0000000000a7"


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=["sentinel", "cluster"])
async def servers(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[RedisServers]:
    """Each shape in turn."""
    async with redis_servers(tmp_path_factory.mktemp(request.param), request.param) as servers:
        yield servers


@pytest_asyncio.fixture(loop_scope="module")
async def redis(servers: RedisServers) -> AsyncIterator[GuardedRedis]:
    """A client that waits longer than services do, however slow this machine is."""
    async with open_redis(servers.url, timeout=20.0) as redis:
        yield redis


async def test_commands_given_together_are_answered_in_their_order(redis: GuardedRedis) -> None:
    """Wherever their keys lie."""
    await asyncio.gather(*(redis.execute("SET", key, key, "EX", 600) for key in KEYS))
    assert await asyncio.gather(*(redis.execute("GET", key) for key in KEYS)) == [key.encode() for key in KEYS]
    assert await redis.get_many([*KEYS, "missing"]) == [*(key.encode() for key in KEYS), None]


async def test_every_script_of_ours_touches_one_slot(redis: GuardedRedis) -> None:
    """Or it would fail on a cluster: calls counted, models' money, a scan's snapshot and its message."""
    assert await Buckets(redis).take("user:{somebody}", "Rpc", 4) is not None
    entry = Entry("model", "mina", tokens=1, micro_usd=1, at=0.0)
    assert await RedisLedger(redis).reserve(entry, Limits(100, 1000, 100, 100)) == Verdict()
    await RedisLedger(redis).settle(entry, 1, 2)
    keys, heard = ScanKeys(redis.sharded), list[bytes]()
    publish = redis.script("return {redis.call('SET', KEYS[1], 1), redis.call(ARGV[1], ARGV[2], 'changed')}")
    async with redis.subscribed(keys.channels) as changes:
        told = [keys.publish, keys.channel(keys.tag(SCAN))]
        await publish([keys.progress(SCAN), keys.result(SCAN)], told)

        def hear(message: bytes | None) -> None:
            if message:
                heard.append(message)

        async with asyncio.timeout(60):
            await changes.listen(hear, lambda: not heard)
    assert heard == [b"changed"]
    assert redis.breaker.closed


async def test_who_listens_hears_of_everything_wherever_it_is_published(redis: GuardedRedis) -> None:
    """Each of the 256 channels, over as many connections as there are primaries."""
    keys = ScanKeys(redis.sharded)
    expected, heard = {channel.encode() for channel in keys.channels}, set[bytes]()
    async with redis.subscribed(keys.channels) as changes:
        await asyncio.gather(*(redis.execute(keys.publish, channel, channel) for channel in keys.channels))
        async with asyncio.timeout(60):
            await changes.listen(lambda message: heard.add(message or b""), lambda: not expected <= heard)
    assert heard - {b""} == expected
