"""One leased scan, from the stage it is at to its end: run, checkpoint, report; or fail, or release.

A stage starts only after every earlier result is committed that cost anything, and readers are told of the end after
the last commit. What cost nothing is committed with the next result, or alone before the scan stops here:
docs/adr/0034-a-paid-stage-waits-for-paid-results.md.

The answer ends the scan. What it earns is a job of its own (`scan_svc.rewards.evaluation`), made by the same commit.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TypeVar

import structlog
from msgspec.structs import replace

from mesh.errors import DeadlineExceeded, EcoError
from mesh.observability import telemetry, tracing, users
from mesh.reasons import Reason
from scan_svc.jobs.leases import SCAN_KIND, WEBHOOK_KIND, Checkpoint, Fenced, Lease
from scan_svc.jobs.queue import JobQueue
from scan_svc.meters import ScanMeters
from scan_svc.mirrors.vision import Usage
from scan_svc.pipeline.checkpoints import CheckpointWriter, Handover
from scan_svc.pipeline.lease_guard import LeaseGuard
from scan_svc.pipeline.measures import LeaseMeasures
from scan_svc.pipeline.persistence import internal, persist
from scan_svc.pipeline.retries import PERMANENT, Tries, next_try
from scan_svc.pipeline.scan_view import ScanView
from scan_svc.pipeline.stages import FREE, VISION, Pipeline, Stage, StageOutcome, outputs
from scan_svc.pipeline.stages_here import StagesHere
from scan_svc.progress.progress import Progress
from scan_svc.scans import Failure, Priority, Scan, StageRun, State, Step

_log = structlog.get_logger("execution")

_RELEASE_SECONDS = 5.0

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ExecutionLimits:
    """How long things may take.

    Attributes:
        scan_seconds: A whole scan, by its priority.
        backoff_seconds: The pause before the second try of a stage, at most.
        lease_seconds: For so long a lease is surely good without word from the database.
    """

    scan_seconds: Mapping[Priority, float]
    backoff_seconds: float
    lease_seconds: float


@dataclass(frozen=True, slots=True)
class ExecutionContext:
    """What every execution of a worker shares.

    Attributes:
        queue: The job table.
        pipeline: The stages.
        progress: Where scans are shown.
        limits: How long things may take.
        rewards: Where the rewards of scans that end here are evaluated.
        wake: Called with the kind of a job that was made and waits to be claimed.
        here: The stages that this process does.
        meters: Count what is done.
    """

    queue: JobQueue
    pipeline: Pipeline
    progress: Progress
    limits: ExecutionLimits
    rewards: Handover
    wake: Callable[[str], None]
    here: StagesHere = field(default_factory=StagesHere)
    meters: ScanMeters = field(default_factory=ScanMeters.off)


class Execution:
    """One lease at work.

    Args:
        context: What all executions share.
        lease: The lease.
    """

    def __init__(self, context: ExecutionContext, lease: Lease) -> None:
        self._context = context
        self._lease = lease
        self._guard = LeaseGuard(context.queue, lease, context.limits.lease_seconds)
        self._checkpoints = CheckpointWriter(context.queue, self._guard, context.rewards, context.wake)
        self._view = ScanView(context.progress, lease.scan, self._checkpoints.flush_soon)
        self._advice = context.pipeline.advice()
        self._leaving = False
        self._measures = LeaseMeasures(context.meters, lease)
        self._scan_seconds = context.limits.scan_seconds[lease.scan.priority]
        self._ends_at = time.monotonic() + self._scan_seconds - lease.age

    async def run(self) -> None:
        """Works until the scan is finished, failed, put back or somebody else's."""
        lease = self._lease
        users.work_for(lease.scan.user_id)
        telemetry.follow(lease.traceparent)  # what is logged bears the id of the trace that created the scan
        attributes = {"eco2.job.kind": SCAN_KIND, "eco2.job.attempt": lease.attempt}
        with tracing.resuming("process scan", lease.traceparent, lease.scan.scan_id, attributes):
            await self._work()

    async def _work(self) -> None:
        try:
            self._view.show(self._lease, self._lease.scan)
            for stage in self._context.pipeline.remaining(self._lease.stage):
                if self._leaving:
                    return await self.release()
                if not self._context.here.does(stage.name):
                    return await self._hand_over(stage)
                if not await self._run_stage(stage):
                    return None
                # It has this stage behind it, so the crashes weren't its doing: it goes on among the others.
                self._leaving = self._leaving or self._lease.group_size > 0
            # All that the release before had left to do was the reward.
            await self._end_with_what_is_stored()
        except Fenced:
            _log.info("fenced", scan_id=self._lease.scan.scan_id, stage=self._lease.stage)
            self._measures.fenced(self._lease.stage)
            await self._checkpoints.abandon()
            await self._view.correct()
        finally:
            self._context.progress.log.forget(self._lease)
            await self._advice.give_up()

    def leave(self) -> None:
        """Lets the running stage end; the ones after it are for another worker."""
        self._leaving = True

    async def release(self) -> None:
        """Returns the scan untried; if the database is down it is rescued later.

        What is in hand is stored first, since giving back fences it, and however long that takes: whoever can't wait
        for it cancels once more.
        """
        try:
            await self._checkpoints.flush()
            async with asyncio.timeout(_RELEASE_SECONDS):
                back = await self._persist(lambda: self._context.queue.release(self._lease))
        except Fenced:  # somebody else's, or at its end
            await self._view.correct()
        except (EcoError, TimeoutError):
            pass
        else:
            self._view.show_queued(self._lease, back, Step.QUEUE)
        finally:
            await self._checkpoints.abandon()

    async def _hand_over(self, stage: Stage) -> None:
        """Gives the scan to workers that do a stage which isn't done here."""
        await self.release()
        self._context.wake(f"{SCAN_KIND}/{stage.name}")

    async def _run_stage(self, stage: Stage) -> bool:
        """Runs one stage to its checkpoint; False when the scan stops here."""
        self._measures.stage_begins()
        try:
            done = await self._perform(stage)
            self._measures.performed(stage.name)
            goes_on = await self._checkpoint(stage, done, self._measures.stage_ms)
        except EcoError as error:
            await self._fail(error)
            return False
        self._measures.stage_ended(stage.name, "succeeded")
        return goes_on

    async def _perform(self, stage: Stage) -> StageOutcome:
        """Runs a stage in a span of its own; every way it can fail becomes an EcoError."""
        seconds_left = self._ends_at - time.monotonic()
        if seconds_left <= 0:
            raise self._too_late()
        pipeline, scan = self._context.pipeline, self._view.scan
        # The answer may begin with rules that needn't be stored before it is paid for.
        advice = self._advice if self._advice.begun or self._may_hold(stage) else None
        with tracing.doing(f"stage {stage.name}", {"eco2.stage": stage.name, "eco2.job.attempt": self._lease.attempt}):
            try:
                return await pipeline.perform(stage, scan, self._report, seconds_left, self._guard.check, advice)
            except (EcoError, Fenced):
                raise
            except TimeoutError as error:
                late = time.monotonic() >= self._ends_at
                raise (
                    self._too_late() if late else DeadlineExceeded(Reason.DEADLINE_EXCEEDED, stage=stage.name)
                ) from error
            except Exception as error:
                raise internal(error, scan.scan_id, stage.name) from error

    async def _report(self, scan: Scan) -> None:
        """Called at every step of the running stage."""
        self._measures.step(scan.step)
        self._view.show_step(self._lease, scan)
        await self._guard.check_briefly()

    async def _checkpoint(self, stage: Stage, done: StageOutcome, duration_ms: int) -> bool:
        """Stores what the stage produced; with the last stage, ends the scan. False when it has ended."""
        parts = outputs(stage, done.scan.results)
        spent, worker_id = Usage.sum(self._lease.spent, done.usage), self._lease.worker_id
        own = StageRun(stage.name, self._lease.attempt, duration_ms, spent, datetime.now(UTC), worker_id)
        runs = tuple(own if name == stage.name else done.beside or own for name in parts)
        scan = replace(self._view.advanced(done.scan), answer_draft="", stages=(*done.scan.stages, *runs))
        following = self._context.pipeline.remaining(stage.name)[1:2]
        if not following:
            await self._end(scan, parts, runs)
            return False
        scan = replace(scan, state=State.RUNNING)
        revised = {name: getattr(scan.results, name) for name in done.revises}
        checkpoint = Checkpoint(self._lease, scan, following[0].name, parts, runs, revised)
        if self._may_hold(stage):
            self._checkpoints.hold(checkpoint)
        else:
            await self._advice.give_up()  # this worker leaves
            await self._checkpoints.write(checkpoint)
        self._lease = replace(self._lease, stage=following[0].name, attempt=1, spent=None)
        self._view.show(self._lease, scan)
        if stage.name == VISION:
            self._measures.first_result()
        return True

    def _may_hold(self, stage: Stage) -> bool:
        """Whether a result may wait for the next one to be stored: it is free to be had again, and all goes on here."""
        here = all(self._context.here.does(later.name) for later in self._context.pipeline.remaining(stage.name))
        goes_on = here and not (self._leaving or self._lease.group_size)
        return stage.name in FREE and self._lease.attempt == 1 and goes_on

    async def _end_with_what_is_stored(self) -> None:
        try:
            await self._end(self._view.advanced(self._view.scan), {}, ())
        except EcoError as error:
            await self._fail(error)

    async def _end(self, scan: Scan, parts: Mapping[str, object], runs: Sequence[StageRun]) -> None:
        """Ends the scan: its history is written, its webhook and its reward are due."""
        scan = replace(scan, state=State.SUCCEEDED, step=Step.DONE, percent=100)
        ended = await self._checkpoints.write(Checkpoint(self._lease, scan, "", parts, runs))
        self._measures.succeeded()
        if ended:
            self._view.show(self._lease, replace(scan, finished_at=ended.finished_at))
        else:
            await self._view.correct()
        if ended is None or ended.webhook_due:
            self._context.wake(WEBHOOK_KIND)

    async def _fail(self, error: EcoError) -> None:
        """Fails the stage the lease is at."""
        try:
            await self._checkpoints.flush()
        except EcoError as fault:  # what was held can't be stored, so its stage is the one that failed
            if held := self._checkpoints.held:
                self._lease, error = held.lease, fault
        spent = self._lease.spent
        self._lease = replace(self._lease, spent=Usage.sum(spent, Usage.of_failure(error.metadata)))
        try:
            await self._retry_or_end(error, Failure.of(error))
        except EcoError as fault:
            # What the peer said can't be stored, such as a NUL character: the try counts all the same.
            self._lease = replace(self._lease, spent=spent)
            await self._retry_or_end(error, Failure.of(fault))

    async def _retry_or_end(self, error: EcoError, failure: Failure) -> None:
        """Puts the scan back for another try of its stage, or ends it; stores `failure` as the reason."""
        queue, lease, now, took = self._context.queue, self._lease, time.monotonic(), self._measures.stage_ms
        limits, stage = self._context.limits, self._context.pipeline.stage(lease.stage)
        seconds_left = self._ends_at - now
        tries = Tries(lease.attempt, stage.attempts, self._scan_seconds - seconds_left, seconds_left)
        retry = next_try(error, tries, limits.backoff_seconds)
        _log.warning(
            "stage failed", scan_id=lease.scan.scan_id, stage=stage.name, attempt=lease.attempt,
            reason=error.reason, detail=error.metadata, final=retry is None,
        )  # fmt: skip
        if retry:
            back = await self._persist(
                lambda: queue.retry(lease, failure, retry.delay, counts=retry.counts, duration_ms=took)
            )
            self._measures.stage_ended(stage.name, "retried")
            self._view.show_queued(lease, back, Step.RETRY)
            return
        replayable = not isinstance(error, PERMANENT)
        ended = await self._persist(
            lambda: queue.fail(lease, failure, replayable=replayable, shown=self._view.scan, duration_ms=took)
        )
        self._measures.stage_ended(stage.name, "failed")
        self._measures.failed(stage.name, failure.reason, replayable=replayable)
        self._view.show_failed(lease, ended, failure)
        if ended.webhook_due:
            self._context.wake(WEBHOOK_KIND)

    async def _persist(self, write: Callable[[], Awaitable[T]]) -> T:
        return await persist(write, self._lease.scan.scan_id, self._lease.stage)

    def _too_late(self) -> EcoError:
        return DeadlineExceeded(Reason.SCAN_TIMED_OUT, seconds=round(self._scan_seconds))
