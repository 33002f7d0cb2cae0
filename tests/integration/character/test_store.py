"""Rewards and collections in PostgreSQL: what holds when calls repeat and race."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import asyncpg
import pytest

from character_svc.rewards import Decision, MatchReason, Reward, RewardOutcome, Verdict
from character_svc.store import RewardStore
from mesh import postgres
from mesh.errors import NotFound
from mesh.reasons import Reason
from tests.support.waiting import eventually

METALLY = Decision(Verdict.EARNED, "metally", MatchReason.MIDDLE)
ECO = Decision(Verdict.EARNED, "eco", MatchReason.DEFAULT)
REFUSALS = [Decision(verdict) for verdict in Verdict if verdict is not Verdict.EARNED]


@pytest.fixture
async def store(database_url: str) -> AsyncIterator[RewardStore]:
    async with postgres.open_pool(database_url, max_size=8) as pool:
        yield RewardStore(pool)


async def collection(store: RewardStore, user_id: str = "mina") -> list[str]:
    return [owned.character_id for owned in await store.list_owned(user_id)]


async def test_the_first_scan_grants_and_the_next_one_finds_it_owned(store: RewardStore) -> None:
    """One row per user and character, and the user is told which it was."""
    first = await store.evaluate(uuid4(), "mina", METALLY)
    second = await store.evaluate(uuid4(), "mina", METALLY)
    assert first == Reward(RewardOutcome.GRANTED, "metally", MatchReason.MIDDLE)
    assert second == Reward(RewardOutcome.ALREADY_OWNED, "metally", MatchReason.MIDDLE)
    assert await collection(store) == ["metally"]


@pytest.mark.parametrize("decision", [METALLY, ECO, *REFUSALS], ids=lambda decision: decision.verdict)
async def test_evaluating_a_scan_again_returns_the_same(store: RewardStore, decision: Decision) -> None:
    """A worker that lost the reply must find the outcome it missed."""
    scan_id = uuid4()
    first = await store.evaluate(scan_id, "mina", decision)
    assert await store.evaluate(scan_id, "mina", decision) == first


async def test_a_scan_refused_for_what_was_open_earns_once_it_is_settled(store: RewardStore) -> None:
    """Its user replied to the question; whoever asks again is told the same, and one row was made."""
    scan_id = uuid4()
    refused = await store.evaluate(scan_id, "mina", Decision(Verdict.INSUFFICIENT))
    granted = await store.evaluate(scan_id, "mina", METALLY)
    assert (refused.outcome, granted) == (
        RewardOutcome.INSUFFICIENT,
        Reward(RewardOutcome.GRANTED, "metally", MatchReason.MIDDLE),
    )
    assert await store.evaluate(scan_id, "mina", METALLY) == granted
    assert await store.evaluate(scan_id, "mina", ECO) == granted
    assert await collection(store) == ["metally"]


async def test_a_scan_refused_for_another_reason_stays_refused(store: RewardStore) -> None:
    """No reply makes rubbish recyclable."""
    scan_id = uuid4()
    refused = await store.evaluate(scan_id, "mina", Decision(Verdict.NOT_RECYCLABLE))
    assert await store.evaluate(scan_id, "mina", METALLY) == refused


async def test_a_scan_that_found_its_character_owned_stays_so(store: RewardStore) -> None:
    """Which scan brought the character is remembered, not guessed from who owns it now."""
    late = uuid4()
    await store.evaluate(uuid4(), "mina", METALLY)
    await store.evaluate(late, "mina", METALLY)
    assert (await store.evaluate(late, "mina", METALLY)).outcome is RewardOutcome.ALREADY_OWNED


async def test_the_first_evaluation_of_a_scan_stands_when_the_second_decides_otherwise(store: RewardStore) -> None:
    """A replayed scan may be classified anew; it must not collect a character for each try."""
    scan_id = uuid4()
    first = await store.evaluate(scan_id, "mina", METALLY)
    assert await store.evaluate(scan_id, "mina", ECO) == first
    assert await store.evaluate(scan_id, "mina", REFUSALS[0]) == first
    assert await collection(store) == ["metally"]


async def test_a_refused_scan_stays_refused(store: RewardStore) -> None:
    """The outcome a user has read doesn't change behind their back."""
    scan_id = uuid4()
    await store.evaluate(scan_id, "mina", Decision(Verdict.NO_RULES))
    assert await store.evaluate(scan_id, "mina", METALLY) == Reward(RewardOutcome.NO_RULES)
    assert await collection(store) == []


