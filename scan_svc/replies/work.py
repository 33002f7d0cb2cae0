"""One reply at work: what it means, the more precise answer, and what that cost, stored whatever happens meanwhile.

It doesn't depend on its caller, who may hang up: what was begun is finished, and what was paid for is kept. While the
database is away the result stays in hand.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from typing import Protocol, TypeVar

import structlog
from msgspec.structs import replace

from mesh import outages
from mesh.errors import DeadlineExceeded, EcoError, NotFound
from mesh.reasons import Reason
from mesh.tasks import end
from scan_svc.pipeline.interfaces import Characters, Rules
from scan_svc.progress.snapshots import REWARD_SECONDS
from scan_svc.replies.store import LEASE_SECONDS, Draft, Reply, ReplyLease, ReplyStore
from scan_svc.results import Answer, Classification, DisposalRule, Interpretation, Results, Reward, Usage
from scan_svc.scans import Scan, StageRun

_log = structlog.get_logger("replies")

STAGE = "reply"

# How long a reply may take, whatever its caller's deadline: a model that is left in the middle is paid, too.
MOST_SECONDS = 40.0
_OUTAGE_PAUSE = 0.5
# How long an ending process tries to tell the database what it has in hand.
_GOODBYE_SECONDS = 5.0

T = TypeVar("T")


class Interpreter(Rules, Protocol):
    """What is needed of Rules: as in the pipeline, and what a reply means."""

    async def interpret(self, scan: Scan, question: str, reply: str, deadline: float) -> Interpretation:
        """What a reply to a scan's answer means."""


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


