"""The loop that takes jobs off the table: claim, run, beat, reap, reconcile.

It knows leases and processes; what a job is about is its `Kind`'s.
"""

import asyncio
import contextlib
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import structlog

from mesh import outages
from mesh.tasks import end
from scan_svc.queue import JobQueue

_log = structlog.get_logger("worker")

_CLAIM_AT_ONCE = 128
_POLL_SECONDS = 1.0
_RECONCILE_SECONDS = 10.0
_GOODBYE_SECONDS = 5.0

T = TypeVar("T")


class Held(Protocol):
    """A job that was claimed."""

    @property
    def job_id(self) -> int:
        """Which job."""


class Running(Protocol):
    """One job at work."""

    async def run(self) -> None:
        """Works until the job is done, failed, put back or somebody else's."""

    def leave(self) -> None:
        """This process leaves: begin nothing new, and give back what is left to do."""

    async def give_back(self) -> None:
        """Returns the job untried, since the time to leave is up."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of job.

    Attributes:
        name: As in the job table.
        capacity: Jobs of this kind at once.
        claim: Takes up to so many for a worker.
        execute: Sets one to work.
        claim_suspects: Takes some that may crash their worker; None if this kind has no such.
    """

    name: str
    capacity: int
    claim: Callable[[int, int], Awaitable[Sequence[Held]]]
    execute: Callable[[Any], Running]
    claim_suspects: Callable[[int], Awaitable[Sequence[Held]]] | None = None