async def test_another_users_scan_is_not_found(store: RewardStore) -> None:
    """A scan belongs to one user: neither its outcome nor a second grant may leak to somebody else."""
    scan_id = uuid4()
    await store.evaluate(scan_id, "mina", METALLY)
    with pytest.raises(NotFound) as refused:
        await store.evaluate(scan_id, "joon", METALLY)
    assert refused.value.reason is Reason.SCAN_NOT_FOUND
    assert await collection(store, "joon") == []


async def test_users_collect_apart_from_each_other(store: RewardStore) -> None:
    """The same character can be everybody's."""
    for user_id in ("mina", "joon"):
        assert (await store.evaluate(uuid4(), user_id, METALLY)).outcome is RewardOutcome.GRANTED


async def test_a_collection_lists_first_earned_first(store: RewardStore) -> None:
    """Ids sort otherwise: the order is that of earning."""
    for decision in (METALLY, ECO, Decision(Verdict.EARNED, "barry", MatchReason.MIDDLE)):
        await store.evaluate(uuid4(), "mina", decision)
    assert await collection(store) == ["metally", "eco", "barry"]


async def test_a_hundred_evaluations_of_one_scan_at_once_agree(
    store: RewardStore, connection: asyncpg.Connection
) -> None:
    """They race for the scan; whichever wins, everybody reports its outcome and it grants once."""
    scan_id, decisions = uuid4(), [METALLY, ECO, REFUSALS[0], METALLY] * 25
    rewards = await asyncio.gather(*(store.evaluate(scan_id, "mina", decision) for decision in decisions))
    assert len(set(rewards)) == 1
    assert await connection.fetchval("select count(*) from character.reward") == 1
    granted = 0 if rewards[0].character_id is None else 1
    assert await connection.fetchval("select count(*) from character.owned_character") == granted


async def test_a_hundred_scans_at_once_grant_the_character_once(
    store: RewardStore, connection: asyncpg.Connection
) -> None:
    """They race for the character: one is granted, ninety-nine find it owned, and say so again when asked again."""
    scans = [uuid4() for _ in range(100)]

    async def evaluate(scan_id: UUID) -> RewardOutcome:
        return (await store.evaluate(scan_id, "mina", METALLY)).outcome

    outcomes = await asyncio.gather(*map(evaluate, scans))
    assert Counter(outcomes) == {RewardOutcome.GRANTED: 1, RewardOutcome.ALREADY_OWNED: 99}
    assert await asyncio.gather(*map(evaluate, scans)) == outcomes
    assert await connection.fetchval("select count(*) from character.owned_character") == 1
    assert await connection.fetchval("select count(*) from character.reward") == 100


async def test_a_grant_that_fails_halfway_leaves_nothing(store: RewardStore, connection: asyncpg.Connection) -> None:
    """Reward and collection are one transaction: a scan must not count as evaluated without what it earned."""
    scan_id = uuid4()
    await connection.execute("alter table character.owned_character add constraint refuse check (user_id <> 'mina')")
    with pytest.raises(asyncpg.CheckViolationError):
        await store.evaluate(scan_id, "mina", METALLY)
    assert await connection.fetchval("select count(*) from character.reward") == 0
    await connection.execute("alter table character.owned_character drop constraint refuse")
    assert (await store.evaluate(scan_id, "mina", METALLY)).outcome is RewardOutcome.GRANTED


async def test_scans_that_are_evaluated_together_share_a_commit(
    store: RewardStore, connection: asyncpg.Connection
) -> None:
    """An fsync for each limits how many scans can end at once; each has its own outcome all the same."""
    scans = [uuid4() for _ in range(20)]
    await asyncio.gather(*(store.evaluate(scan, f"user-{n}", METALLY) for n, scan in enumerate(scans)))
    assert await connection.fetchval("select count(distinct xmin::text) from character.reward") <= 2


