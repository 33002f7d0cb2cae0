"""Shares of a budget: few questions where there are many calls, exact where there are few or little is left."""

import asyncio

import pytest

from mesh.models.ledger import Entry, Limits, LocalLedger, Verdict
from mesh.models.shares import LeasedLedger
from mesh.redis import DOWN

_LIMITS = Limits(100_000, 10_000_000, day_micro_usd=1_000_000)
_AT = 20_000 * 86_400.0


class Shared(LocalLedger):
    """The ledger of all processes, with what it is asked."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[Entry] = []
        self.settled = asyncio.Event()
        self.down = False

    async def reserve(self, entry: Entry, limits: Limits) -> Verdict:
        self._check()
        self.asked.append(entry)
        return await super().reserve(entry, limits)

    async def settle(self, entry: Entry, tokens: int, micro_usd: int, calls: int = 1) -> None:
        self._check()
        await super().settle(entry, tokens, micro_usd, calls)
        self.settled.set()

    def spent(self, account: str = "") -> int:
        """What counts as spent."""
        return self._spent[int(_AT // 86_400), account]

    def _check(self) -> None:
        if self.down:
            raise DOWN[0]("away")


def call(account: str = "", micro_usd: int = 100, tokens: int = 10) -> Entry:
    """One call."""
    return Entry("m", account, tokens, micro_usd, _AT)


async def test_many_calls_are_asked_for_a_few_times() -> None:
    """Each question is for twice as many as the last one."""
    shared = Shared()
    ledger = LeasedLedger(shared)
    verdicts = [await ledger.reserve(call(), _LIMITS) for _ in range(100)]
    assert set(verdicts) == {Verdict()}
    assert [entry.calls for entry in shared.asked] == [1, 2, 4, 8, 16, 32, 64]
    await ledger.aclose()
    assert shared.spent() == 100 * 100


async def test_calls_at_the_same_time_share_the_questions() -> None:
    """Who comes while one is under way looks first into what it brings."""
    shared = Shared()
    ledger = LeasedLedger(shared)
    verdicts = await asyncio.gather(*(ledger.reserve(call(), _LIMITS) for _ in range(60)))
    assert set(verdicts) == {Verdict()}
    assert len(shared.asked) == 6


@pytest.mark.parametrize("processes", [1, 3])
async def test_a_cap_is_never_exceeded_and_used_up_to_within_a_share(processes: int) -> None:
    """Whoever asks, and in whatever order."""
    shared, limits = Shared(), Limits(100_000, 10_000_000, day_micro_usd=100_000)
    ledgers = [LeasedLedger(shared) for _ in range(processes)]
    verdicts = [await ledgers[turn % processes].reserve(call(), limits) for turn in range(1200)]
    allowed = verdicts.count(Verdict())
    share = 100_000 // 20 // 100
    assert 1000 - (processes - 1) * share <= allowed <= 1000
    assert verdicts[-1] == Verdict(forbidden_by="day")


async def test_near_a_limit_each_call_is_asked_for_by_itself() -> None:
    """What a larger share is refused may still do for one call, and what is refused is the one call's verdict."""
    shared, limits = Shared(), Limits(100_000, 10_000_000, day_micro_usd=2_000)
    ledger = LeasedLedger(shared)
    verdicts = [await ledger.reserve(call(), limits) for _ in range(21)]
    assert verdicts == [Verdict()] * 20 + [Verdict(forbidden_by="day")]


async def test_what_calls_didnt_use_of_their_estimates_does_for_more() -> None:
    """Calls that cost a tenth of their estimate: ten times as many fit, without waiting for the share's end."""
    shared, limits = Shared(), Limits(100_000, 10_000_000, day_micro_usd=4_000)
    ledger = LeasedLedger(shared)
    for _ in range(200):
        assert await ledger.reserve(call(), limits) == Verdict()
        await ledger.settle(call(), 1, 10)
    await ledger.aclose()
    assert shared.spent() == 200 * 10


