"""The ledger in Redis: limits hold for all processes together."""

import asyncio
import time
import uuid

from mesh.models.ledger import Entry, Limits, RedisLedger
from mesh.redis import open_redis


def _entry(model: str, account: str, tokens: int = 1, micro_usd: int = 1) -> Entry:
    # A day of its own for each test: the money of a day is one key for everybody.
    day = uuid.UUID(model).int % 10_000_000
    return Entry(model, account, tokens, micro_usd, day * 86_400 + time.time() % 86_400)


async def test_two_processes_share_buckets_and_money(redis_url: str) -> None:
    """Each alone would let all ten through."""
    model = str(uuid.uuid4())
    entry, limits = _entry(model, "mina"), Limits(10, 1000, user_micro_usd=7)
    async with open_redis(redis_url) as one, open_redis(redis_url) as other:
        ledgers = [RedisLedger(one), RedisLedger(other)]
        verdicts = await asyncio.gather(*(ledgers[turn % 2].reserve(entry, limits) for turn in range(10)))
    assert [verdict.forbidden_by for verdict in verdicts].count("user") == 3


async def test_what_is_settled_comes_back(redis_url: str) -> None:
    """Tokens and money alike."""
    model = str(uuid.uuid4())
    entry, limits = _entry(model, "mina", tokens=900, micro_usd=90), Limits(10, 1000, day_micro_usd=100)
    async with open_redis(redis_url) as guarded:
        ledger = RedisLedger(guarded)
        assert not (await ledger.reserve(entry, limits)).forbidden_by
        assert (await ledger.reserve(entry, limits)).forbidden_by == "day"
        await ledger.settle(entry, 0, 0)
        verdict = await ledger.reserve(entry, limits)
        assert (verdict.forbidden_by, verdict.wait) == ("", 0)


async def test_a_full_bucket_says_how_long_to_wait(redis_url: str) -> None:
    """Half a minute for the third of two a minute."""
    model = str(uuid.uuid4())
    entry, limits = _entry(model, ""), Limits(2, 1000)
    async with open_redis(redis_url) as guarded:
        ledger = RedisLedger(guarded)
        verdicts = [await ledger.reserve(entry, limits) for _ in range(3)]
    assert [verdict.wait for verdict in verdicts] == [0, 0, 30]
