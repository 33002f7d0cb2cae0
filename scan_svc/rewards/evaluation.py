"""The reward of a scan that has succeeded, with tries of its own: whatever Character does, the answer stands.

The job is made by the statement that ends the scan, and usually goes on at once in the process that ended it. Character
is asked under the scan's id, so that a job which is run again after a crash grants nothing twice. What was evaluated on
a version that a reply has changed meanwhile is evaluated anew.
"""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TypeVar

import structlog
from msgspec.structs import replace

from mesh.errors import DeadlineExceeded, EcoError, NotFound
from mesh.observability import telemetry, tracing, users
from mesh.reasons import Reason
from scan_svc.jobs.leases import REWARD_KIND, Fenced, RewardLease
from scan_svc.meters import ScanMeters
from scan_svc.mirrors.character import Reward
from scan_svc.pipeline.persistence import internal, persist
from scan_svc.pipeline.retries import PERMANENT, backoff
from scan_svc.pipeline.stages import REWARD, Pipeline
from scan_svc.progress.progress import Progress
from scan_svc.rewards.store import RewardStore
from scan_svc.scans import Failure, Scan, StageRun

_log = structlog.get_logger("rewards")

_RELEASE_SECONDS = 5.0

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class RewardContext:
    """What every reward at work in a worker shares.

    Attributes:
        store: The jobs.
        pipeline: Evaluates.
        progress: Where the later version of a scan is shown.
        backoff_seconds: Longest pause before the second try.
        meters: Count what is done.
    """

    store: RewardStore
    pipeline: Pipeline
    progress: Progress
    backoff_seconds: float
    meters: ScanMeters = field(default_factory=ScanMeters.off)


class RewardEvaluation:
    """One reward at work.

    Args:
        context: What all of them share.
        lease: The job.
    """

    def __init__(self, context: RewardContext, lease: RewardLease) -> None:
        self._context = context
        self._lease = lease
        self._began = time.monotonic()
        self._outcome = "succeeded"

    async def run(self) -> None:
        """Works until the reward is stored, failed, put back or somebody else's."""
        lease = self._lease
        users.work_for(lease.scan.user_id)
        telemetry.follow(lease.traceparent)
        attributes = {"eco2.job.kind": REWARD_KIND, "eco2.job.attempt": lease.attempt}
        with tracing.resuming("process reward", lease.traceparent, lease.scan.scan_id, attributes):
            await self._work()

    async def _work(self) -> None:
        try:
            try:
                while not await self._settled():
                    # A reply was faster: what counts is the answer as it is now.
                    self._lease = replace(self._lease, scan=await self._current())
            except EcoError as error:
                await self._fail(error)
        except Fenced:
            _log.info("fenced", scan_id=self._lease.scan.scan_id)
            self._ended("fenced")
            self._context.meters.lease_lost(REWARD_KIND)
        else:
            self._ended(self._outcome)

    def leave(self) -> None:
        """Nothing to do: the one try that is at work may end."""

    async def release(self) -> None:
        """Returns the job untried, when this process leaves; while the database is down it is left to be rescued."""
        with contextlib.suppress(Fenced, TimeoutError):
            async with asyncio.timeout(_RELEASE_SECONDS):
                await self._persist(lambda: self._context.store.release(self._lease))

    async def _settled(self) -> bool:
        """Evaluates and stores once; False if the scan has changed meanwhile."""
        store, lease = self._context.store, self._lease
        if not lease.scan.results.awaits_reward:
            await self._persist(lambda: store.drop(lease))
            return True
        began = time.monotonic()
        reward = await self._evaluate()
        run = StageRun(REWARD, lease.attempt, round((time.monotonic() - began) * 1000), ended_at=datetime.now(UTC))
        version = await self._persist(lambda: store.finish(lease, reward, run))
        if version is None:
            if await self._persist(lambda: store.holds_lease(lease)):
                return False
            # Somebody else's by now; or it was one's own write whose answer was lost, which nobody has been shown.
            await self._current()
            raise Fenced
        results = replace(lease.scan.results, reward=reward)
        rewarded = replace(lease.scan, version=version, results=results, stages=(*lease.scan.stages, run))
        self._context.progress.snapshots.announce(rewarded)
        return True

    async def _current(self) -> Scan:
        """The scan as it is now, which is made known.

        Raises:
            Fenced: It was deleted, and its job with it.
        """
        try:
            return await self._persist(lambda: self._context.progress.reader.refresh(self._lease.scan.scan_id))
        except NotFound as error:
            raise Fenced from error

    async def _evaluate(self) -> Reward:
        """Asks Character; every way that can fail becomes an EcoError."""
        with tracing.doing(f"stage {REWARD}", {"eco2.stage": REWARD, "eco2.job.attempt": self._lease.attempt}):
            try:
                return await self._context.pipeline.reward(self._lease.scan)
            except EcoError:
                raise
            except TimeoutError as error:
                raise DeadlineExceeded(Reason.DEADLINE_EXCEEDED, stage=REWARD) from error
            except Exception as error:
                raise internal(error, self._lease.scan.scan_id, REWARD) from error

    async def _fail(self, error: EcoError) -> None:
        """Puts the job back for another try, or makes it a dead letter."""
        lease = self._lease
        permanent = isinstance(error, PERMANENT)
        final = permanent or lease.attempt >= self._context.pipeline.stage(REWARD).attempts
        _log.warning(
            "reward failed", scan_id=lease.scan.scan_id, attempt=lease.attempt, reason=error.reason,
            detail=error.metadata, final=final,
        )  # fmt: skip
        try:
            await self._retry_or_fail(error, Failure.of(error), permanent=permanent, final=final)
        except EcoError as fault:  # what Character said can't be stored, such as a NUL character
            await self._retry_or_fail(error, Failure.of(fault), permanent=permanent, final=final)

    async def _retry_or_fail(self, error: EcoError, failure: Failure, *, permanent: bool, final: bool) -> None:
        store, lease = self._context.store, self._lease
        took = round((time.monotonic() - self._began) * 1000)
        if final:
            await self._persist(lambda: store.fail(lease, failure, replayable=not permanent, duration_ms=took))
            self._outcome = "failed"
            if not permanent:
                self._context.meters.dead_letter(REWARD)
        else:
            delay = backoff(self._context.backoff_seconds, lease.attempt, error)
            await self._persist(lambda: store.retry(lease, failure, delay, took))
            self._outcome = "retried"

    def _ended(self, outcome: str) -> None:
        self._context.meters.stage(REWARD, outcome, time.monotonic() - self._began)

    async def _persist(self, write: Callable[[], Awaitable[T]]) -> T:
        """Asks the database until it has answered.

        Raises:
            Fenced: The job has changed hands.
            EcoError: It can't be stored.
        """
        return await persist(write, self._lease.scan.scan_id, REWARD)