async def test_an_evaluation_that_cant_be_stored_fails_alone(
    store: RewardStore, connection: asyncpg.Connection
) -> None:
    """Such as by a rule that the table has for one of them: its neighbours get what they earned."""
    await connection.execute("alter table character.reward add constraint refuse check (user_id <> 'mina')")
    users = ["joon", "mina", "sora", "jiho"]
    outcomes = await asyncio.gather(*(store.evaluate(uuid4(), user, METALLY) for user in users), return_exceptions=True)
    assert isinstance(outcomes[1], asyncpg.CheckViolationError)
    granted = Reward(RewardOutcome.GRANTED, "metally", MatchReason.MIDDLE)
    assert [outcome for user, outcome in zip(users, outcomes, strict=True) if user != "mina"] == [granted] * 3


async def test_a_batch_takes_collections_in_the_order_of_users(
    store: RewardStore, connection: asyncpg.Connection, database_url: str
) -> None:
    """Not in that of scans: two processes whose batches crossed would each wait for the other, until one is ended."""
    insert = "insert into character.owned_character (user_id, character_id, scan_id) values ($1, 'metally', $2)"
    waiting = (
        "select exists (select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock')"
    )
    low, high = sorted((uuid4(), uuid4()))
    async with postgres.open_pool(database_url) as looking, asyncio.TaskGroup() as group:
        async with connection.transaction():
            await connection.execute("set local lock_timeout = '300ms'")
            await connection.execute(insert, "anna", uuid4())
            later = [
                group.create_task(store.evaluate(scan_id, user, METALLY))
                for scan_id, user in ((low, "zoe"), (high, "anna"))
            ]

            async def blocked() -> bool:
                return bool(await looking.fetchval(waiting))

            await eventually(blocked)
            await connection.execute(insert, "zoe", uuid4())
        assert {(await one).outcome for one in later} == {RewardOutcome.ALREADY_OWNED}


async def test_a_corrected_scan_may_earn_another_character_once(store: RewardStore) -> None:
    """What it was granted first stays; and nobody collects them all by one photo."""
    scan_id = uuid4()
    first = await store.evaluate(scan_id, "mina", METALLY)
    open_ = await store.evaluate(scan_id, "mina", Decision(Verdict.INSUFFICIENT), corrected=True)
    other = await store.evaluate(scan_id, "mina", ECO, corrected=True)
    assert (first.outcome, open_.outcome, other.outcome) == (
        RewardOutcome.GRANTED, RewardOutcome.INSUFFICIENT, RewardOutcome.GRANTED,
    )  # fmt: skip
    assert await store.evaluate(scan_id, "mina", ECO, corrected=True) == other
    third = Decision(Verdict.EARNED, "papey", MatchReason.MIDDLE)
    assert await store.evaluate(scan_id, "mina", third, corrected=True) == other
    assert await store.evaluate(scan_id, "mina", METALLY, corrected=True) == first
    assert await store.evaluate(scan_id, "mina", METALLY) == first
    assert [(one.character_id, one.count) for one in await store.list_owned("mina")] == [
        (METALLY.character_id, 1),
        (ECO.character_id, 1),
    ]


async def test_a_scan_that_was_never_evaluated_is_none_the_worse_for_a_correction(store: RewardStore) -> None:
    """Then that is its first evaluation, which a late one of what it was before doesn't change."""
    scan_id = uuid4()
    granted = await store.evaluate(scan_id, "mina", METALLY, corrected=True)
    assert granted.outcome is RewardOutcome.GRANTED
    assert await store.evaluate(scan_id, "mina", ECO) == granted
    assert [one.character_id for one in await store.list_owned("mina")] == [METALLY.character_id]


async def test_a_correction_of_somebody_else_s_scan_is_not_found(store: RewardStore) -> None:
    """As any evaluation of it."""
    scan_id = uuid4()
    await store.evaluate(scan_id, "mina", METALLY)
    with pytest.raises(NotFound):
        await store.evaluate(scan_id, "joon", ECO, corrected=True)