class Worker:
    """One worker process.

    Args:
        queue: The job table.
        kinds: What it works on.
        lease_seconds: Silence after which others take its jobs.
        grace_seconds: How long jobs at work may run on when it leaves.
        reaped: Told of scans that were taken back from dead workers.
    """

    def __init__(
        self,
        queue: JobQueue,
        kinds: Sequence[Kind],
        *,
        lease_seconds: float,
        grace_seconds: float,
        reaped: Callable[[Sequence[str]], Awaitable[None]] | None = None,
    ) -> None:
        self._queue = queue
        self._kinds = kinds
        self._reaped = reaped
        self._lease_seconds = lease_seconds
        self._grace_seconds = grace_seconds
        self._running: dict[int, asyncio.Task[None]] = {}
        self._jobs: dict[int, Running] = {}
        self._room = {kind.name: kind.capacity for kind in kinds}
        self._wake = asyncio.Event()
        self._leaving = asyncio.Event()
        self._full = False  # the last claim took all there was room for: there may be more
        self._heard = time.monotonic()
        self._reconciled = 0.0

    def wake(self) -> None:
        """There may be something to claim."""
        self._wake.set()

    def stop_job(self, job_id: int) -> None:
        """Stops work on a job that was cancelled or deleted; its peer's call is cancelled with it."""
        if job_id in self._running:
            self._running[job_id].cancel()

    async def probe(self) -> None:
        """Raises while no beat of this worker has reached the database for a lease.

        Raises:
            ConnectionError: The worker isn't at work.
        """
        if time.monotonic() - self._heard > self._lease_seconds:
            raise ConnectionError("the worker isn't at work")

    @asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        """Works until the block is left; then finishes what it can within the grace and gives the rest back."""
        worker = asyncio.create_task(self._work(), name="worker")
        try:
            yield
        finally:
            # Told and not cancelled: a cancellation can be lost, and a second one would cut the goodbye short.
            self._leaving.set()
            await asyncio.wait((worker,), timeout=self._grace_seconds + 2 * _GOODBYE_SECONDS)
            await end(worker)

    async def _work(self) -> None:
        """Registers, works, and starts anew whenever it was declared dead or something broke."""
        while not self._leaving.is_set():
            try:
                await self._serve(await _patiently(self._queue.enlist))
            except Exception:  # such as tables that aren't migrated yet; health tells meanwhile
                _log.exception("worker broke")
                await asyncio.sleep(_POLL_SECONDS)

    async def _serve(self, worker_id: int) -> None:
        _log.info("worker enlisted", worker_id=worker_id)
        beating = asyncio.create_task(self._beat(worker_id), name="beat")
        claiming = asyncio.create_task(self._claim(worker_id), name="claim")
        told = asyncio.create_task(self._leaving.wait(), name="told to leave")
        grace = self._grace_seconds
        try:
            await asyncio.wait((beating, claiming, told), return_when=asyncio.FIRST_COMPLETED)
            if not self._leaving.is_set():
                _log.error("declared dead: starting anew", worker_id=worker_id)
                grace = 0.0
        finally:
            # In this order: nothing new is claimed, but the beat keeps what is running until it has ended.
            await end(told)
            await _end(claiming)
            await self._leave(grace)
            await _end(beating)
            with contextlib.suppress(Exception):  # a row that stays is removed by whoever reaps next
                async with asyncio.timeout(_GOODBYE_SECONDS):
                    # What a claim took as it was cancelled goes back without counting as a crash.
                    await self._queue.reconcile(worker_id, ())
                    await self._queue.dismiss(worker_id)

    async def _claim(self, worker_id: int) -> None:
        """Takes as many jobs as there is room for, whenever there may be some."""
        tidied = time.monotonic()
        while True:
            self._wake.clear()
            self._full = False
            more = [kind for kind in self._kinds if await self._fill(worker_id, kind)]
            if time.monotonic() - tidied > _POLL_SECONDS:
                await self._tidy(worker_id)
                tidied = time.monotonic()
            elif not more:
                await self._woken()

    async def _fill(self, worker_id: int, kind: Kind) -> bool:
        """Claims jobs of a kind; True if there may be more of them and room."""
        room = min(self._room[kind.name], _CLAIM_AT_ONCE)
        leases = await _patiently(lambda: kind.claim(worker_id, room)) if room else ()
        for lease in leases:
            self._start(kind, lease)
        if len(leases) == room:
            self._full = True
        return len(leases) == room and self._room[kind.name] > 0

    async def _tidy(self, worker_id: int) -> None:
        for kind in self._kinds:
            await self._run_suspects(worker_id, kind)
        await self._reconcile(worker_id)

    async def _run_suspects(self, worker_id: int, kind: Kind) -> None:
        """Runs jobs that may crash their worker apart from all others; goes on for a moment at most."""
        claim = kind.claim_suspects
        until = time.monotonic() + _POLL_SECONDS
        while claim and time.monotonic() < until:
            leases = await _patiently(lambda: claim(worker_id))
            if not leases:
                return
            if self._running:
                await asyncio.wait(self._running.values())
            await asyncio.wait([self._start(kind, lease) for lease in leases])

    async def _reconcile(self, worker_id: int) -> None:
        """Now and then: jobs leased to this worker that it doesn't know of, since the answer to a claim was lost."""
        if time.monotonic() - self._reconciled > _RECONCILE_SECONDS:
            self._reconciled = time.monotonic()
            lost = await _patiently(lambda: self._queue.reconcile(worker_id, self._running))
            if lost:
                _log.warning("jobs given back that were leased unknowingly", count=lost)

    async def _woken(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_POLL_SECONDS * random.uniform(0.5, 1.0)):
                await self._wake.wait()

    def _start(self, kind: Kind, lease: Held) -> "asyncio.Task[None]":
        job = kind.execute(lease)
        task = asyncio.create_task(_execute(job), name=f"{kind.name} job {lease.job_id}")
        self._running[lease.job_id] = task
        self._jobs[lease.job_id] = job
        self._room[kind.name] -= 1
        task.add_done_callback(lambda _: self._ended(kind, lease.job_id, task))
        return task

    def _ended(self, kind: Kind, job_id: int, task: "asyncio.Task[None]") -> None:
        if self._running.get(job_id) is task:
            del self._running[job_id]
            del self._jobs[job_id]
        self._room[kind.name] += 1
        if not task.cancelled() and task.exception():
            _log.error("execution broke", job_id=job_id, exc_info=task.exception())
        if self._full:
            self._wake.set()

    async def _beat(self, worker_id: int) -> None:
        """Tells that this worker lives, and takes over from those that don't; returns when it was declared dead."""
        self._heard = calm_since = time.monotonic()
        while True:
            try:
                async with asyncio.timeout(self._lease_seconds / 4):
                    if not await self._queue.beat(worker_id):
                        return
                self._heard = time.monotonic()
                # When the database comes back nobody has been heard of for a while: only silence in calm is death.
                if time.monotonic() - calm_since > self._lease_seconds / 2:
                    await self._reap()
            except Exception as error:
                if outages.from_exception(error) is None:
                    raise
                calm_since = time.monotonic()
            # Others may have taken the jobs by now: two workers on one scan pay twice.
            if time.monotonic() - self._heard > self._lease_seconds:
                return
            await asyncio.sleep(self._lease_seconds / 4)

    async def _reap(self) -> None:
        reaped = await self._queue.reap(self._lease_seconds)
        if reaped:
            self.wake()
            if self._reaped:
                await self._reaped(reaped)

    async def _leave(self, grace: float) -> None:
        """Lets the stages that are running end within the grace, and gives everything else back."""
        for job in self._jobs.values():
            job.leave()
        if self._running:
            await asyncio.wait(self._running.values(), timeout=grace)
        tasks = list(self._running.values())
        for task in tasks:
            task.cancel()
        if tasks:
            # A cancellation that is lost leaves a task that gives itself back at its next stage.
            await asyncio.wait(tasks)


async def _execute(job: Running) -> None:
    try:
        await job.run()
    except asyncio.CancelledError:
        # Stopped by its user: fenced already, so nothing is written. Leaving: given back.
        await job.give_back()
        raise


async def _end(loop: "asyncio.Task[None]") -> None:
    await end(loop)
    if not loop.cancelled() and loop.exception():
        _log.error("worker loop broke", loop=loop.get_name(), exc_info=loop.exception())


async def _patiently(ask: Callable[[], Awaitable[T]]) -> T:
    """Asks the database until it answers."""
    while True:
        try:
            return await ask()
        except Exception as error:
            if outages.from_exception(error) is None:
                raise
            await asyncio.sleep(_POLL_SECONDS)
