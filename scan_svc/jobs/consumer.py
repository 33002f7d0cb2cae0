"""Takes the jobs of one kind off the table and runs them, as many at once as there is room for.

It knows leases; what a job is about is its `JobKind`'s.
"""

import asyncio
import contextlib
import random
import time
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import structlog

from mesh.observability.instruments import Instruments
from mesh.outages import until_available
from scan_svc.jobs.batch_share import BatchShare
from scan_svc.jobs.quarantine import Quarantine
from scan_svc.jobs.share import Share
from scan_svc.jobs.user_shares import UserShares
from scan_svc.jobs.workers import WorkerRegistry
from scan_svc.metrics import WORKER_CAPACITY, WORKER_JOBS

_log = structlog.get_logger("consumer")

_POLL_SECONDS = 1.0
_RECONCILE_SECONDS = 10.0
# How long the answer to a statement that leased a job here unclaimed may be on its way.
_HANDOVER_SECONDS = 15.0


class ClaimedJob(Protocol):
    """A job that was claimed."""

    @property
    def job_id(self) -> int:
        """Which job."""

    @property
    def user_id(self) -> str:
        """Whose it is."""


class RunningJob(Protocol):
    """One job at work."""

    async def run(self) -> None:
        """Works until the job is done, failed, put back or somebody else's."""

    def leave(self) -> None:
        """Begin nothing new, and give back what is left to do."""

    async def release(self) -> None:
        """Returns the job untried, since the time to leave is up."""


@dataclass(frozen=True, slots=True)
class JobKind:
    """One kind of job.

    Attributes:
        name: As in the job table.
        capacity: Jobs of this kind at once.
        claim: Takes up to so many for a worker, and none of some users.
        execute: Sets one to work.
        quarantine: Runs those apart that may crash their worker; None if this kind has no such.
        handed_over: Whether such jobs may be leased to this worker as they are made, unclaimed.
        reserve: How much of the capacity nobody gets who has the rest of it: others' jobs find room at once.
        stages: The stages at which such jobs are claimed here; empty: all.
        batch: Told which of them are at work, since some give way to the others; None if none do.
    """

    name: str
    capacity: int
    claim: Callable[[int, int, Collection[str]], Awaitable[Sequence[ClaimedJob]]]
    execute: Callable[[Any], RunningJob]
    quarantine: Quarantine | None = None
    handed_over: bool = False
    reserve: int = 0
    stages: Collection[str] = ()
    batch: BatchShare | None = None

    def hears(self, due: str) -> bool:
        """Whether what is due may be claimed here: a kind of job, or `kind/stage`."""
        name, _, stage = due.partition("/")
        return name == self.name and (not stage or not self.stages or stage in self.stages)


