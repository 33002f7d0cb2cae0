"""Budget, breaker and prices of hosted models, by a clock of the test's own."""

import asyncio
from dataclasses import dataclass, replace

import pytest

from mesh.circuit_breakers import ProviderBreaker
from mesh.errors import ResourceExhausted, Unavailable
from mesh.models.budget import Budget, Clock
from mesh.models.ledger import Entry, Limits, LocalLedger, SharedLedger, Verdict
from mesh.models.prices import Tokens, UnknownModel, price
from mesh.models.spent import Spent
from mesh.models.usage import Terms, Usage, UsageMeter
from mesh.reasons import Reason

_NOON = 20_000 * 86_400 + 43_200.0
_MODEL = "gpt-4.1-mini"


@dataclass
class _Time:
    """A clock that only the test moves; sleeping moves it too."""

    now: float = _NOON

    def clock(self) -> Clock:
        return Clock(wall=lambda: self.now, monotonic=lambda: self.now, sleep=self.sleep)

    async def sleep(self, seconds: float) -> None:
        self.now += seconds
        await asyncio.sleep(0)


@pytest.fixture
def time() -> _Time:
    return _Time()


def _terms(time: _Time, account: str = "mina", seconds: float = 60) -> Terms:
    return Terms(account, time.now + seconds)


async def test_requests_wait_for_their_minute(time: _Time) -> None:
    """Two a minute: the third waits half a minute."""
    budget = Budget(LocalLedger(), Limits(2, 1_000_000), time.clock())
    for _ in range(3):
        await budget.reserve(_MODEL, _terms(time), 10, 1)
    assert time.now == pytest.approx(_NOON + 30)


async def test_tokens_wait_for_their_minute(time: _Time) -> None:
    """A thousand a minute: after 900 the next 400 wait 18 seconds."""
    budget = Budget(LocalLedger(), Limits(100, 1000), time.clock())
    await budget.reserve(_MODEL, _terms(time), 900, 1)
    await budget.reserve(_MODEL, _terms(time), 400, 1)
    assert time.now == pytest.approx(_NOON + 18)


async def test_what_was_not_used_is_given_back(time: _Time) -> None:
    """Estimates are high; the next call needn't wait for tokens nobody read."""
    budget = Budget(LocalLedger(), Limits(100, 1000), time.clock())
    entry = await budget.reserve(_MODEL, _terms(time), 900, 50)
    budget.settle(entry, 100, 5)
    await budget.settled()
    await budget.reserve(_MODEL, _terms(time), 800, 1)
    assert time.now == _NOON


async def test_nobody_waits_beyond_the_deadline(time: _Time) -> None:
    """Told at once, with the time to come back."""
    budget = Budget(LocalLedger(), Limits(1, 1000), time.clock())
    await budget.reserve(_MODEL, _terms(time), 1, 1)
    with pytest.raises(ResourceExhausted) as caught:
        await budget.reserve(_MODEL, _terms(time, seconds=10), 1, 1)
    assert caught.value.reason is Reason.MODEL_RATE_LIMITED
    assert caught.value.retry_after == pytest.approx(60)
    assert time.now == _NOON


async def test_models_have_buckets_of_their_own(time: _Time) -> None:
    """The cheaper model is there when the better one is busy."""
    budget = Budget(LocalLedger(), Limits(1, 1000), time.clock())
    await budget.reserve(_MODEL, _terms(time), 1, 1)
    await budget.reserve("gpt-4.1-nano", _terms(time), 1, 1)
    assert time.now == _NOON


async def test_a_users_share_ends_before_it_is_exceeded_and_comes_back_at_midnight(time: _Time) -> None:
    """Others go on meanwhile."""
    budget = Budget(LocalLedger(), Limits(100, 1000, user_micro_usd=100), time.clock())
    await budget.reserve(_MODEL, _terms(time), 1, 60)
    with pytest.raises(ResourceExhausted) as caught:
        await budget.reserve(_MODEL, _terms(time), 1, 60)
    assert (caught.value.reason, caught.value.metadata["limit"]) == (Reason.MODEL_BUDGET_SPENT, "user")
    assert caught.value.retry_after == 43_200
    await budget.reserve(_MODEL, _terms(time, "hojun"), 1, 60)
    time.now += 43_200
    await budget.reserve(_MODEL, _terms(time), 1, 60)


