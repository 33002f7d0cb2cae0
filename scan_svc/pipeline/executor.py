"""One leased scan, from the stage it is at to its end: run, checkpoint, report; or fail, or give back.

A stage starts only after every earlier result is committed, and readers are told of the end after the last commit.
Why a stage that costs nothing waits too: docs/adr/0034-a-paid-stage-waits-for-paid-results.md.

The answer ends the scan. What it earns is a job of its own (`scan_svc.rewards.job`), made by the same commit.
"""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol, TypeVar

import structlog
from msgspec.structs import replace
from opentelemetry import trace

from mesh import outages, telemetry
from mesh.errors import DeadlineExceeded, EcoError, Internal, NotFound
from mesh.reasons import Reason
from mesh.tasks import end
from scan_svc.jobs.leases import REWARD_KIND, WEBHOOK_KIND, Checkpoint, End, Fenced, Lease, PutBack, RewardLease
from scan_svc.jobs.queue import JobQueue
from scan_svc.pipeline.spans import stage_span
from scan_svc.pipeline.stages import PERMANENT, Pipeline, Stage, StageOutcome, backoff, outputs
from scan_svc.progress.progress import Progress
from scan_svc.results import Usage
from scan_svc.scans import Failure, Scan, StageRun, State, Step

_log = structlog.get_logger("execution")

_OUTAGE_PAUSE = 0.5
_OUTAGE_LIMIT = 15.0  # longest pause while a store is away; the longer it is, the longer the pause
_GLANCE_SECONDS = 1.0
_GOODBYE_SECONDS = 5.0

T = TypeVar("T")


class Handover(Protocol):
    """Takes the rewards of scans that end here over, so that nobody has to claim them."""

    def reserve(self) -> int | None:
        """Keeps a place for a reward; returns the worker its job is to be leased to, None if there is no room."""

    def release(self) -> None:
        """Gives a place back: there was no reward to evaluate, or nothing was stored."""

    def begin(self, lease: RewardLease) -> None:
        """Sets a reward to work in the place that was kept for it."""


