"""One leased scan, from the stage it is at to its end: run, checkpoint, report; or fail, or give back."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import TypeVar

import structlog
from opentelemetry import trace
from opentelemetry.trace import Link

from mesh import outages, telemetry
from mesh.errors import DeadlineExceeded, EcoError, Internal, NotFound, Reason
from scan_svc.pipeline import DONE, PERMANENT, Pipeline, Stage, backoff, outputs, remaining
from scan_svc.progress import ScanReader, Snapshots
from scan_svc.queue import Fenced, JobQueue, Lease
from scan_svc.scans import Failure, Scan, StageRun, State, Step

_log = structlog.get_logger("execution")

_OUTAGE_PAUSE = 0.5

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Workbench:
    """What every execution of a worker shares.

    Attributes:
        queue: The job table.
        pipeline: The stages.
        snapshots: Where progress goes.
        reader: Publishes the truth when one's own view is in doubt.
        tracer: Makes spans.
        scan_seconds: How long a whole scan may take.
        backoff_seconds: Longest pause before the second try of a stage.
    """

    queue: JobQueue
    pipeline: Pipeline
    snapshots: Snapshots
    reader: ScanReader
    tracer: trace.Tracer
    scan_seconds: float
    backoff_seconds: float


class Execution:
    """One lease at work.

    Args:
        bench: What all executions share.
        lease: The lease.
    """

    def __init__(self, bench: Workbench, lease: Lease) -> None:
        self._bench = bench
        self._lease = lease
        self._scan = lease.scan
        self._ends_at = time.monotonic() + bench.scan_seconds - lease.age

    async def run(self) -> None:
        """Works until the scan is finished, failed, put back or somebody else's."""
        with structlog.contextvars.bound_contextvars(scan_id=self._scan.scan_id):
            try:
                for stage in remaining(self._lease.stage):
                    if not await self._stage(stage):
                        return
            except Fenced:
                _log.info("fenced", stage=self._lease.stage)
                await self._publish_truth()

    async def give_back(self) -> None:
        """Returns the scan untried, when this process leaves."""
        try:
            version = await self._persist(lambda: self._bench.queue.give_back(self._lease))
        except Fenced:
            return
        await self._show(replace(self._scan, state=State.QUEUED, step=Step.QUEUE, version=version))

    async def _stage(self, stage: Stage) -> bool:
        """Runs one stage to its checkpoint; False when the scan stops here."""
        if stage is DONE:
            finished = self._scan.next_version(state=State.SUCCEEDED, step=Step.DONE, percent=100, answer_draft="")
            await self._show(await self._persist(lambda: self._bench.queue.finish(self._lease, finished)))
            return False
        started = time.monotonic()
        try:
            scan = await self._perform(stage)
        except EcoError as error:
            await self._fail(stage, error)
            return False
        await self._checkpoint(stage, scan, round((time.monotonic() - started) * 1000))
        return True

    async def _perform(self, stage: Stage) -> Scan:
        """Runs a stage in a span of its own; every way it can fail becomes an EcoError."""
        time_left = self._ends_at - time.monotonic()
        if time_left <= 0:
            raise DeadlineExceeded(Reason.SCAN_TIMED_OUT, seconds=round(self._bench.scan_seconds))
        with self._bench.tracer.start_as_current_span(f"stage {stage.name}", links=self._links()):
            try:
                return await self._bench.pipeline.perform(
                    stage, self._scan, self._report, min(stage.deadline, time_left)
                )
            except EcoError:
                raise
            except TimeoutError as error:
                raise DeadlineExceeded(Reason.DEADLINE_EXCEEDED, stage=stage.name) from error
            except Exception as error:
                _log.exception("stage broke", stage=stage.name)
                trace_id = telemetry.trace_id(trace.get_current_span())
                raise Internal(Reason.INTERNAL, trace_id=trace_id) from error

    async def _checkpoint(self, stage: Stage, scan: Scan, duration_ms: int) -> None:
        parts = outputs(stage, scan.results)
        runs = [StageRun(name, self._lease.attempt, duration_ms) for name in parts]
        following = remaining(stage.name)[1].name
        scan = replace(
            scan, version=self._scan.version + 1, state=State.RUNNING, answer_draft="", stages=(*scan.stages, *runs)
        )
        lease = self._lease

        async def write() -> None:
            try:
                await self._bench.queue.checkpoint(lease, scan, following, parts, runs)
            except Fenced:
                # The commit before may have gone through although its answer was lost.
                if not await self._bench.queue.holds_result(lease):
                    raise

        await self._persist(write)
        self._lease = replace(lease, stage=following, attempt=1)
        await self._show(scan)

    async def _fail(self, stage: Stage, error: EcoError) -> None:
        failure = Failure.of(error)
        permanent = isinstance(error, PERMANENT)
        timed_out = error.reason is Reason.SCAN_TIMED_OUT
        _log.warning(
            "stage failed", stage=stage.name, attempt=self._lease.attempt, reason=error.reason, detail=error.metadata
        )
        if permanent or timed_out or self._lease.attempt >= stage.attempts:
            buried = await self._persist(lambda: self._bench.queue.bury(self._lease, failure, replayable=not permanent))
            await self._show(replace(self._scan, state=buried.state, version=buried.version, error=failure,
                                     finished_at=buried.finished_at, answer_draft=""))  # fmt: skip
            return
        delay = backoff(self._bench.backoff_seconds, self._lease.attempt, error)
        version = await self._persist(lambda: self._bench.queue.retry(self._lease, failure, delay))
        await self._show(replace(self._scan, state=State.QUEUED, step=Step.RETRY, version=version, answer_draft=""))

    async def _report(self, scan: Scan) -> None:
        await self._show(replace(scan, version=self._scan.version + 1, state=State.RUNNING))

    async def _show(self, scan: Scan) -> None:
        self._scan = scan
        await self._bench.snapshots.publish(scan)

    async def _persist(self, write: Callable[[], Awaitable[T]]) -> T:
        """Writes until the database has answered: what a stage produced is in hand and paid for.

        Raises:
            Fenced: The job has changed hands, perhaps because the database was away for longer than a lease.
        """
        while True:
            try:
                return await write()
            except Exception as error:
                if outages.from_exception(error) is None:
                    raise
                _log.warning("database unavailable", error=repr(error))
                await asyncio.sleep(_OUTAGE_PAUSE)

    async def _publish_truth(self) -> None:
        """Corrects what readers see: after an outage it may be one's own last write that they haven't seen."""
        try:
            await self._bench.reader.refresh(self._scan.scan_id)
        except NotFound:  # deleted
            return
        except Exception as error:
            if outages.from_exception(error) is None:
                raise

    def _links(self) -> list[Link]:
        """A link to the trace that submitted the scan: it ended long ago, so it can't be a parent."""
        if not self._lease.traceparent:
            return []
        parent = telemetry.remote_parent({"traceparent": self._lease.traceparent})
        return [Link(trace.get_current_span(parent).get_span_context())]
