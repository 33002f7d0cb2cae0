"""The queue as metrics: one process tells it for all, whichever that is, and another one when it is gone."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager

import asyncpg
import pytest

from mesh.postgres import open_pool
from scan_svc.figures import open_figures
from scan_svc.jobs.elected_metrics import ElectedMetrics, Shared
from scan_svc.jobs.leadership import Leadership
from scan_svc.jobs.stats import QueueStatsReader
from scan_svc.metrics import (
    BATCH_OLDEST_AGE,
    BUDGET_LEFT,
    BUDGET_LIMIT,
    OLDEST_WEBHOOK,
    PHOTOS_TO_REMOVE,
    QUEUE_JOBS,
    QUEUE_OLDEST_AGE,
)
from scan_svc.operations.model_spending import Budget, DaySpending
from scan_svc.pipeline.stages import ORDER
from tests.integration.scan.job_tables import Jobs
from tests.support.metrics import Counted
from tests.support.waiting import eventually, true_of


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[asyncpg.Pool]:
    """What processes share."""
    async with open_pool(database_url) as pool:
        yield pool


def _process(counted: Counted, database: asyncpg.Pool, budget: int = 0) -> AbstractAsyncContextManager[None]:
    """One Scan process' worth of metrics."""
    spending = DaySpending(database, Budget(day=budget))
    return open_figures(counted.instruments, database, QueueStatsReader(database, ORDER), spending)


async def _tells(counted: Counted) -> None:
    await eventually(lambda: true_of(bool(counted.of(QUEUE_JOBS))))


async def _one() -> Shared:
    return [(QUEUE_OLDEST_AGE, [(1.0, {})])]


async def test_the_queue_is_told_by_stage_with_zeros(database: asyncpg.Pool) -> None:
    """Workers are scaled by it: a stage without jobs says 0, since of nothing no rule follows."""
    jobs, counted = Jobs(database), Counted()
    await jobs.add("READY", "answer", age=100)
    await jobs.add("READY", "answer", age=-100)
    await jobs.add("LEASED", "vision", age=900)
    await jobs.add("DEAD", "reward", kind="reward")
    await jobs.add("READY", "run", kind="batch", age=-100)
    await jobs.add("READY", "run", kind="video", age=200)
    await jobs.add("DEAD", "run", kind="comparison")
    waiting = await jobs.add("READY", "vision", age=3600)
    await database.execute("update scan.job set priority = -1 where ref = $1", waiting)
    failed = await jobs.scan("FAILED", None, days=1)
    webhook = await jobs.webhook(failed, "READY")
    await database.execute("update scan.webhook set queued_at = now() - interval '1 hour' where id = $1", webhook)
    async with _process(counted, database, budget=5_000_000):
        await _tells(counted)
        jobs_told, ages = counted.of(QUEUE_JOBS), counted.of(QUEUE_OLDEST_AGE)
        assert {key: count for key, count in jobs_told.items() if count} == {
            ("scan", "answer", "ready"): 2,
            ("scan", "vision", "ready"): 1,
            ("scan", "vision", "in_flight"): 1,
            ("reward", "reward", "dead"): 1,
            ("webhook", "deliver", "ready"): 1,
            ("batch", "run", "ready"): 1,
            ("video", "run", "ready"): 1,
            ("comparison", "run", "dead"): 1,
        }
        assert (jobs_told["scan", "rules", "ready"], jobs_told["export", "export", "dead"]) == (0, 0)
        assert {kind for kind, _, _ in jobs_told} == set(QUEUE_JOBS.attributes["eco2.job.kind"])
        assert (jobs_told["message", "run", "dead"], ages["client_export", "run"]) == (0, 0)
        assert 100 <= ages["scan", "answer"] < 160
        assert ages["batch", "run"] == 0  # put back on purpose: it isn't due, so nobody is late
        assert 200 <= ages["video", "run"] < 260
        assert ages["scan", "vision"] == 0
        assert 3600 <= counted.of(BATCH_OLDEST_AGE)["vision",] < 3660
        assert 3600 <= counted.of(OLDEST_WEBHOOK)[()] < 3660
        assert counted.of(BUDGET_LIMIT) == counted.of(BUDGET_LEFT) == {(): 5.0}
        assert counted.of(PHOTOS_TO_REMOVE)[()] >= 0


async def test_one_process_tells_it_and_the_next_one_when_it_leaves(database: asyncpg.Pool) -> None:
    """A hundred processes would ask PostgreSQL the same a hundred times."""
    first, second = Counted(), Counted()
    async with _process(first, database):
        await _tells(first)
        other = ElectedMetrics(Leadership(database, "metrics", 15), [_one])
        await other.refresh()
        assert not other.of(QUEUE_OLDEST_AGE)
    async with _process(second, database):
        await _tells(second)


async def test_whoever_is_silent_for_a_lease_is_succeeded_and_says_nothing_more(database: asyncpg.Pool) -> None:
    """Old figures beside new ones would have workers scaled by both."""
    now = 0.0

    frozen = ElectedMetrics(Leadership(database, "figures", 0.05), [_one], lambda: now)
    await frozen.refresh()
    assert frozen.of(QUEUE_OLDEST_AGE)
    successor = Leadership(database, "figures", 60)
    await eventually(successor.held)
    now = 15.0
    assert not frozen.of(QUEUE_OLDEST_AGE)
    await frozen.refresh()
    assert not frozen.of(QUEUE_OLDEST_AGE)
    assert await successor.held()  # the same process goes on
    await successor.stand_down()
    await frozen.refresh()
    assert frozen.of(QUEUE_OLDEST_AGE)


async def test_a_source_that_fails_takes_no_other_with_it(database: asyncpg.Pool) -> None:
    """The queue is known though a table of something else is locked or gone."""

    async def broken() -> Shared:
        raise TimeoutError

    leader = ElectedMetrics(Leadership(database, "one fails", 15), [broken, _one])
    await leader.refresh()
    assert leader.of(QUEUE_OLDEST_AGE)
