"""Takes the jobs of one kind off the table and runs them, as many at once as there is room for.

It knows leases; what a job is about is its `JobKind`'s.
"""

import asyncio
import contextlib
import functools
import random
import time
from asyncio import ALL_COMPLETED, FIRST_COMPLETED
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import structlog

from mesh import outages
from scan_svc.jobs.queue import JobQueue

_log = structlog.get_logger("consumer")

_CLAIM_AT_ONCE = 128
_POLL_SECONDS = 1.0
_RECONCILE_SECONDS = 10.0
# How long the answer to a statement that leased a job here unclaimed may be on its way.
_HANDOVER_SECONDS = 15.0

T = TypeVar("T")


class ClaimedJob(Protocol):
    """A job that was claimed."""

    @property
    def job_id(self) -> int:
        """Which job."""


class QuarantinedJob(ClaimedJob, Protocol):
    """A job that was claimed and that may crash its worker."""

    @property
    def group_size(self) -> int:
        """How many suspects may run together, this one included."""


class RunningJob(Protocol):
    """One job at work."""

    async def run(self) -> None:
        """Works until the job is done, failed, put back or somebody else's."""

    def leave(self) -> None:
        """Begin nothing new, and give back what is left to do."""

    async def release(self) -> None:
        """Returns the job untried, since the time to leave is up."""


@dataclass(frozen=True, slots=True)
class Quarantine:
    """Jobs that may be what crashes workers.

    Attributes:
        waiting: Whether there are any.
        turn: Whether it is this worker's turn to let its other jobs go for them; workers take turns, so that they
            don't all stop at once.
        claim: Takes some for a worker that may run together, beside so many that run already. Each runs one stage; then
            it isn't suspected any more.
    """

    waiting: Callable[[], Awaitable[bool]]
    turn: Callable[[], Awaitable[bool]]
    claim: Callable[[int, int], Awaitable[Sequence[QuarantinedJob]]]


class Handover:
    """Where a job of one kind makes a job of another, this worker may go on with it at once, unclaimed."""

    def __init__(self) -> None:
        self._consumer: Consumer | None = None

    def attach(self, consumer: "Consumer") -> None:
        """Says who takes such jobs over."""
        self._consumer = consumer

    def reserve(self) -> int | None:
        """Keeps a place for a job that is about to be made; returns the worker it is to be leased to; None: no room."""
        return self._consumer.reserve() if self._consumer else None

    def release(self) -> None:
        """Gives a place back: the job wasn't made."""
        if self._consumer:
            self._consumer.release()

    def begin(self, lease: ClaimedJob) -> None:
        """Sets the job to work in the place that was kept for it."""
        if self._consumer:
            self._consumer.begin(lease)


@dataclass(frozen=True, slots=True)
class JobKind:
    """One kind of job.

    Attributes:
        name: As in the job table.
        capacity: Jobs of this kind at once.
        claim: Takes up to so many for a worker.
        execute: Sets one to work.
        suspects: Those to be run apart; None if this kind has no such.
        handover: Brings jobs that are leased to this worker as they are made; None if this kind has no such.
    """

    name: str
    capacity: int
    claim: Callable[[int, int], Awaitable[Sequence[ClaimedJob]]]
    execute: Callable[[Any], RunningJob]
    suspects: Quarantine | None = None
    handover: Handover | None = None