class Consumer:
    """Runs the jobs of one kind for one worker process.

    Where a job of another kind makes one of this kind, the worker may go on with it at once, unclaimed: whoever makes
    it reserves room here, leases the job to the worker it is told, and begins it.

    Args:
        kind: Which.
        registry: Knows which jobs the worker holds.
        call_others: Called with the kind when there are jobs that others should take a share of.
    """

    def __init__(self, kind: JobKind, registry: WorkerRegistry, call_others: Callable[[str], None]) -> None:
        self._kind = kind
        self._quarantine = kind.quarantine
        self._registry = registry
        self._call_others = call_others
        self._share = Share()
        self._users = UserShares(kind.capacity - kind.reserve)
        self._at_work: dict[int, tuple[RunningJob, asyncio.Task[None]]] = {}
        self._room = kind.capacity
        self._wake = asyncio.Event()
        self._full = False  # the last claim took all there was room for: there may be more
        self._leaving = False
        self._worker_id: int | None = None

    @property
    def kind(self) -> str:
        """The kind's name."""
        return self._kind.name

    def tell(self, instruments: Instruments) -> None:
        """Tells from now on how many jobs are at work, and how much room there is."""
        labels = {"eco2.job.kind": self._kind.name}
        instruments.observe(WORKER_JOBS, lambda: [(len(self._at_work), labels)])
        instruments.observe(WORKER_CAPACITY, lambda: [(self._kind.capacity, labels)])

    @property
    def running(self) -> Collection[int]:
        """The jobs at work."""
        return self._at_work.keys()

    @property
    def tasks(self) -> "list[asyncio.Task[None]]":
        """What runs them."""
        return [task for _, task in self._at_work.values()]

    @property
    def leaving(self) -> bool:
        """Whether nothing may begin any more."""
        return self._leaving

    def hears(self, due: str) -> bool:
        """Whether what is due, a kind of job or `kind/stage`, may be claimed here."""
        return self._kind.hears(due)

    def wake(self) -> bool:
        """There may be something to claim; False if others should know of it.

        There is no room for it, or none for its user, or none until suspects are done, or it is another worker's turn,
        or it may wait at a stage that isn't done here.
        """
        self._wake.set()
        no_room = self._room <= 0 or self._held_back
        if no_room or self._leaving or self._kind.stages or (self._quarantine and self._quarantine.at_work):
            return False
        return not self._share.calls_others(len(self._at_work))

    def share(self, *, wanted: bool) -> None:
        """Says whether another worker has much less to do."""
        self._share.wanted = wanted

    def look_for_suspects(self) -> None:
        """Jobs were taken back from workers that died of something: there may be suspects among them."""
        if self._quarantine:
            self._quarantine.look_soon()
        self._wake.set()

    def reserve(self) -> int | None:
        """Reserves room for a job that is about to be made; returns the worker's id, None if there is no room."""
        if self._room <= 0 or self._leaving or self._worker_id is None:
            return None
        self._room -= 1
        return self._worker_id

    def release(self) -> None:
        """Gives reserved room back."""
        self._room += 1

    def begin(self, lease: ClaimedJob) -> None:
        """Sets a job to work in the room that was reserved for it."""
        self._room += 1
        self.start(lease)

    def start(self, lease: Any) -> "asyncio.Task[None]":
        """Sets a job to work."""
        job = self._kind.execute(lease)
        if self._leaving:
            job.leave()
        task = asyncio.create_task(_execute(job), name=f"{self._kind.name} job {lease.job_id}")
        self._at_work[lease.job_id] = job, task
        self._room -= 1
        self._users.begin(lease.user_id)
        if self._kind.batch:
            self._kind.batch.begin(lease)
        task.add_done_callback(lambda _: self._ended(lease, task))
        return task

    def stop(self, job_id: int) -> None:
        """Stops a job, if it is at work here; its peer's call is cancelled with it."""
        if job_id in self._at_work:
            self._at_work[job_id][1].cancel()

    def open(self) -> None:
        """Jobs may begin: a worker has registered."""
        self._leaving = False

    def leave(self) -> None:
        """From now on nothing is claimed and no stage begins, not even of a job that a late claim brings."""
        self._leaving = True
        self._worker_id = None
        self.let_go()

    def let_go(self) -> None:
        """Tells the jobs at work to give back what is left of them after the stage they are at."""
        for job, _ in self._at_work.values():
            job.leave()

    async def consume(self, worker_id: int) -> None:
        """Takes as many jobs as there is room for, whenever there may be some, until it is to leave."""
        reconciled = 0.0
        self._worker_id = worker_id
        self.look_for_suspects()
        while not self._leaving:
            self._wake.clear()
            self._full = False
            if self._quarantine:
                await self._quarantine.run_if_due(worker_id, self)
            if time.monotonic() - reconciled > _RECONCILE_SECONDS:
                await self._reconcile(worker_id)
                reconciled = time.monotonic()
            if not await self._fill(worker_id):
                await self._woken()

    async def _fill(self, worker_id: int) -> bool:
        """Claims jobs; True if there may be more of them and room."""
        if pause := self._share.pause(len(self._at_work)):
            await asyncio.sleep(pause)
        if self._leaving:
            return False
        room, full = self._users.claimable(min(self._room, self._share.most))
        leases = await until_available(lambda: self._kind.claim(worker_id, room, full)) if room else ()
        for lease in leases:
            self.start(lease)
        self._full = len(leases) == room
        self._share.claimed(full=self._full)
        if leases and self._full and self._share.calls_others(len(self._at_work)):
            self._call_others(self._kind.name)
        return self._full and self._room > 0

    async def _reconcile(self, worker_id: int) -> None:
        """Gives back what is leased to this worker and not at work: the answer to a claim was lost."""
        unheard = _HANDOVER_SECONDS if self._kind.handed_over else 0.0
        lost = await until_available(
            lambda: self._registry.reconcile(worker_id, self._kind.name, self.running, unheard)
        )
        if lost:
            _log.warning("jobs given back that were leased unknowingly", kind=self._kind.name, count=lost)

    async def _woken(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_POLL_SECONDS * random.uniform(0.5, 1.0)):
                await self._wake.wait()

    @property
    def _held_back(self) -> bool:
        """Whether somebody was left out of the last claim: there may be jobs for which there is room later."""
        return self._users.held_back or bool(self._kind.batch and self._kind.batch.held_back)

    def _ended(self, lease: Any, task: "asyncio.Task[None]") -> None:
        job_id = lease.job_id
        self._users.end(lease.user_id)
        if self._kind.batch:
            self._kind.batch.end(lease)
        # It may have been given back, and claimed again already.
        if job_id in self._at_work and self._at_work[job_id][1] is task:
            del self._at_work[job_id]
        self._room += 1
        if not task.cancelled() and task.exception():
            _log.error("execution broke", job_id=job_id, exc_info=task.exception())
        if self._full or self._held_back:
            self._wake.set()


async def _execute(job: RunningJob) -> None:
    try:
        await job.run()
    except asyncio.CancelledError:
        # Stopped by its user: fenced already, so nothing is written. Leaving: given back.
        await job.release()
        raise
