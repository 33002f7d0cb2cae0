"""Jobs that may be what crashes workers: they run apart from all others until the guilty one is known.

Any job that was at work in a crash may have been its cause. With the second crash of one stage it is a suspect.
Suspects run together, each one stage: the innocent among them soon have that stage behind them, and go on among the
others. After another crash each runs alone, so the guilty one is known before it is archived, which comes with the
fifth (`rescue_orphaned_jobs.sql`).
"""

import asyncio
import functools
import time
from asyncio import ALL_COMPLETED, FIRST_COMPLETED
from collections.abc import Sequence
from math import isqrt
from typing import Any, Protocol, TypeAlias

from msgspec.structs import replace

from mesh.outages import until_available
from scan_svc.jobs.periodic import Schedule
from scan_svc.jobs.queue import SUSPECT_CRASHES
from scan_svc.meters import ScanMeters

_LOOK_SECONDS = 1.0
# A replay doesn't forget the crashes of an archived job.
_MOST_CRASHES = 32_767
_SMALLEST_GROUP = 4


# A struct with a `group_size`, such as `Lease`.
SuspectLease: TypeAlias = Any


class Consumer(Protocol):
    """Whoever runs the suspects, and other jobs beside them."""

    @property
    def leaving(self) -> bool:
        """Whether nothing may begin any more."""

    @property
    def tasks(self) -> "Sequence[asyncio.Task[None]]":
        """The jobs at work."""

    def let_go(self) -> None:
        """Tells the jobs at work to give back what is left of them after the stage they are at."""

    def start(self, lease: Any) -> "asyncio.Task[None]":
        """Sets a job to work."""


class SuspectJobs(Protocol):
    """The jobs of one kind."""

    async def count_suspects(self) -> int:
        """How many jobs are due that were in several crashes."""

    async def claim_suspects(
        self, worker_id: int, count: int, least_crashes: int, most_crashes: int
    ) -> Sequence[SuspectLease]:
        """Takes up to `count` jobs that are due and were in so many crashes; to be run apart."""


class Quarantine:
    """Suspects among the jobs of one kind, and their turn.

    Args:
        queue: The jobs.
        schedule: Says whose turn it is to let other jobs go for suspects: workers take turns, so that they don't all
            stop at once.
        lease_seconds: How long suspects may hold up the others at a stretch, once these have had half that time to end;
            a turn comes four times in it.
        meters: Count the suspects.
        kind: Tells the turns of one kind's suspects from others'; empty for scans.
    """

    def __init__(
        self,
        queue: SuspectJobs,
        schedule: Schedule,
        lease_seconds: float,
        meters: ScanMeters | None = None,
        kind: str = "",
    ) -> None:
        self._queue = queue
        self._turn = f"suspects {kind}" if kind else "suspects"
        self._schedule = schedule
        self._lease_seconds = lease_seconds
        self._meters = meters or ScanMeters.off()
        self._looked = 0.0  # last; a new worker has room for suspects and looks at once
        self._at_work = False

    @property
    def at_work(self) -> bool:
        """Whether suspects have the worker to themselves."""
        return self._at_work

    def look_soon(self) -> None:
        """There may be suspects: they are looked for the next time there is an occasion."""
        self._looked = 0.0

    async def run_if_due(self, worker_id: int, consumer: Consumer) -> None:
        """Looks for suspects now and then, and runs those there are apart from all others; for a moment at most."""
        if time.monotonic() - self._looked > _LOOK_SECONDS:
            await self._run(worker_id, consumer)
            self._looked = time.monotonic()

    async def claim(self, worker_id: int, beside: int) -> list[SuspectLease]:
        """Takes suspects that may run together.

        As many do as is the square root of how many wait: with more, more would have to run alone in the end; with
        fewer, the others would wait longer. Those that were in three crashes or more run alone, and first.

        Args:
            worker_id: For whom.
            beside: How many suspects it runs already; only those that needn't be alone are taken then.
        """
        group = max(_SMALLEST_GROUP, isqrt(await self._queue.count_suspects() + beside))
        alone = ((4, _MOST_CRASHES, 1), (3, 3, 1)) if beside == 0 else ()
        for least, most, group_size in (*alone, (SUSPECT_CRASHES, SUSPECT_CRASHES, group)):
            leases = await self._queue.claim_suspects(worker_id, max(0, group_size - beside), least, most)
            if leases:
                self._meters.quarantined(len(leases))
                return [replace(lease, group_size=group_size) for lease in leases]
        return []

    async def _run(self, worker_id: int, consumer: Consumer) -> None:
        if not await until_available(self._queue.count_suspects):
            return
        if consumer.tasks and not await until_available(self._is_our_turn):
            return
        self._at_work = True
        try:
            consumer.let_go()
            if tasks := consumer.tasks:
                # What takes longer shares the risk, or suspects would wait for the slowest call.
                await asyncio.wait(tasks, timeout=self._lease_seconds / 2)
            await self._run_apart(worker_id, consumer)
        finally:
            self._at_work = False

    async def _run_apart(self, worker_id: int, consumer: Consumer) -> None:
        """Keeps as many suspects at work as may run together, and those that must be alone alone."""
        until = time.monotonic() + self._lease_seconds
        tasks: set[asyncio.Task[None]] = set()
        while time.monotonic() < until and not consumer.leaving:
            leases = await until_available(functools.partial(self.claim, worker_id, len(tasks)))
            tasks |= {consumer.start(lease) for lease in leases}
            if not tasks:
                return
            more = bool(leases) and leases[0].group_size > 1
            _, tasks = await asyncio.wait(tasks, return_when=FIRST_COMPLETED if more else ALL_COMPLETED)
        if tasks:
            await asyncio.wait(tasks)

    async def _is_our_turn(self) -> bool:
        return await self._schedule.due(self._turn, self._lease_seconds / 4)
