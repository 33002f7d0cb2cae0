"""What a reply makes of an answer: what it means, then rules, places, answer and reward anew."""

import asyncio
import time
from contextlib import aclosing
from typing import Protocol

import structlog
from msgspec.structs import replace

from scan_svc.mirrors.character import Reward
from scan_svc.mirrors.rules import Answer, DisposalRule, Interpretation
from scan_svc.mirrors.vision import Classification, Usage
from scan_svc.pipeline.interfaces import Characters, Rules
from scan_svc.progress.snapshots import REWARD_SECONDS
from scan_svc.replies.store import Draft, Reply
from scan_svc.results import Results
from scan_svc.scans import Scan

_log = structlog.get_logger("replies")


class Interpreter(Rules, Protocol):
    """What is needed of Rules: as in the pipeline, and what a reply means."""

    async def interpret(self, scan: Scan, question: str, reply: str, deadline: float) -> Interpretation:
        """What a reply to a scan's answer means."""


class AnswerRefiner:
    """Makes the answer of one scan more precise.

    Args:
        rules: The Rules service.
        characters: The Character service.
        scan: The scan as it is.
        draft: The answer that an earlier try of the same reply has paid for; None if none.
        ends_at: Until when, on the monotonic clock.

    Attributes:
        draft: The answer, once it is paid for.
        usage: What it has cost; None if nothing.
    """

    def __init__(
        self, rules: Interpreter, characters: Characters, scan: Scan, draft: Draft | None, ends_at: float
    ) -> None:
        self._rules = rules
        self._characters = characters
        self._scan = scan
        self._ends_at = ends_at
        self.draft = draft
        self.usage: Usage | None = None

    async def refine(self, question: str, text: str, *, may_learn: bool = False) -> tuple[Results | None, Reply]:
        """What a reply makes of the scan; no results if it changes nothing.

        Args:
            question: What the user asked when the scan was made, or has asked since.
            text: The reply.
            may_learn: Whether what it says of the classification may be kept as a label of the photo.

        Raises:
            EcoError: A service failed; what was paid for stands in `draft` and `usage`.
        """
        if self.draft is None:
            meant = await self._rules.interpret(self._scan, question, text, self._seconds_left())
            if not meant.understood or self._unchanged(meant, question):
                said = Reply(text, meant.understood, meant.message, meant.question, meant.verdict, may_learn)
                return None, said
            self.draft = await self._drafted(meant)
        draft, reward = self.draft, await self._reward(self.draft)
        changes = Results(
            vision=draft.found, rules=draft.rules, answer=draft.answer, places=draft.places, reward=reward
        )
        return changes, Reply(text, True, draft.message, draft.question, draft.verdict, may_learn)

    def _unchanged(self, meant: Interpretation, question: str) -> bool:
        """Whether it only confirms what is there: then nothing is made anew, nor paid for."""
        now = (meant.found, meant.question, meant.region)
        return now == (self._scan.results.vision, question, self._scan.region)

    async def _drafted(self, meant: Interpretation) -> Draft:
        """Rules, places and the answer anew. What costs nothing comes first: if it fails, nothing was paid."""
        found, before = meant.found, self._scan.results.vision
        scan = replace(self._scan, region=meant.region, user_input=meant.question)
        # What was said at creation, and in replies before, is worked in already.
        matched = await self._rules.match(scan, found, "", self._seconds_left())
        places = None
        if scan.results.places is not None and before is not None and found.category != before.category:
            places = await self._rules.places(scan, found.category, self._seconds_left())
        answer = await self._compose(scan, found, matched.rules)
        return Draft(
            matched.found, meant.question, meant.region, meant.message, matched.rules, answer, places, meant.verdict
        )

    async def _compose(self, scan: Scan, found: Classification, rules: tuple[DisposalRule, ...]) -> Answer:
        async with aclosing(self._rules.compose(scan, found, rules, self._seconds_left())) as events:
            async for event in events:
                if isinstance(event, Answer):
                    return event
                if isinstance(event, Usage):
                    self.usage = event
        raise AssertionError("Rules ended without an answer")

    async def _reward(self, draft: Draft) -> Reward | None:
        """The reward, if it is due and comes soon; whatever Character does, the answer stands, and a job asks again."""
        now = self._scan.results.with_answer(draft.found, draft.answer)
        if draft.answer.insufficiencies or not now.awaits_reward:
            return None
        seconds = min(REWARD_SECONDS, self._seconds_left())
        try:
            async with asyncio.timeout(seconds):
                return await self._characters.evaluate(self._scan, draft.found, len(draft.rules), 0, seconds)
        except Exception as error:
            _log.warning("reward put off", scan_id=self._scan.scan_id, error=repr(error))
            return None

    def _seconds_left(self) -> float:
        return self._ends_at - time.monotonic()
