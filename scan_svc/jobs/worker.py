"""One worker process: it registers, tells that it lives, takes over from those that don't, and leaves in order.

What it works on is its consumers' matter.
"""

import asyncio
import contextlib
import functools
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import structlog

from mesh import outages
from mesh.concurrency.tasks import end, kept_running
from mesh.outages import until_available
from mesh.postgres import listen
from scan_svc.jobs.consumer import Consumer
from scan_svc.jobs.notifier import Notifier
from scan_svc.jobs.workers import WorkerRegistry
from scan_svc.meters import ScanMeters

_log = structlog.get_logger("worker")

# Before it starts anew when something broke: doubled each time, until it has been at work for a lease.
_START_ANEW_SECONDS = 1.0
_START_ANEW_LIMIT = 30.0
_RELEASE_SECONDS = 5.0
_SILENT_SECONDS = 0.5


class Worker:
    """One worker process.

    Args:
        registry: Where it registers, and tells that it lives.
        consumers: What it works on.
        lease_seconds: Silence after which others take its jobs.
        grace_seconds: How long jobs at work may run on when it leaves.
        rescued: Told of scans that were taken back from dead workers.
        beside: Runs as long as it works.
        meters: Count what is taken back.
    """

    def __init__(
        self,
        registry: WorkerRegistry,
        consumers: Sequence[Consumer],
        *,
        lease_seconds: float,
        grace_seconds: float,
        rescued: Callable[[Sequence[str]], Awaitable[None]] | None = None,
        beside: Callable[[], Coroutine[Any, Any, None]] | None = None,
        meters: ScanMeters | None = None,
    ) -> None:
        self._registry = registry
        self._consumers = consumers
        self._rescued = rescued
        self._beside = beside
        self._meters = meters or ScanMeters.off()
        for consumer in consumers:
            consumer.tell(self._meters.instruments)
        self._lease_seconds = lease_seconds
        self._grace_seconds = grace_seconds
        self._leaving = asyncio.Event()
        self._gone_by = 0.0
        self._heard = time.monotonic()
        self._serving = False  # there may be something to finish or to give back
        self._showing: set[asyncio.Task[None]] = set()

    def wake(self, due: str) -> bool:
        """There may be jobs to claim, of a kind or at a stage of it; False if others should know of them."""
        return any(consumer.wake() for consumer in self._consumers if consumer.hears(due))

    def stop_job(self, job_id: int) -> None:
        """Stops work on a job that was cancelled or deleted; its peer's call is cancelled with it."""
        for consumer in self._consumers:
            consumer.stop(job_id)

    async def probe(self) -> None:
        """Raises once no heartbeat of this worker has reached the database for a lease.

        Raises:
            ConnectionError: The worker isn't at work.
        """
        if time.monotonic() - self._heard > self._lease_seconds:
            raise ConnectionError("the worker isn't at work")

    def leave(self) -> None:
        """Begins nothing new from now on; what runs has the grace to end in, and is then given back."""
        if not self._leaving.is_set():
            self._gone_by = time.monotonic() + self._grace_seconds + 2 * _RELEASE_SECONDS
        # An event and no cancellation: one can be lost, and a second one would interrupt giving jobs back.
        self._leaving.set()
        self._begin_nothing()

    @asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        """Works until it is told to leave or the block is left; finishes what it can and gives the rest back."""
        worker = asyncio.create_task(self._work(), name="worker")
        beside = [asyncio.create_task(self._beside(), name="beside the worker")] if self._beside else []
        try:
            yield
        finally:
            self.leave()
            if self._serving:
                await asyncio.wait((worker,), timeout=max(0.0, self._gone_by - time.monotonic()))
            await end(worker, *self._showing, *beside)

    async def _work(self) -> None:
        """Registers, works, and starts anew whenever it was declared dead or something broke."""
        former, pause = None, _START_ANEW_SECONDS
        while not self._leaving.is_set():
            began = time.monotonic()
            try:
                worker_id = await until_available(self._registry.register)
                # If the database was down its row is still there; nothing of it runs any more.
                await until_available(functools.partial(self._deregister, former))
                former = worker_id
                await self._serve(worker_id)
            except Exception:  # such as tables that aren't migrated yet; health tells meanwhile
                _log.exception("worker broke")
                if time.monotonic() - began > self._lease_seconds:
                    pause = _START_ANEW_SECONDS
                await asyncio.sleep(pause)
                pause = min(pause * 2, _START_ANEW_LIMIT)

    async def _serve(self, worker_id: int) -> None:
        """Works under one number until it is told to leave or was declared dead.

        Raises:
            Exception: What broke one of its loops.
        """
        _log.info("worker registered", worker_id=worker_id)
        self._serving = True
        if not self._leaving.is_set():
            for consumer in self._consumers:
                consumer.open()
        heartbeats = asyncio.create_task(self._heartbeats(worker_id), name="heartbeats")
        consuming = [
            asyncio.create_task(consumer.consume(worker_id), name=f"consume {consumer.kind}")
            for consumer in self._consumers
        ]
        leaving = asyncio.create_task(self._leaving.wait(), name="asked to leave")
        grace = self._grace_seconds
        try:
            await asyncio.wait((heartbeats, *consuming, leaving), return_when=asyncio.FIRST_COMPLETED)
            if heartbeats.done() and not self._leaving.is_set():
                # Others may have its jobs by now. If a consumer broke they are safe, and may end.
                _log.error("no longer alive to the others", worker_id=worker_id)
                grace = 0.0
        finally:
            # In this order: no job begins, although a claim may still be answered; no job is claimed; jobs at work end,
            # and until then heartbeats keep their leases.
            self._begin_nothing()
            await end(leaving)
            await end(*consuming)
            await self._leave(worker_id, grace)
            await end(heartbeats)
            with contextlib.suppress(Exception):  # another worker removes it as a silent one
                async with asyncio.timeout(_RELEASE_SECONDS):
                    await self._deregister(worker_id)
            self._serving = False
        for loop in (heartbeats, *consuming):
            if not loop.cancelled():
                loop.result()

    async def _leave(self, worker_id: int, grace: float) -> None:
        """Lets the stages that are running end within the grace, and gives everything else back."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=grace)
        tasks = self._tasks
        for task in tasks:
            task.cancel()
        if tasks and not self._leaving.is_set():
            # While the database is down no other worker can take these jobs: their results, which are paid for, wait to
            # be stored. Once it is back, a heartbeat comes first, so that nobody takes this worker for dead meanwhile.
            await self._first_of(
                asyncio.wait(tasks),
                until_available(functools.partial(self._registry.heartbeat, worker_id)),
                self._leaving.wait(),
            )
        if tasks:
            # A cancellation that is lost leaves a task that gives itself back at its next stage.
            await asyncio.wait(tasks, timeout=_RELEASE_SECONDS)
            await end(*tasks)

    @staticmethod
    async def _first_of(*waits: Coroutine[Any, Any, object]) -> None:
        waiting = [asyncio.create_task(wait) for wait in waits]
        try:
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        finally:
            await end(*waiting)

    def _begin_nothing(self) -> None:
        for consumer in self._consumers:
            consumer.leave()

    async def _deregister(self, worker_id: int | None) -> None:
        """Removes a worker of which nothing runs any more."""
        if worker_id is None:
            return
        for consumer in self._consumers:
            # What a claim took as it was cancelled goes back without counting as a crash.
            await self._registry.reconcile(worker_id, consumer.kind, ())
        await self._registry.deregister(worker_id)

    async def _heartbeats(self, worker_id: int) -> None:
        """Tells that this worker lives, and takes over from those that don't; returns when it was declared dead.

        While the database is down, or takes no writes, nobody can declare it dead, however long that lasts. What runs
        is being paid for and goes on, its results are kept; nothing begins, since a claim needs the database, and so
        does a stage before it pays once the lease may be over.
        """
        self._heard = calm_since = time.monotonic()
        while True:
            asked = time.monotonic()
            try:
                async with asyncio.timeout(self._lease_seconds / 2):
                    if not await self._registry.heartbeat(worker_id):
                        return
                # The lease runs from when the database stored the heartbeat: after it was sent, before the answer.
                self._heard = asked
                await self._look_at_others(worker_id)
                # When the database comes back nobody has been heard of for a while: only silence in calm is death.
                if time.monotonic() - calm_since > self._lease_seconds / 2:
                    async with asyncio.timeout(self._lease_seconds / 2):  # on the heartbeats' connection
                        await self._rescue_orphans()
            except Exception as error:
                if outages.from_exception(error) is None:
                    raise
                calm_since = time.monotonic()
            pause = self._lease_seconds / 4
            if time.monotonic() - self._heard > self._lease_seconds:
                pause = min(pause, _SILENT_SECONDS)  # to be heard before anybody is taken for dead
            await asyncio.sleep(pause)

    async def _look_at_others(self, worker_id: int) -> None:
        """Finds out whether others have less to do, whom this worker then leaves a share."""
        at_work = sum(len(consumer.running) for consumer in self._consumers)
        async with asyncio.timeout(self._lease_seconds / 4):
            wanted = await self._registry.others_less_busy(worker_id, at_work)
        for consumer in self._consumers:
            consumer.share(wanted=wanted)

    async def _rescue_orphans(self) -> None:
        rescued = await self._registry.rescue_orphans(self._lease_seconds)
        if rescued:
            _log.warning("jobs taken back from workers that fell silent", scans=len(rescued))
            self._meters.rescued(len(rescued))
            for consumer in self._consumers:
                consumer.look_for_suspects()
            if self._rescued:
                # In a task of its own: with Redis down it would delay the next heartbeat.
                showing = asyncio.create_task(self._show(self._rescued(rescued)), name="show rescued")
                self._showing.add(showing)
                showing.add_done_callback(self._showing.discard)

    async def _show(self, showing: Awaitable[None]) -> None:
        try:
            await showing
        except Exception as error:  # watchers look into PostgreSQL themselves before long
            _log.warning("rescued scans not shown", error=repr(error))

    @property
    def _tasks(self) -> "list[asyncio.Task[None]]":
        return [task for consumer in self._consumers for task in consumer.tasks]


@asynccontextmanager
async def open_worker(
    worker: Worker, notifier: Notifier, dsn: str, progress_wanted: Callable[[], None]
) -> AsyncIterator[Worker]:
    """Lets a worker work until the block is left, and listen to notifications.

    Args:
        worker: Which.
        notifier: Asks it first when there is something to do.
        dsn: Where notifications come from.
        progress_wanted: Called when somebody needs to know how far the scans at work are.
    """
    notified: Mapping[str, Callable[[str], object]] = {
        "scan_ready": worker.wake,
        "scan_stop": lambda job_id: worker.stop_job(int(job_id)),
        "scan_progress": lambda _: progress_wanted(),
    }
    async with kept_running(lambda: listen(dsn, notified)), worker.working():
        with notifier.asking_first(worker.wake):
            yield worker