async def test_the_days_money_ends_for_everybody(time: _Time) -> None:
    """And what an estimate took too much is there again."""
    budget = Budget(LocalLedger(), Limits(100, 1000, day_micro_usd=100), time.clock())
    entry = await budget.reserve(_MODEL, _terms(time), 1, 60)
    with pytest.raises(ResourceExhausted) as caught:
        await budget.reserve(_MODEL, _terms(time, "hojun"), 1, 60)
    assert caught.value.metadata["limit"] == "day"
    budget.settle(entry, 1, 10)
    await budget.settled()
    await budget.reserve(_MODEL, _terms(time, "hojun"), 1, 60)


class _Away:
    """Redis, away."""

    async def reserve(self, entry: Entry, limits: Limits) -> Verdict:
        raise ConnectionError

    async def settle(self, entry: Entry, tokens: int, micro_usd: int, calls: int = 1) -> None:
        raise ConnectionError


async def test_without_redis_limits_hold_for_the_process(time: _Time) -> None:
    """Losing Redis must not open the purse."""
    budget = Budget(SharedLedger(_Away()), Limits(100, 1000, user_micro_usd=100), time.clock())
    entry = await budget.reserve(_MODEL, _terms(time), 1, 60)
    with pytest.raises(ResourceExhausted):
        await budget.reserve(_MODEL, _terms(time), 1, 60)
    budget.settle(entry, 1, 10)
    await budget.settled()
    await budget.reserve(_MODEL, _terms(time), 1, 60)


async def test_without_redis_a_caller_who_knows_what_was_spent_is_asked(time: _Time) -> None:
    """Other processes spend, too. With caps alone: else there is nothing to hold to."""
    capped = Budget(LocalLedger(), Limits(100, 1000, user_micro_usd=100), time.clock())
    knowing = replace(_terms(time), spent=True)
    with pytest.raises(Unavailable) as asked:
        await capped.reserve(_MODEL, knowing, 1, 60)
    assert asked.value.reason is Reason.MODEL_SPENT_UNKNOWN
    await capped.reserve(_MODEL, replace(knowing, spent=Spent(900, 30)), 1, 60)
    with pytest.raises(ResourceExhausted):
        await capped.reserve(_MODEL, replace(knowing, spent=Spent(900, 30)), 1, 60)
    await Budget(LocalLedger(), Limits(100, 1000), time.clock()).reserve(_MODEL, knowing, 1, 60)


def test_a_breaker_opens_after_failures_in_a_row_and_lets_one_try(time: _Time) -> None:
    """A provider that is down costs no caller their deadline."""
    breaker = ProviderBreaker(lambda: time.now)
    for _ in range(5):
        assert breaker.open_for() == 0
        breaker.failed()
    assert breaker.open_for() == pytest.approx(5)
    time.now += 5
    assert breaker.open_for() == 0  # one may try,
    assert breaker.open_for() > 0  # the others wait for its outcome
    breaker.failed()
    assert breaker.open_for() == pytest.approx(10)
    time.now += 10
    assert breaker.open_for() == 0
    breaker.succeeded()
    assert breaker.open_for() == 0


def test_a_snapshot_costs_what_its_model_does() -> None:
    """Cached tokens are cheaper; fractions of a millionth are rounded up."""
    mini = price("gpt-4.1-mini-2025-04-14")
    assert mini.micro_usd(Tokens(1000, 100)) == 560
    assert mini.micro_usd(Tokens(1000, 100, cached=1000)) == 260
    assert mini.micro_usd(Tokens(1, 0)) == 1


def test_a_model_without_a_price_is_refused() -> None:
    """It could spend without anybody knowing."""
    with pytest.raises(UnknownModel):
        price("gpt-unheard-of")


def test_a_bill_adds_up_failed_tries() -> None:
    """Each was paid."""
    bill = UsageMeter()
    bill.add(Usage("a", 10, 0, 4))
    bill.add(Usage("b", 10, 5, 6))
    assert bill.total == Usage("b", 20, 5, 10, calls=2)
