"""One reply at work, stored with what it cost, whatever happens meanwhile.

It doesn't depend on its caller, who may hang up: what was begun is finished, and what was paid for is kept. While the
database is down the result stays in memory.
"""

import asyncio
import functools
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

import structlog
from msgspec.structs import replace

from mesh import outages
from mesh.concurrency.tasks import end
from mesh.errors import DeadlineExceeded, EcoError, NotFound
from mesh.observability import tracing
from mesh.reasons import Reason
from scan_svc.mirrors.vision import Usage
from scan_svc.pipeline.interfaces import Characters
from scan_svc.replies.refiner import AnswerRefiner, Interpreter
from scan_svc.replies.store import LEASE_SECONDS, Reply, ReplyLease, ReplyStore
from scan_svc.results import Results
from scan_svc.scans import Scan, StageRun

_log = structlog.get_logger("replies")

STAGE = "reply"

# How long a reply may take, whatever its caller's deadline: a model that is left in the middle is paid, too.
MOST_SECONDS = 40.0
# How long an ending process tries to store what it has in memory.
_RELEASE_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class ReplyOutcome:
    """What came of a reply, with the scan as it is now."""

    scan: Scan
    understood: bool
    message: str


@dataclass(frozen=True, slots=True)
class ReplyContext:
    """What all replies at work share.

    Attributes:
        store: Where replies are kept.
        refresh: Reads a scan from PostgreSQL, and makes it known; raises NotFound.
        rules: The Rules service.
        characters: The Character service.
        reward_due: Called when a reward waits to be claimed.
    """

    store: ReplyStore
    refresh: Callable[[str], Awaitable[Scan]]
    rules: Interpreter
    characters: Characters
    reward_due: Callable[[], None]


class ReplyExecution:
    """One reply, by the holder of its lease.

    Args:
        context: What all share.
        lease: The lease.
        scan: The scan as it is.
        text: The reply.
        may_learn: Whether what it says of the classification may be kept as a label of the photo.
    """

    def __init__(self, context: ReplyContext, lease: ReplyLease, scan: Scan, text: str, *, may_learn: bool) -> None:
        self._context = context
        self._lease = lease
        self._scan = scan
        self._text = text
        self._may_learn = may_learn
        self._began = time.monotonic()
        self._refiner = AnswerRefiner(context.rules, context.characters, scan, lease.draft, self._began + MOST_SECONDS)

    async def run(self) -> ReplyOutcome | None:
        """Works until the reply is stored.

        Returns:
            What came of it; None if that changes nothing: the lease was lost, or the scan was deleted.

        Raises:
            EcoError: It failed; the next one may come, and what was paid for stays for a repetition.
        """
        attributes = {"eco2.job.kind": STAGE, "eco2.job.attempt": self._lease.attempt}
        with tracing.resuming("process reply", self._lease.traceparent, self._scan.scan_id, attributes):
            return await self._work()

    async def _work(self) -> ReplyOutcome | None:
        async with self._renewed():
            try:
                async with asyncio.timeout(MOST_SECONDS):
                    changes, reply = await self._refiner.refine(
                        await self._question(), self._text, may_learn=self._may_learn
                    )
            except BaseException as error:
                await self._release(error)
                if isinstance(error, TimeoutError):
                    raise DeadlineExceeded(Reason.DEADLINE_EXCEEDED, stage=STAGE) from error
                raise
            return await self._stored(changes, reply)

    async def _question(self) -> str:
        """The question that counts since the last reply that was understood."""
        if self._lease.draft:
            return self._lease.draft.question
        last = await self._context.store.last_question(self._scan.scan_id)
        return self._scan.user_input if last is None else last

    async def _stored(self, changes: Results | None, reply: Reply) -> ReplyOutcome | None:
        store, lease, scan, draft = self._context.store, self._lease, self._scan, self._refiner.draft
        if changes is None or draft is None:
            kept = await outages.until_available(lambda: store.keep(lease, reply))
            return ReplyOutcome(scan, reply.understood, reply.message) if kept else None
        now = scan.results.with_answer(draft.found, draft.answer)
        outdated = now.reward is None and scan.results.reward is not None
        due = replace(now, reward=changes.reward or now.reward).awaits_reward
        apply = functools.partial(
            store.apply, lease, changes, self._run(), draft.region, reply, reward_due=due, reward_outdated=outdated
        )
        if not await outages.until_available(apply):
            await self._record_cost()
            return None
        if due:
            self._context.reward_due()
        try:
            return ReplyOutcome(await self._context.refresh(scan.scan_id), True, reply.message)
        except NotFound:  # deleted at this very moment
            return None

    async def _release(self, error: BaseException) -> None:
        """Lets the next reply come, and keeps what this one has paid for."""
        _log.warning("reply failed", scan_id=self._scan.scan_id, attempt=self._lease.attempt, error=repr(error))
        if isinstance(error, EcoError) and (failed := Usage.of_failure(error.metadata)):
            spent = self._refiner.usage
            self._refiner.usage = spent + failed if spent else failed
        store, lease, draft = self._context.store, self._lease, self._refiner.draft
        try:
            async with asyncio.timeout(None if isinstance(error, Exception) else _RELEASE_SECONDS):
                await self._record_cost()
                await outages.until_available(lambda: store.release(lease, draft))
        except Exception as fault:  # the lease runs out by itself
            _log.error("reply not released", scan_id=self._scan.scan_id, error=repr(fault))

    async def _record_cost(self) -> None:
        """Keeps what was paid with the scan, or with what it left when it was deleted."""
        if self._refiner.usage is None:
            return
        record = functools.partial(self._context.store.record_cost, self._scan.scan_id, self._run())
        await outages.until_available(record)
        self._refiner.usage = None
        try:
            await self._context.refresh(self._scan.scan_id)
        except Exception as error:
            if not isinstance(error, NotFound) and outages.from_exception(error) is None:
                raise

    def _run(self) -> StageRun:
        spent = round((time.monotonic() - self._began) * 1000)
        return StageRun(STAGE, self._lease.attempt, spent, self._refiner.usage, datetime.now(UTC))

    @asynccontextmanager
    async def _renewed(self) -> AsyncIterator[None]:
        """Keeps the lease while the block lasts."""
        renewing = asyncio.create_task(self._renew(), name="reply lease")
        try:
            yield
        finally:
            await end(renewing)

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(LEASE_SECONDS / 3)
            if not await outages.until_available(lambda: self._context.store.renew(self._lease)):
                return  # what comes of it will be refused, and what it cost kept