async def test_a_limit_of_a_few_calls_is_asked_for_each_and_gets_back_at_once() -> None:
    """A share would be a single call: what it leaves may be all that other processes need."""
    shared, limits = Shared(), Limits(100_000, 10_000_000, user_micro_usd=350)
    ledger, other = LeasedLedger(shared), LeasedLedger(shared)
    for _ in range(12):
        assert await ledger.reserve(call("mina"), limits) == Verdict()
        await ledger.settle(call("mina"), 1, 10)
        assert await other.reserve(call("mina"), limits) == Verdict()
        await other.settle(call("mina"), 1, 10)
    assert shared.spent("mina") == 24 * 10


async def test_what_is_left_goes_back_after_a_while() -> None:
    """To whoever needs it: money, tokens and calls."""
    shared = Shared()
    ledger = LeasedLedger(shared, seconds=0.01)
    for _ in range(4):
        await ledger.reserve(call(), _LIMITS)
    assert shared.spent() == 7 * 100
    async with asyncio.timeout(30):
        await shared.settled.wait()
    assert shared.spent() == 4 * 100


async def test_what_a_call_didnt_use_serves_the_next_one() -> None:
    """Nobody is told until the share ends; more than was estimated counts against it."""
    shared = Shared()
    ledger = LeasedLedger(shared)
    for _ in range(5):
        await ledger.reserve(call(), _LIMITS)
        await ledger.settle(call(), 1, 10)
    assert not shared.settled.is_set()
    await ledger.settle(call(), 500, 5_000)
    await ledger.aclose()
    assert shared.spent() == 5 * 10 + 4_900


async def test_an_account_with_a_cap_has_shares_of_its_own() -> None:
    """One user's scans can't use up what another may spend."""
    shared, limits = Shared(), Limits(100_000, 10_000_000, user_micro_usd=4_000)
    ledger = LeasedLedger(shared)
    verdicts = {user: [await ledger.reserve(call(user), limits) for _ in range(41)] for user in ("mina", "hojun")}
    assert all(seen == [Verdict()] * 40 + [Verdict(forbidden_by="user")] for seen in verdicts.values())
    await ledger.aclose()
    assert (shared.spent("mina"), shared.spent("hojun")) == (4_000, 4_000)


async def test_what_an_account_didnt_use_is_nobody_elses() -> None:
    """Its share has ended by the time the call has; those of others, and of calls on nobody's account, go on."""
    shared, limits = Shared(), Limits(100_000, 10_000_000, user_micro_usd=4_000)
    ledger, ended = LeasedLedger(shared), LeasedLedger(shared)
    await ended.reserve(call("mina"), limits)
    for account in ("hojun", ""):
        await ledger.reserve(call(account), limits)
    await ledger.settle(call("mina"), 1, 10)
    await ledger.aclose()
    assert [shared.spent(account) for account in ("mina", "hojun", "-")] == [10, 100, 100]


async def test_what_was_taken_serves_while_redis_is_down() -> None:
    """It is counted already; who needs more hears of the outage. What can't be given back stays counted."""
    shared = Shared()
    ledger = LeasedLedger(shared)
    for _ in range(2):
        await ledger.reserve(call(), _LIMITS)
    shared.down = True
    assert await ledger.reserve(call(), _LIMITS) == Verdict()
    with pytest.raises(DOWN):
        await ledger.reserve(call(), _LIMITS)
    await ledger.aclose()
    shared.down = False
    assert shared.spent() == 3 * 100


async def test_nothing_is_kept_of_shares_that_ended() -> None:
    """Users come and go by the million."""
    shared, limits = Shared(), Limits(100_000, 10_000_000, user_micro_usd=4_000)
    ledger = LeasedLedger(shared)
    for number in range(50):
        await ledger.reserve(call(f"user-{number}"), limits)
        await ledger.reserve(call("poor", micro_usd=5_000), limits)
    await ledger.aclose()
    assert not ledger._shares
