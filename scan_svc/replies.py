"""A user's reply to what an answer leaves open, and the sharper answer they get without another look at the photo."""

import time
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Protocol

from msgspec.structs import replace

from mesh.errors import AlreadyExists, FailedPrecondition, NotFound, Reason
from scan_svc.pipeline import Characters, Rules
from scan_svc.reply_store import Reply, ReplyStore
from scan_svc.results import Answer, Classification, DisposalRule, Outcome, Usage
from scan_svc.scans import Scan, StageRun, State

STAGE = "reply"

_MOST_SECONDS = 40.0


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a reply means.

    Attributes:
        understood: Whether it settles anything that is open.
        found: The classification, with what the user said worked in.
        question: The question to answer from now on.
        region: The region from now on.
        message: One sentence to the user.
    """

    understood: bool
    found: Classification
    question: str
    region: str
    message: str


class Interpreter(Rules, Protocol):
    """What is needed of Rules: as in the pipeline, and what a reply means."""

    async def interpret(self, scan: Scan, question: str, reply: str, deadline: float) -> Meaning:
        """What a reply to a scan's answer means."""


@dataclass(frozen=True, slots=True)
class Replied:
    """What came of a reply, with the scan as it is now."""

    scan: Scan
    understood: bool
    message: str


class Replies:
    """The replies to one user's scans at a time; others' are NOT_FOUND.

    Args:
        store: Where replies are kept.
        load: Reads a scan from PostgreSQL; raises NotFound.
        refresh: Reads it again, and makes the change known.
        rules: The Rules service.
        characters: The Character service.
    """

    def __init__(
        self,
        store: ReplyStore,
        load: Callable[[str], Awaitable[Scan]],
        refresh: Callable[[str], Awaitable[Scan]],
        rules: Interpreter,
        characters: Characters,
    ) -> None:
        self._store = store
        self._load = load
        self._refresh = refresh
        self._rules = rules
        self._characters = characters

    async def answer(self, user_id: str, scan_id: str, text: str, request_id: str, seconds: float | None) -> Replied:
        """Makes a finished scan's answer sharper by what its user replied.

        Args:
            user_id: Who replies.
            scan_id: To which scan.
            text: What they reply.
            request_id: Makes it idempotent for this scan; may be empty.
            seconds: What remains of the caller's time; None for as long as it takes.

        Raises:
            NotFound: No such scan.
            FailedPrecondition: It hasn't succeeded, or asks nothing.
            AlreadyExists: The request_id came with another reply.
        """
        ends_at = time.monotonic() + min(seconds or _MOST_SECONDS, _MOST_SECONDS)
        while True:
            scan = await self._load(scan_id)
            if scan.user_id != user_id:
                raise NotFound(Reason.SCAN_NOT_FOUND, scan_id=scan_id)
            earlier = await self._store.find(scan_id, request_id) if request_id else None
            if earlier:
                if earlier.text != text:
                    raise AlreadyExists(Reason.REQUEST_ID_REUSED, request_id=request_id, scan_id=scan_id)
                return Replied(scan, earlier.understood, earlier.message)
            # None: another reply was first and may have settled it all, or the scan was deleted.
            if replied := await self._try(scan, text, request_id, ends_at):
                return replied

    async def _try(self, scan: Scan, text: str, request_id: str, ends_at: float) -> Replied | None:
        _check_asked(scan)
        question = await self._store.last_question(scan.scan_id)
        asked = scan.user_input if question is None else question
        meant = await self._rules.interpret(scan, asked, text, ends_at - time.monotonic())
        reply = Reply(text, request_id, meant.understood, meant.message, meant.question)
        if not meant.understood:
            return Replied(scan, False, meant.message) if await self._store.keep(scan.scan_id, reply) else None
        sharper = await self._sharper(scan, meant, ends_at)
        if not await self._store.sharpen(scan, sharper, reply):
            return None
        return Replied(await self._refresh(scan.scan_id), True, meant.message)

    async def _sharper(self, scan: Scan, meant: Meaning, ends_at: float) -> Scan:
        """The scan with rules, answer and, where they follow from them, places and reward made anew."""
        began, found = time.monotonic(), meant.found
        moved = replace(scan, region=meant.region, user_input=meant.question)
        rules = await self._rules.match(moved, found, ends_at - time.monotonic())
        answer, usage = await self._composed(moved, meant, rules, ends_at)
        places, reward = scan.results.places, scan.results.reward
        before = scan.results.vision
        if places is not None and before is not None and found.category != before.category:
            places = await self._rules.places(moved, found.category, ends_at - time.monotonic())
        if reward and reward.outcome is Outcome.INSUFFICIENT and not answer.insufficiencies:
            left = ends_at - time.monotonic()
            reward = await self._characters.evaluate(scan, found.category, len(rules), 0, left)
        results = replace(scan.results, vision=found, rules=rules, answer=answer, places=places, reward=reward)
        run = StageRun(STAGE, 1, round((time.monotonic() - began) * 1000), usage)
        return replace(scan, region=meant.region, results=results, stages=(*scan.stages, run))

    async def _composed(
        self, scan: Scan, meant: Meaning, rules: tuple[DisposalRule, ...], ends_at: float
    ) -> tuple[Answer, Usage | None]:
        usage = None
        composing = self._rules.compose(scan, meant.found, rules, ends_at - time.monotonic())
        async with aclosing(composing) as events:
            async for event in events:
                if isinstance(event, Answer):
                    return event, usage
                if isinstance(event, Usage):
                    usage = event
        raise AssertionError("Rules ended without an answer")


def _check_asked(scan: Scan) -> None:
    if scan.state is not State.SUCCEEDED or scan.results.answer is None:
        raise FailedPrecondition(Reason.SCAN_STATE, scan_id=scan.scan_id, state=scan.state)
    if not scan.results.answer.insufficiencies:
        raise FailedPrecondition(Reason.NOTHING_ASKED, scan_id=scan.scan_id)