@dataclass(frozen=True, slots=True)
class ExecutionLimits:
    """How long things may take.

    Attributes:
        scan_seconds: A whole scan.
        backoff_seconds: The pause before the second try of a stage, at most.
        lease_seconds: For so long a lease is surely good without word from the database.
    """

    scan_seconds: float
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
        tracer: Makes spans; None if nobody receives them, since making them costs a fifth of the whole.
    """

    queue: JobQueue
    pipeline: Pipeline
    progress: Progress
    limits: ExecutionLimits
    rewards: Handover
    wake: Callable[[str], None]
    tracer: trace.Tracer | None


class Execution:
    """One lease at work.

    Args:
        context: What all executions share.
        lease: The lease.
    """

    def __init__(self, context: ExecutionContext, lease: Lease) -> None:
        self._context = context
        self._lease = lease
        self._scan = lease.scan
        self._committing: asyncio.Task[End | None] | None = None
        self._leaving = False
        # When the database was last asked and found the scan to be ours. Never when it had answered: a process may be
        # frozen for long between the two.
        self._assured = lease.asked_at
        self._ask_again = 0.0  # not before: the database is away
        self._ends_at = time.monotonic() + context.limits.scan_seconds - lease.age

    async def run(self) -> None:
        """Works until the scan is finished, failed, put back or somebody else's."""
        telemetry.follow(self._lease.traceparent)  # what is logged bears the id of the trace that submitted the scan
        try:
            await self._show(self._scan)
            for stage in self._context.pipeline.remaining(self._lease.stage):
                if self._leaving:
                    return await self.release()
                if not await self._stage(stage):
                    return None
                # It has this stage behind it, so the crashes weren't its doing: it goes on among the others.
                self._leaving = self._leaving or self._lease.group_size > 0
            # All that the release before had left to do was the reward.
            await self._end_with_what_is_stored()
        except Fenced:
            _log.info("fenced", scan_id=self._scan.scan_id, stage=self._lease.stage)
            await self._publish_truth()
        finally:
            self._context.progress.log.forget(self._lease)

    def leave(self) -> None:
        """Lets the running stage end; the ones after it are for another worker."""
        self._leaving = True

    async def release(self) -> None:
        """Returns the scan untried; if the database is away the reaper does it later.

        What is in hand and paid for is stored first, since giving back fences it, and however long that takes: whoever
        can't wait for it cancels once more.
        """
        try:
            await self._committed()
            async with asyncio.timeout(_GOODBYE_SECONDS):
                back = await self._persist(lambda: self._context.queue.release(self._lease))
        except Fenced:  # somebody else's, or at its end
            await self._publish_truth()
        except (EcoError, TimeoutError):
            pass
        else:
            await self._show_queued(back, Step.QUEUE)
        finally:
            if self._committing:
                await end(self._committing)

    async def _stage(self, stage: Stage) -> bool:
        """Runs one stage to its checkpoint; False when the scan stops here."""
        started = time.monotonic()
        try:
            done = await self._perform(stage)
            return await self._checkpoint(stage, done, round((time.monotonic() - started) * 1000))
        except EcoError as error:
            await self._fail(error)
            return False

    async def _assure(self) -> None:
        """Before anything is paid for: a process that was frozen meanwhile may have lost the scan.

        Raises:
            Fenced: It has.
        """
        asked_at = time.monotonic()
        if asked_at - self._assured > self._context.limits.lease_seconds:
            if not await self._persist(lambda: self._context.queue.holds_lease(self._lease)):
                raise Fenced
            self._assured = asked_at

    async def _look_up(self) -> None:
        """Beside what is being paid for: notices that the scan was lost, if the database can tell at a glance.

        While it is away nobody else can have the scan, and whoever stopped now would pay once more.

        Raises:
            Fenced: It was lost.
        """
        asked_at, lease_seconds = time.monotonic(), self._context.limits.lease_seconds
        if asked_at - self._assured <= lease_seconds or asked_at < self._ask_again:
            return
        try:
            async with asyncio.timeout(_GLANCE_SECONDS):
                held = await self._context.queue.holds_lease(self._lease)
        except Exception as error:
            if outages.from_exception(error) is None:
                raise
            self._ask_again = time.monotonic() + lease_seconds / 4
            return
        if not held:
            raise Fenced
        self._assured = asked_at

    async def _perform(self, stage: Stage) -> StageOutcome:
        """Runs a stage in a span of its own; every way it can fail becomes an EcoError."""
        time_left = self._ends_at - time.monotonic()
        if time_left <= 0:
            raise self._too_late()
        with stage_span(self._context.tracer, stage.name, self._lease.traceparent):
            try:
                return await self._context.pipeline.perform(stage, self._scan, self._report, time_left, self._assure)
            except (EcoError, Fenced):
                raise
            except TimeoutError as error:
                late = time.monotonic() >= self._ends_at
                raise (
                    self._too_late() if late else DeadlineExceeded(Reason.DEADLINE_EXCEEDED, stage=stage.name)
                ) from error
            except Exception as error:
                raise self._fault(error, stage.name) from error

    async def _checkpoint(self, stage: Stage, done: StageOutcome, duration_ms: int) -> bool:
        """Stores what the stage produced; with the last stage, ends the scan. False when it has ended."""
        parts = outputs(stage, done.scan.results)
        own = StageRun(stage.name, self._lease.attempt, duration_ms, _sum(self._lease.spent, done.usage))
        runs = tuple(own if name == stage.name else done.beside or own for name in parts)
        following = self._context.pipeline.remaining(stage.name)[1:2]
        scan = replace(
            done.scan,
            version=self._scan.version + 1,
            percent=self._no_further_back(done.scan),
            state=State.RUNNING if following else State.SUCCEEDED,
            answer_draft="",
            stages=(*done.scan.stages, *runs),
        )
        if not following:
            await self._end(Checkpoint(self._lease, replace(scan, step=Step.DONE, percent=100), "", parts, runs))
            return False
        await self._commit(Checkpoint(self._lease, scan, following[0].name, parts, runs))
        self._lease = replace(self._lease, stage=following[0].name, attempt=1, spent=None)
        await self._show(scan)
        return True

    async def _end_with_what_is_stored(self) -> None:
        scan = replace(self._scan, version=self._scan.version + 1, state=State.SUCCEEDED, step=Step.DONE, percent=100)
        try:
            await self._end(Checkpoint(self._lease, scan, "", {}, ()))
        except EcoError as error:
            await self._fail(error)

    async def _end(self, write: Checkpoint) -> None:
        """Ends the scan: its history is written, its webhook and its reward are due."""
        scan = write.scan
        ended = await self._commit(write)
        if ended:
            await self._show(replace(scan, finished_at=ended.finished_at))
        else:
            await self._publish_truth()
        if ended is None or ended.webhook_due:
            self._context.wake(WEBHOOK_KIND)

    async def _fail(self, error: EcoError) -> None:
        """Fails the stage the lease is at."""
        spent = self._lease.spent
        self._lease = replace(self._lease, spent=_sum(spent, Usage.of_failure(error.metadata)))
        try:
            await self._put_down(error, Failure.of(error))
        except EcoError as fault:
            # What the peer said can't be stored, such as a NUL character: the try counts all the same.
            self._lease = replace(self._lease, spent=spent)
            await self._put_down(error, Failure.of(fault))

    async def _put_down(self, error: EcoError, failure: Failure) -> None:
        """Puts the scan back for another try of its stage, or ends it; stores `failure` as the reason."""
        stage = self._context.pipeline.stage(self._lease.stage)
        permanent = isinstance(error, PERMANENT)
        # While a store is away nothing can be done and nothing is lost: that takes of the scan's time, not its tries.
        waits = outages.of_store(error)
        # A peer who asks to be left alone until after the scan's end, such as a day's spent budget, has said no.
        too_late = (error.retry_after or 0.0) > self._ends_at - time.monotonic()
        spent = self._lease.attempt >= stage.attempts and not waits
        final = permanent or too_late or spent or error.reason is Reason.SCAN_TIMED_OUT
        _log.warning(
            "stage failed", scan_id=self._scan.scan_id, stage=stage.name, attempt=self._lease.attempt,
            reason=error.reason, detail=error.metadata, final=final,
        )  # fmt: skip
        if not final:
            delay = backoff(self._context.limits.backoff_seconds, self._lease.attempt, error)
            if waits:
                delay = max(delay, random.uniform(0, min(_OUTAGE_LIMIT, self._age() / 2)))
            back = await self._persist(lambda: self._context.queue.retry(self._lease, failure, delay, counts=not waits))
            await self._show_queued(back, Step.RETRY)
            return
        ended = await self._persist(
            lambda: self._context.queue.fail(self._lease, failure, replayable=not permanent, shown=self._scan)
        )
        await self._show(
            replace(
                self._scan,
                state=State.FAILED,
                version=ended.version,
                error=failure,
                finished_at=ended.finished_at,
                answer_draft="",
            )
        )
        if ended.webhook_due:
            self._context.wake(WEBHOOK_KIND)

    def _no_further_back(self, scan: Scan) -> int:
        """The percentage to show: a stage that is tried again begins behind what readers have seen of the last try."""
        return max(scan.percent, self._scan.percent)

    async def _show_queued(self, back: PutBack, step: Step) -> None:
        """As it is stored: whoever reads it from the database, later or elsewhere, must not see it further back."""
        queued = replace(self._scan, version=back.version, percent=back.percent, answer_draft="")
        await self._show(replace(queued, state=State.QUEUED, step=step))

    async def _report(self, scan: Scan) -> None:
        scan = replace(scan, version=self._scan.version + 1, percent=self._no_further_back(scan))
        await self._show(replace(scan, state=State.RUNNING))
        await self._look_up()

    async def _show(self, scan: Scan) -> None:
        self._scan = scan
        self._context.progress.show(self._lease, scan)

    async def _commit(self, write: Checkpoint) -> End | None:
        """Stores what a stage produced, as `_store` does. Who waits may be cancelled, the commit isn't."""
        self._committing = asyncio.create_task(self._store(write), name="checkpoint")
        return await self._committed()

    async def _committed(self) -> End | None:
        """Waits for the commit that is under way, if there is one; returns and raises what `_store` does."""
        if (committing := self._committing) is None:
            return None
        await asyncio.wait((committing,))
        self._committing = None
        return committing.result()

    async def _store(self, write: Checkpoint) -> End | None:
        """Writes a checkpoint until the database has answered: what a stage produced is in hand and paid for.

        Args:
            write: The checkpoint; without a following stage the end.

        Returns:
            How the scan ended; None if it goes on, or if an earlier try went through.

        Raises:
            Fenced: The job has changed hands, perhaps because the database was away for longer than a lease.
            EcoError: It can't be stored.
        """
        queue, doubtful = self._context.queue, False
        while True:
            ended, asked_at = None, time.monotonic()
            try:
                if write.following:
                    await queue.checkpoint(write)
                else:
                    ended = await self._finish(write)
            except Fenced:
                # A try whose commit was answered by silence fences the next one.
                if not doubtful or not await self._persist(lambda: queue.holds_result(write)):
                    raise
            except Exception as error:
                await self._wait_out(error, write.lease.stage)
                doubtful = True
                continue
            self._assured = max(self._assured, asked_at)
            return ended

    async def _finish(self, write: Checkpoint) -> End:
        """Stores the end of the scan; its reward is set to work here, or claimed by whoever has room for it."""
        rewards = self._context.rewards
        worker_id = rewards.reserve()
        try:
            ended = await self._context.queue.finish(write, worker_id)
        except BaseException:
            if worker_id is not None:
                rewards.release()
            raise
        job_id = ended.reward_job_id
        if worker_id is not None and job_id is not None:
            scan = replace(write.scan, version=ended.version, finished_at=ended.finished_at)
            rewards.begin(RewardLease(job_id, 1, 1, write.lease.traceparent, scan))
        elif worker_id is not None:
            rewards.release()
        elif job_id is not None:
            self._context.wake(REWARD_KIND)
        return ended

    async def _persist(self, write: Callable[[], Awaitable[T]]) -> T:
        """Asks the database until it has answered.

        Raises:
            Fenced: The job has changed hands.
        """
        while True:
            try:
                return await write()
            except Fenced:
                raise
            except Exception as error:
                await self._wait_out(error, self._lease.stage)

    async def _wait_out(self, error: Exception, stage: str) -> None:
        """Waits a moment if the database is away; anything else is a fault of ours, and fails the stage."""
        if outages.from_exception(error) is None:
            raise self._fault(error, stage) from error
        _log.warning("database unavailable", error=repr(error))
        await asyncio.sleep(_OUTAGE_PAUSE)

    async def _publish_truth(self) -> None:
        """Corrects what readers see: after an outage it may be one's own last write that they haven't seen."""
        try:
            await self._context.progress.reader.refresh(self._scan.scan_id)
        except NotFound:  # deleted
            return
        except Exception as error:
            if outages.from_exception(error) is None:
                raise

    def _age(self) -> float:
        return time.monotonic() - self._ends_at + self._context.limits.scan_seconds

    def _too_late(self) -> EcoError:
        return DeadlineExceeded(Reason.SCAN_TIMED_OUT, seconds=round(self._context.limits.scan_seconds))

    def _fault(self, error: Exception, stage: str) -> EcoError:
        _log.error("stage broke", scan_id=self._scan.scan_id, stage=stage, exc_info=error)
        return Internal(Reason.INTERNAL, trace_id=telemetry.trace_id())


def _sum(before: Usage | None, now: Usage | None) -> Usage | None:
    """What all tries of a stage have cost."""
    return before + now if before and now else before or now