class ReplyWork:
    """One reply, by the holder of its lease.

    Args:
        context: What all share.
        lease: The lease.
        scan: The scan as it is.
        text: The reply.
    """

    def __init__(self, context: ReplyContext, lease: ReplyLease, scan: Scan, text: str) -> None:
        self._context = context
        self._lease = lease
        self._scan = scan
        self._text = text
        self._began = time.monotonic()
        self._ends_at = self._began + MOST_SECONDS
        self._draft = lease.draft
        self._usage: Usage | None = None

    async def run(self) -> ReplyOutcome | None:
        """Works until the reply is stored.

        Returns:
            What came of it; None if that changes nothing: the lease was lost, or the scan was deleted.

        Raises:
            EcoError: It failed; the next one may come, and what was paid for stays for a repetition.
        """
        async with self._renewed():
            try:
                async with asyncio.timeout(MOST_SECONDS):
                    changes, reply = await self._updated()
            except BaseException as error:
                await self._put_down(error)
                if isinstance(error, TimeoutError):
                    raise DeadlineExceeded(Reason.DEADLINE_EXCEEDED, stage=STAGE) from error
                raise
            return await self._stored(changes, reply)

    async def _updated(self) -> tuple[Results | None, Reply]:
        """What the reply makes of the scan; no results if it settles nothing."""
        scan = self._scan
        if self._draft is None:
            question = await self._context.store.last_question(scan.scan_id)
            asked = scan.user_input if question is None else question
            meant = await self._context.rules.interpret(scan, asked, self._text, self._left())
            if not meant.understood:
                return None, Reply(self._text, False, meant.message, meant.question)
            await self._draw_up(meant)
        draft = self._draft
        assert draft is not None
        reward = await self._rewarded(draft)
        changes = Results(
            vision=draft.found, rules=draft.rules, answer=draft.answer, places=draft.places, reward=reward
        )
        return changes, Reply(self._text, True, draft.message, draft.question)

    async def _draw_up(self, meant: Interpretation) -> None:
        """Rules, places and the answer anew. What costs nothing comes first: if it fails, nothing was paid."""
        scan, found, rules = self._scan, meant.found, self._context.rules
        moved = replace(scan, region=meant.region, user_input=meant.question)
        matched = await rules.match(moved, found, self._left())
        places, before = None, scan.results.vision
        if scan.results.places is not None and before is not None and found.category != before.category:
            places = await rules.places(moved, found.category, self._left())
        answer = await self._composed(moved, found, matched)
        self._draft = Draft(found, meant.question, meant.region, meant.message, matched, answer, places)

    async def _composed(self, scan: Scan, found: Classification, rules: tuple[DisposalRule, ...]) -> Answer:
        composing = self._context.rules.compose(scan, found, rules, self._left())
        async with aclosing(composing) as events:
            async for event in events:
                if isinstance(event, Answer):
                    return event
                if isinstance(event, Usage):
                    self._usage = event
        raise AssertionError("Rules ended without an answer")

    async def _rewarded(self, draft: Draft) -> Reward | None:
        """The reward, if it is due and comes soon; whatever Character does, the answer stands, and a job asks again."""
        if draft.answer.insufficiencies or not replace(self._scan.results, answer=draft.answer).awaits_reward:
            return None
        seconds = min(REWARD_SECONDS, self._left())
        try:
            async with asyncio.timeout(seconds):
                return await self._context.characters.evaluate(
                    self._scan, draft.found.category, len(draft.rules), 0, seconds
                )
        except Exception as error:
            _log.warning("reward put off", scan_id=self._scan.scan_id, error=repr(error))
            return None

    async def _stored(self, changes: Results | None, reply: Reply) -> ReplyOutcome | None:
        store, lease, scan = self._context.store, self._lease, self._scan
        if changes is None:
            kept = await self._persist(lambda: store.keep(lease, reply))
            return ReplyOutcome(scan, False, reply.message) if kept else None
        assert self._draft is not None
        region = self._draft.region
        held = scan.results.reward if changes.reward is None else changes.reward
        due = replace(changes, reward=held).awaits_reward
        if not await self._persist(lambda: store.apply(lease, changes, self._run(), region, reply, due)):
            await self._booked()
            return None
        if due:
            self._context.reward_due()
        try:
            return ReplyOutcome(await self._context.refresh(scan.scan_id), True, reply.message)
        except NotFound:  # deleted at this very moment
            return None

    async def _put_down(self, error: BaseException) -> None:
        """Lets the next reply come, and keeps what this one has paid for."""
        _log.warning("reply failed", scan_id=self._scan.scan_id, attempt=self._lease.attempt, error=repr(error))
        if isinstance(error, EcoError) and (failed := Usage.of_failure(error.metadata)):
            self._usage = self._usage + failed if self._usage else failed
        try:
            async with asyncio.timeout(None if isinstance(error, Exception) else _GOODBYE_SECONDS):
                await self._booked()
                await self._persist(lambda: self._context.store.release(self._lease, self._draft))
        except Exception as fault:  # the lease runs out by itself
            _log.error("reply not put down", scan_id=self._scan.scan_id, error=repr(fault))

    async def _booked(self) -> None:
        """Keeps what was paid with the scan, or with what it left when it was deleted."""
        if self._usage is None:
            return
        await self._persist(lambda: self._context.store.book(self._scan.scan_id, self._run()))
        self._usage = None
        try:
            await self._context.refresh(self._scan.scan_id)
        except Exception as error:
            if not isinstance(error, NotFound) and outages.from_exception(error) is None:
                raise

    def _run(self) -> StageRun:
        spent = round((time.monotonic() - self._began) * 1000)
        return StageRun(STAGE, self._lease.attempt, spent, self._usage)

    def _left(self) -> float:
        return self._ends_at - time.monotonic()

    async def _persist(self, write: Callable[[], Awaitable[T]]) -> T:
        """Asks the database until it has answered."""
        while True:
            try:
                return await write()
            except Exception as error:
                if outages.from_exception(error) is None:
                    raise
                _log.warning("database unavailable", error=repr(error))
                await asyncio.sleep(_OUTAGE_PAUSE)

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
            if not await self._persist(lambda: self._context.store.renew(self._lease)):
                return  # what comes of it will be refused, and what it cost kept
