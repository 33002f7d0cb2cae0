"""The loop that takes scans off the job table: claim, run, beat, reap."""

import asyncio
import contextlib
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

import structlog

from mesh import outages
from scan_svc.execution import Execution, Workbench
from scan_svc.queue import Lease

_log = structlog.get_logger("worker")

_CLAIM_AT_ONCE = 32
_POLL_SECONDS = 1.0

T = TypeVar("T")


class Worker:
    """One worker process.

    Args:
        bench: What it works with.
        capacity: Scans at once.
        lease_seconds: Silence after which others take its scans.
        grace_seconds: How long scans at work may run on when it leaves.
    """

    def __init__(self, bench: Workbench, *, capacity: int, lease_seconds: float, grace_seconds: float) -> None:
        self._bench = bench
        self._capacity = capacity
        self._lease_seconds = lease_seconds
        self._grace_seconds = grace_seconds
        self._running: dict[int, asyncio.Task[None]] = {}
        self._wake = asyncio.Event()

    def wake(self) -> None:
        """There may be something to claim."""
        self._wake.set()

    def stop_job(self, job_id: int) -> None:
        """Stops work on a job that was cancelled or deleted; its peer's call is cancelled with it."""
        if job_id in self._running:
            self._running[job_id].cancel()

    @asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        """Works until the block is left; then finishes what it can within the grace and gives the rest back."""
        worker = asyncio.create_task(self._work(), name="worker")
        try:
            yield
        finally:
            worker.cancel()
            await asyncio.gather(worker, return_exceptions=True)

    async def _work(self) -> None:
        """Registers, works, and starts anew whenever it was declared dead."""
        while True:
            worker_id = await _patiently(self._bench.queue.enlist)
            _log.info("worker enlisted", worker_id=worker_id)
            beating = asyncio.create_task(self._beat(worker_id), name="beat")
            claiming = asyncio.create_task(self._claim(worker_id), name="claim")
            grace = self._grace_seconds
            try:
                await asyncio.wait((beating, claiming), return_when=asyncio.FIRST_COMPLETED)
                _log.error("declared dead: starting anew", worker_id=worker_id)
                grace = 0.0
            finally:
                # In this order: nothing new is claimed, but the beat keeps what is running until it has ended.
                await _end(claiming)
                await self._leave(grace)
                await _end(beating)
                with contextlib.suppress(Exception):  # a row that stays is removed by whoever reaps next
                    await self._bench.queue.dismiss(worker_id)

    async def _claim(self, worker_id: int) -> None:
        """Takes as many jobs as there is room for, whenever there may be some."""
        while True:
            self._wake.clear()
            room = min(self._capacity - len(self._running), _CLAIM_AT_ONCE)
            leases = await self._take(worker_id, room) if room else []
            for lease in leases:
                self._start(lease)
            if len(leases) < _CLAIM_AT_ONCE:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(_POLL_SECONDS * random.uniform(0.5, 1.0)):
                        await self._wake.wait()

    async def _take(self, worker_id: int, count: int) -> list[Lease]:
        return await _patiently(lambda: self._bench.queue.claim(worker_id, count))

    def _start(self, lease: Lease) -> None:
        task = asyncio.create_task(self._execute(lease), name=f"scan {lease.scan.scan_id}")
        self._running[lease.job_id] = task
        task.add_done_callback(lambda _: self._ended(lease.job_id, task))

    def _ended(self, job_id: int, task: asyncio.Task[None]) -> None:
        if self._running.get(job_id) is task:
            del self._running[job_id]
        if not task.cancelled() and task.exception():
            _log.error("execution broke", job_id=job_id, exc_info=task.exception())
        if len(self._running) == self._capacity - 1:
            self._wake.set()

    async def _execute(self, lease: Lease) -> None:
        execution = Execution(self._bench, lease)
        try:
            await execution.run()
        except asyncio.CancelledError:
            # Cancelled by its user: fenced already, nothing is written. Leaving: given back.
            await execution.give_back()
            raise

    async def _beat(self, worker_id: int) -> None:
        """Tells that this worker lives, and takes over from those that don't; returns when it was declared dead."""
        heard = time.monotonic()
        while True:
            try:
                async with asyncio.timeout(self._lease_seconds / 4):
                    if not await self._bench.queue.beat(worker_id):
                        return
                heard = time.monotonic()
                if await self._bench.queue.reap(self._lease_seconds):
                    self.wake()
            except Exception as error:
                if outages.from_exception(error) is None:
                    raise
            # Others may have taken the scans by now: two workers on one scan pay twice.
            if time.monotonic() - heard > self._lease_seconds:
                return
            await asyncio.sleep(self._lease_seconds / 4)

    async def _leave(self, grace: float) -> None:
        """Lets what is running end within the grace, then gives the rest back."""
        if self._running:
            await asyncio.wait(self._running.values(), timeout=grace)
        tasks = list(self._running.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _end(loop: asyncio.Task[None]) -> None:
    loop.cancel()
    (error,) = await asyncio.gather(loop, return_exceptions=True)
    if isinstance(error, Exception):
        _log.error("worker loop broke", loop=loop.get_name(), exc_info=error)


async def _patiently(ask: Callable[[], Awaitable[T]]) -> T:
    """Asks the database until it answers."""
    while True:
        try:
            return await ask()
        except Exception as error:
            if outages.from_exception(error) is None:
                raise
            await asyncio.sleep(_POLL_SECONDS)