class Consumer:
    """Runs the jobs of one kind for one worker process.

    Args:
        kind: Which.
        queue: The job table.
        apart_seconds: How long suspects may hold up the others at a stretch, once these have had half that time to end.
    """

    def __init__(self, kind: JobKind, queue: JobQueue, apart_seconds: float) -> None:
        self._kind = kind
        self._queue = queue
        self._apart_seconds = apart_seconds
        self._looked = 0.0  # for suspects, last; a new worker has room for them and looks at once
        self._at_work: dict[int, tuple[RunningJob, asyncio.Task[None]]] = {}
        self._room = kind.capacity
        self._wake = asyncio.Event()
        self._apart = False  # suspects have the worker to themselves
        self._full = False  # the last claim took all there was room for: there may be more
        self._leaving = False
        self._worker_id: int | None = None
        if kind.handover:
            kind.handover.attach(self)

    @property
    def kind(self) -> str:
        """The kind's name."""
        return self._kind.name

    @property
    def running(self) -> Collection[int]:
        """The jobs at work."""
        return self._at_work.keys()

    @property
    def tasks(self) -> "list[asyncio.Task[None]]":
        """What runs them."""
        return [task for _, task in self._at_work.values()]

    def wake(self) -> bool:
        """There may be something to claim; False if there is no room for it, or none until suspects are done."""
        self._wake.set()
        return self._room > 0 and not self._apart and not self._leaving

    def suspect(self) -> None:
        """There may be suspects: looks for them at once."""
        self._looked = 0.0
        self._wake.set()

    def reserve(self) -> int | None:
        """Keeps a place for a job that is about to be made; returns the worker's number, None if there is no room."""
        if self._room <= 0 or self._leaving or self._worker_id is None:
            return None
        self._room -= 1
        return self._worker_id

    def release(self) -> None:
        """Gives a place that was kept back."""
        self._room += 1

    def begin(self, lease: ClaimedJob) -> None:
        """Sets a job to work in the place that was kept for it."""
        self._room += 1
        self._start(lease)

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
        self._let_go()

    async def consume(self, worker_id: int) -> None:
        """Takes as many jobs as there is room for, whenever there may be some, until it is to leave."""
        self._looked = reconciled = 0.0
        self._worker_id = worker_id
        while not self._leaving:
            self._wake.clear()
            self._full = False
            if time.monotonic() - self._looked > _POLL_SECONDS:
                await self._run_suspects(worker_id)
                self._looked = time.monotonic()
            if time.monotonic() - reconciled > _RECONCILE_SECONDS:
                await self._reconcile(worker_id)
                reconciled = time.monotonic()
            if not await self._fill(worker_id):
                await self._woken()

    async def _fill(self, worker_id: int) -> bool:
        """Claims jobs; True if there may be more of them and room."""
        room = min(self._room, _CLAIM_AT_ONCE)
        leases = await patiently(lambda: self._kind.claim(worker_id, room)) if room else ()
        for lease in leases:
            self._start(lease)
        self._full = len(leases) == room
        return self._full and self._room > 0

    async def _run_suspects(self, worker_id: int) -> None:
        """Runs jobs that may crash their worker apart from all others; goes on for a moment at most."""
        suspects = self._kind.suspects
        if suspects is None or not await patiently(suspects.waiting):
            return
        if self._at_work and not await patiently(suspects.turn):
            return
        self._apart = True
        try:
            self._let_go()
            if tasks := self.tasks:
                # What takes longer shares the risk, or suspects would wait for the slowest call.
                await asyncio.wait(tasks, timeout=self._apart_seconds / 2)
            await self._run_apart(worker_id, suspects)
        finally:
            self._apart = False

    async def _run_apart(self, worker_id: int, suspects: Quarantine) -> None:
        """Keeps as many suspects at work as may run together, and those that must be alone alone."""
        until = time.monotonic() + self._apart_seconds
        tasks: set[asyncio.Task[None]] = set()
        while time.monotonic() < until and not self._leaving:
            leases = await patiently(functools.partial(suspects.claim, worker_id, len(tasks)))
            tasks |= {self._start(lease) for lease in leases}
            if not tasks:
                return
            more = bool(leases) and leases[0].group_size > 1
            _, tasks = await asyncio.wait(tasks, return_when=FIRST_COMPLETED if more else ALL_COMPLETED)
        if tasks:
            await asyncio.wait(tasks)

    async def _reconcile(self, worker_id: int) -> None:
        """Gives back what is leased to this worker and not at work: the answer to a claim was lost."""
        unheard = _HANDOVER_SECONDS if self._kind.handover else 0.0
        lost = await patiently(lambda: self._queue.reconcile(worker_id, self._kind.name, self.running, unheard))
        if lost:
            _log.warning("jobs given back that were leased unknowingly", kind=self._kind.name, count=lost)

    async def _woken(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_POLL_SECONDS * random.uniform(0.5, 1.0)):
                await self._wake.wait()

    def _let_go(self) -> None:
        for job, _ in self._at_work.values():
            job.leave()

    def _start(self, lease: ClaimedJob) -> "asyncio.Task[None]":
        job = self._kind.execute(lease)
        if self._leaving:
            job.leave()
        task = asyncio.create_task(_execute(job), name=f"{self._kind.name} job {lease.job_id}")
        self._at_work[lease.job_id] = job, task
        self._room -= 1
        task.add_done_callback(lambda _: self._ended(lease.job_id, task))
        return task

    def _ended(self, job_id: int, task: "asyncio.Task[None]") -> None:
        # It may have been given back, and claimed again already.
        if job_id in self._at_work and self._at_work[job_id][1] is task:
            del self._at_work[job_id]
        self._room += 1
        if not task.cancelled() and task.exception():
            _log.error("execution broke", job_id=job_id, exc_info=task.exception())
        if self._full:
            self._wake.set()


async def _execute(job: RunningJob) -> None:
    try:
        await job.run()
    except asyncio.CancelledError:
        # Stopped by its user: fenced already, so nothing is written. Leaving: given back.
        await job.release()
        raise


async def patiently(ask: Callable[[], Awaitable[T]]) -> T:
    """Asks the database until it answers."""
    while True:
        try:
            return await ask()
        except Exception as error:
            if outages.from_exception(error) is None:
                raise
            await asyncio.sleep(_POLL_SECONDS)
