"""What Scan tells of all its processes together: the queue, and the day's money."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager

import asyncpg

from mesh.observability.instruments import Instruments, Reading
from mesh.postgres import Queries
from scan_svc.client_jobs.client_jobs import Kind
from scan_svc.jobs.elected_metrics import LEASE_SECONDS, Shared, open_elected_metrics
from scan_svc.jobs.leadership import Leadership
from scan_svc.jobs.leases import EXPORT_KIND, REWARD_KIND, SCAN_KIND, WEBHOOK_KIND
from scan_svc.jobs.stats import QueueStatsReader, StageStats
from scan_svc.metrics import (
    BATCH_OLDEST_AGE,
    BUDGET_LEFT,
    BUDGET_LIMIT,
    EVENTS_HELD,
    EVENTS_WRITTEN,
    OLDEST_WEBHOOK,
    PHOTOS_TO_REMOVE,
    QUEUE_JOBS,
    QUEUE_OLDEST_AGE,
)
from scan_svc.operations.model_spending import DaySpending
from scan_svc.pipeline.stages import ORDER, REWARD

_MICRO = 1e-6
_STAGES: Mapping[str, Sequence[str]] = {
    SCAN_KIND: ORDER,
    REWARD_KIND: (REWARD,),
    WEBHOOK_KIND: ("deliver",),
    EXPORT_KIND: ("export",),
    **{kind.value: ("run",) for kind in Kind},
}


def open_figures(
    instruments: Instruments, pool: asyncpg.Pool, stats: QueueStatsReader, spending: DaySpending
) -> AbstractAsyncContextManager[None]:
    """Tells the queue and the day's money, whenever this process is the one that does.

    Args:
        instruments: What tells them.
        pool: Connections.
        stats: Counts what waits.
        spending: Adds up the day's money.
    """
    sql, event_sql = Queries("scan_svc.jobs"), Queries("scan_svc.events")

    async def queue() -> Shared:
        counted = await stats.by_kind()
        # With zeros where nothing waits: a rule on a series that is gone says nothing.
        known = {(kind, stage): StageStats(stage) for kind, stages in _STAGES.items() for stage in stages}
        known |= {(kind, stage): one for kind, stages in counted.items() for stage, one in stages.items()}
        return [
            (QUEUE_JOBS, [reading for (kind, _), one in known.items() for reading in _jobs(kind, one)]),
            (QUEUE_OLDEST_AGE, [(one.oldest_age, _labels(kind, one)) for (kind, _), one in known.items()]),
            (BATCH_OLDEST_AGE, [(known[SCAN_KIND, stage].batch_oldest_age, {"eco2.stage": stage}) for stage in ORDER]),
        ]

    async def overdue() -> Shared:
        row = await pool.fetchrow(sql["queue_overdue"])
        assert row is not None
        return [(OLDEST_WEBHOOK, [(row["oldest_webhook"], {})]), (PHOTOS_TO_REMOVE, [(row["photos"], {})])]

    async def money() -> Shared:
        limit = spending.budget.day
        if not limit:
            return []
        spent = sum(one.cost_micro_usd for one in await spending.by_model())
        return [(BUDGET_LIMIT, [(limit * _MICRO, {})]), (BUDGET_LEFT, [((limit - spent) * _MICRO, {})])]

    async def events() -> Shared:
        row = await pool.fetchrow(event_sql["figures"])
        assert row is not None
        return [(EVENTS_WRITTEN, [(row["written"], {})]), (EVENTS_HELD, [(row["held_age"], {})])]

    metrics = (QUEUE_JOBS, QUEUE_OLDEST_AGE, BATCH_OLDEST_AGE, OLDEST_WEBHOOK, PHOTOS_TO_REMOVE, BUDGET_LIMIT,
               BUDGET_LEFT, EVENTS_WRITTEN, EVENTS_HELD)  # fmt: skip
    leadership = Leadership(pool, "metrics", LEASE_SECONDS)
    return open_elected_metrics(instruments, leadership, metrics, (queue, overdue, money, events))


def _labels(kind: str, stage: StageStats) -> dict[str, str]:
    return {"eco2.job.kind": kind, "eco2.stage": stage.stage}


def _jobs(kind: str, stage: StageStats) -> Sequence[Reading]:
    counts = {"ready": stage.ready, "in_flight": stage.in_flight, "dead": stage.dead}
    return [(count, _labels(kind, stage) | {"eco2.job.state": state}) for state, count in counts.items()]
