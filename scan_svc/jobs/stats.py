"""The queue at a glance: how much waits, and for how long already."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import asyncpg

from mesh.postgres import Queries
from scan_svc.admission import Backlog
from scan_svc.jobs.leases import REWARD_KIND

_WEBHOOK_STAGE = "deliver"


@dataclass(frozen=True, slots=True)
class StageStats:
    """What waits at one stage.

    Attributes:
        stage: Which.
        ready: Jobs to run, now or later.
        in_flight: Jobs held by a worker.
        dead: Dead letters.
        oldest_age: Seconds that the oldest job that is due has waited, batch scans apart; 0 when none is due.
        batch_ready: Those of the ready jobs that are batch scans.
        batch_oldest_age: Seconds that the oldest batch scan that is due has waited; 0 when none is due.
    """

    stage: str
    ready: int = 0
    in_flight: int = 0
    dead: int = 0
    oldest_age: float = 0.0
    batch_ready: int = 0
    batch_oldest_age: float = 0.0


@dataclass(frozen=True, slots=True)
class QueueStats:
    """What waits.

    Attributes:
        stages: Scans, at every stage that has any, in the order of the pipeline; then rewards of scans that have
            succeeded.
        webhooks: Webhooks.
    """

    stages: tuple[StageStats, ...]
    webhooks: StageStats


class QueueStatsReader:
    """Counts what is in the job table.

    Args:
        pool: Connections.
        order: Names of the pipeline's stages, in order.
    """

    def __init__(self, pool: asyncpg.Pool, order: Sequence[str]) -> None:
        self._pool = pool
        self._sql = Queries("scan_svc.jobs")
        self._order = order

    async def read(self) -> QueueStats:
        """What waits now."""
        counted = await self.by_kind()
        stages = sorted((*counted["scan"].values(), *counted[REWARD_KIND].values()), key=self._place)
        return QueueStats(tuple(stages), counted["webhook"].get(_WEBHOOK_STAGE, StageStats(_WEBHOOK_STAGE)))

    async def by_kind(self) -> Mapping[str, Mapping[str, StageStats]]:
        """What waits now at each stage that has any, by kind of job; none of a kind that has none.

        A kind or stage that only the next release knows, while it is being deployed, is shown by that.
        """
        counted: defaultdict[str, dict[str, StageStats]] = defaultdict(dict)
        for row in await self._pool.fetch(self._sql["queue_stats"]):
            kind, *figures = row.values()
            counted[kind][row["stage"]] = StageStats(*figures)
        return counted

    async def backlog(self) -> Backlog:
        """What the workers have before them."""
        row = await self._pool.fetchrow(self._sql["backlog"])
        return Backlog(*row.values()) if row else Backlog()

    def _place(self, stats: StageStats) -> int:
        """Where a stage belongs; one that only the next release knows, while it is being deployed, comes last."""
        return self._order.index(stats.stage) if stats.stage in self._order else len(self._order)
