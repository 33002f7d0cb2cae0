"""One client job at work in a worker: what it does is its kind's matter, what becomes of it is decided here."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TypeVar

import msgspec
import structlog

from mesh import outages
from mesh.errors import EcoError, Internal, NotFound, Unimplemented
from mesh.observability import telemetry, tracing, users
from mesh.reasons import Reason
from scan_svc.client_jobs.client_jobs import ClientJob, ClientLease
from scan_svc.client_jobs.snapshots import JobSnapshots
from scan_svc.client_jobs.store import ClientJobStore
from scan_svc.client_jobs.task import RunningTask
from scan_svc.client_jobs.work import JobType, Later, PutBack, Result
from scan_svc.jobs.leases import Fenced
from scan_svc.meters import ScanMeters
from scan_svc.pipeline.retries import PERMANENT, backoff
from scan_svc.progress.progress import Progress
from scan_svc.scans import Failure, State

_log = structlog.get_logger("client jobs")

T = TypeVar("T")

_RELEASE_SECONDS = 5.0
_UNREADABLE_PAUSE = 10.0
_UNREADABLE_SECONDS = 300.0


@dataclass(frozen=True, slots=True)
class ClientContext:
    """What all client jobs at work share.

    Attributes:
        store: The job table.
        progress: Where jobs are shown.
        snapshots: What of them.
        tidy: Removes what is no longer needed of a job's files, but for the one that it names.
        backoff_seconds: The longest pause before the second try.
        meters: Count what is done.
    """

    store: ClientJobStore
    progress: Progress
    snapshots: JobSnapshots
    tidy: Callable[[str, str], Awaitable[None]]
    backoff_seconds: float = 1.0
    meters: ScanMeters = field(default_factory=ScanMeters.off)


class ClientExecution:
    """One client job at work.

    Args:
        context: What all of them share.
        kind: Its kind.
        lease: The lease.
    """

    def __init__(self, context: ClientContext, kind: JobType, lease: ClientLease) -> None:
        self._context = context
        self._kind = kind
        self._job_id = lease.job.job_id
        self._task = RunningTask(context.store, lease, kind.spec, self._show)

    async def run(self) -> None:
        """Works until the job is done, failed, put back or somebody else's."""
        lease = self._task.lease
        users.work_for(lease.user_id)
        telemetry.follow(lease.traceparent)
        attributes = {"eco2.job.kind": self._kind.kind.value, "eco2.job.attempt": lease.attempt}
        with tracing.resuming(f"process {self._kind.kind.value}", lease.traceparent, self._job_id, attributes):
            try:
                await self._work()
            except Fenced:
                _log.info("fenced", job_id=self._job_id, kind=self._kind.kind.value)
                self._context.meters.lease_lost(self._kind.kind)
                await self._show_truth()
                await self._leave_no_file()
            finally:
                self._task.close()
                self._context.progress.log.forget(self._task.lease)

    def leave(self) -> None:
        """Gives the job back with its next checkpoint."""
        self._task.leave()

    async def release(self) -> None:
        """Returns the job untried, when this process leaves; while the database is down it is left to be rescued."""
        with contextlib.suppress(Fenced, TimeoutError):
            async with asyncio.timeout(_RELEASE_SECONDS):
                await self._put_back(0.0)

    async def _work(self) -> None:
        try:
            self._demand_readable()
            self._show(lease := self._task.lease, lease.job)
            await self._finish(await self._kind.work.run(self._task))
        except PutBack:
            await self._put_back(0.0)
        except Later as later:
            await self._put_back(later.seconds)
        except EcoError as error:
            await self._retry_or_fail(error)
        except Fenced:
            raise
        except Exception as error:
            known = outages.from_exception(error)
            if known is None:
                _log.exception("client job broke", job_id=self._job_id, kind=self._kind.kind.value)
                known = Internal(Reason.INTERNAL, trace_id=telemetry.trace_id())
            await self._retry_or_fail(known)

    def _demand_readable(self) -> None:
        """Leaves a job that this release can't read to one that can; if none has come for long, it fails."""
        try:
            _ = self._task.spec
        except msgspec.MsgspecError:
            if self._task.lease.age < _UNREADABLE_SECONDS:
                raise Later(_UNREADABLE_PAUSE) from None
            raise

    async def _finish(self, result: Result) -> None:
        ended = self._task.ended(result)
        await self._stored(lambda: self._context.store.finish(self._task.lease, ended))
        await self._show_truth()
        await self._context.tidy(self._job_id, ended.file.object_key if ended.file else "")

    async def _leave_no_file(self) -> None:
        """Removes what this worker has stored too late; whoever has the job now does so with its end."""
        try:
            job = await self._context.store.get(self._job_id)
        except NotFound:
            await self._context.tidy(self._job_id, "")
        except EcoError as error:  # swept up in time
            _log.info("late file not removed yet", job_id=self._job_id, reason=error.reason)
        else:
            if job.state in (State.SUCCEEDED, State.CANCELLED):
                await self._context.tidy(self._job_id, job.file.object_key if job.file else "")

    async def _put_back(self, seconds: float) -> None:
        await self._stored(lambda: self._context.store.release(self._task.lease, seconds))
        await self._show_truth()

    async def _retry_or_fail(self, error: EcoError) -> None:
        store, attempt = self._context.store, self._task.lease.attempt
        away = outages.of_store(error)
        # A peer that doesn't know a call yet is of the release before, while pods are replaced: a replay finds another.
        permanent = isinstance(error, PERMANENT) and not isinstance(error, Unimplemented)
        final = permanent or (attempt >= self._kind.attempts and not away)
        _log.warning(
            "client job failed", job_id=self._job_id, kind=self._kind.kind.value, attempt=attempt, reason=error.reason,
            detail=error.metadata, final=final,
        )  # fmt: skip
        failure = Failure.of(error)
        if final:
            await self._stored(lambda: store.fail(self._task.lease, failure, replayable=not permanent))
            if not permanent:
                self._context.meters.dead_letter(self._task.lease.stage)
        else:
            delay = backoff(self._context.backoff_seconds, attempt, error)
            await self._stored(lambda: store.retry(self._task.lease, failure, delay, counts=not away))
        await self._show_truth()

    async def _stored(self, write: Callable[[], Awaitable[T]]) -> T:
        return await outages.until_available(write)

    def _show(self, lease: ClientLease, job: ClientJob) -> None:
        self._context.snapshots.show(self._context.progress, lease, job)

    async def _show_truth(self) -> None:
        """Shows the job as it is stored: by now others may have changed it, or it is gone."""
        self._task.close()
        self._context.progress.log.forget(self._task.lease)
        try:
            await self._context.progress.refresh((self._job_id,))
        except Exception as error:
            if outages.from_exception(error) is None:
                raise
            # Readers look into PostgreSQL themselves before long.
            _log.info("client job not shown", job_id=self._job_id, error=repr(error))
