"""The ledger in Redis: limits hold for all processes together."""

import asyncio
import time
import uuid

import pytest

from mesh.models.ledger import Entry, Limits, Purse, RedisLedger, Verdict
from mesh.models.shares import LeasedLedger
from mesh.models.spent import Spent
from mesh.redis import open_redis

pytestmark = pytest.mark.redis_shapes


def _entry(model: str, account: str, tokens: int = 1, micro_usd: int = 1, spent: Spent | bool = False) -> Entry:
    # A day of its own for each test: the money of a day is one key for everybody.
    day = uuid.UUID(model).int % 10_000_000
    return Entry(model, account, tokens, micro_usd, day * 86_400 + time.time() % 86_400, spent)


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


@pytest.mark.parametrize("spender", Purse)
async def test_who_spends_all_of_a_purse_takes_nothing_of_another(redis_url: str, spender: Purse) -> None:
    """Money and calls a minute: users are never refused for what a comparison has used, nor the other way round."""
    model = str(uuid.uuid4())
    entry, limits = _entry(model, "", micro_usd=50), Limits(2, 1000, day_micro_usd=100)
    async with open_redis(redis_url) as guarded:
        ledgers = {purse: RedisLedger(guarded, purse) for purse in Purse}
        own = ledgers.pop(spender)
        mine = [await own.reserve(entry, limits) for _ in range(3)]
        (others,) = ledgers.values()
        assert [one.forbidden_by for one in mine] == ["", "", "day"]
        assert [await others.reserve(entry, limits) for _ in range(2)] == [Verdict()] * 2


async def test_a_full_bucket_says_how_long_to_wait(redis_url: str) -> None:
    """Half a minute for the third of two a minute."""
    model = str(uuid.uuid4())
    entry, limits = _entry(model, ""), Limits(2, 1000)
    async with open_redis(redis_url) as guarded:
        ledger = RedisLedger(guarded)
        verdicts = [await ledger.reserve(entry, limits) for _ in range(3)]
    assert [verdict.wait for verdict in verdicts] == [0, 0, 30]


async def test_a_count_that_was_lost_is_asked_for_and_goes_on(redis_url: str) -> None:
    """Redis forgets; a day's caps hold all the same. While it remembers, nobody is asked."""
    model = str(uuid.uuid4())
    limits = Limits(100, 1000, user_micro_usd=100)

    async def verdict(account: str, spent: Spent | bool) -> Verdict:
        return await ledger.reserve(_entry(model, account, micro_usd=20, spent=spent), limits)

    async with open_redis(redis_url) as guarded:
        ledger = RedisLedger(guarded)
        assert await verdict("mina", True) == Verdict(unknown=True)
        assert await verdict("mina", Spent(0, 0)) == Verdict()
        assert await verdict("hojun", True) == Verdict()  # nobody had spent anything when the day began
        day = _entry(model, "").day
        pattern = f"{{model}}:*{day}*" if guarded.sharded else f"model:*{day}*"
        await guarded.execute("DEL", *await guarded.execute("KEYS", pattern))
        assert await verdict("mina", True) == Verdict(unknown=True)
        assert await verdict("mina", Spent(500, 90)) == Verdict(forbidden_by="user")
        assert await verdict("mina", True) == Verdict(forbidden_by="user")
        assert await verdict("hojun", True) == Verdict(unknown=True)  # what they had spent was forgotten, too
        assert await verdict("hojun", Spent(500, 70)) == Verdict()
        assert await verdict("hojun", True) == Verdict(forbidden_by="user")


async def test_without_caps_nobody_is_asked(redis_url: str) -> None:
    """There is nothing to hold to."""
    async with open_redis(redis_url) as guarded:
        entry = _entry(str(uuid.uuid4()), "mina", spent=True)
        assert await RedisLedger(guarded).reserve(entry, Limits(1, 1)) == Verdict()


async def test_processes_with_shares_hold_to_one_cap(redis_url: str) -> None:
    """Together they never spend more, and what one has given back the other may spend."""
    model = str(uuid.uuid4())
    entry, limits = _entry(model, "mina", micro_usd=10), Limits(1000, 100_000, day_micro_usd=4000)
    async with open_redis(redis_url) as one, open_redis(redis_url) as other:
        ledgers = [LeasedLedger(RedisLedger(one)), LeasedLedger(RedisLedger(other))]
        verdicts = [await ledgers[turn % 2].reserve(entry, limits) for turn in range(300)]
        assert set(verdicts) == {Verdict()}
        await ledgers[0].aclose()
        verdicts += [await ledgers[1].reserve(entry, limits) for _ in range(101)]
        await ledgers[1].aclose()
    assert verdicts[300:] == [Verdict()] * 100 + [Verdict(forbidden_by="day")]


async def test_a_cap_on_users_that_is_set_later_in_the_day_counts_what_was_spent_before(redis_url: str) -> None:
    """Without one nobody counts by user; the caller's books do."""
    model = str(uuid.uuid4())
    entry = _entry(model, "mina", micro_usd=90, spent=True)
    async with open_redis(redis_url) as guarded:
        ledger = LeasedLedger(RedisLedger(guarded))
        assert await ledger.reserve(entry, Limits(100, 1000)) == Verdict()
        capped = LeasedLedger(RedisLedger(guarded))
        assert await capped.reserve(entry, Limits(100, 1000, user_micro_usd=100)) == Verdict(unknown=True)
