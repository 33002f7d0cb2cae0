"""Writes an answer: by the first of a chain of hosted models whose text the rules back, else by the composer.

A client receives checked sentences as a draft, then the answer, which replaces them. If a model fails half way, its
sentences remain a draft. A composed answer comes whole.
"""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Protocol

import structlog

from mesh.errors import EcoError
from mesh.locale import Locale
from mesh.models.usage import Terms
from mesh.reasons import Reason
from rules_svc.answers.composer import UNKNOWN, Answer, Classification, Composer, ModelAttempt
from rules_svc.rulebook.rules import LocalizedRule

_log = structlog.get_logger("writing")


@dataclass(frozen=True, slots=True)
class AnswerRequest:
    """One answer to write.

    Attributes:
        classification: What the photo shows.
        rules: The rules to follow, narrowest first.
        question: The person's own words.
        locale: Language.
        composed: The answer composed from rules alone.
        unanswered: Which of its open questions says only that the user's question wasn't understood.
    """

    classification: Classification
    rules: Sequence[LocalizedRule]
    question: str
    locale: Locale
    composed: Answer
    unanswered: frozenset[str]


class Writer(Protocol):
    """What can write an answer."""

    @property
    def name(self) -> str:
        """What it is called in attempts and logs."""

    def write(self, task: AnswerRequest, terms: Terms) -> AsyncGenerator[str | Answer, None]:
        """Checked sentences as they are written, then the answer, whose text begins with them.

        Raises:
            EcoError: Why there is no answer; at any time.
        """


class Writers:
    """Writes answers.

    Args:
        hosted: Models in the order they are asked; may be empty.
    """

    def __init__(self, hosted: Sequence[Writer]) -> None:
        self._hosted = tuple(hosted)

    async def write(
        self,
        composer: Composer,
        classification: Classification,
        rules: Sequence[LocalizedRule],
        question: str,
        locale: Locale,
        terms: Terms,
    ) -> AsyncGenerator[str | Answer, None]:
        """Pieces of a draft, then the answer. Other arguments as for `Composer.compose`."""
        composed = composer.compose(classification, rules, question, locale)
        # If the photo wasn't recognised no model is asked: the composer asks the user what it is.
        hosted = self._hosted if classification.path != UNKNOWN else ()
        passed_over = list[ModelAttempt]()
        if hosted:
            unsettled = composer.open(classification, rules, question, locale) if composed.insufficiencies else ()
            unanswered = frozenset(one.ask for one in unsettled if one.topic)
            task = AnswerRequest(classification, rules, question, locale, composed, unanswered)
        for writer in hosted:
            try:
                async with aclosing(writer.write(task, terms)) as events:
                    async for event in events:
                        if isinstance(event, Answer):
                            yield replace(event, passed_over=tuple(passed_over))
                            return
                        # Clients append drafts, so only the first model may write one.
                        if not passed_over:
                            yield event
            except EcoError as error:
                if error.reason is Reason.MODEL_SPENT_UNKNOWN:
                    raise  # the caller sends the sums, and calls again
                _log.warning("writer passed over", model=writer.name, reason=error.reason, detail=error.metadata)
                passed_over.append(ModelAttempt(writer.name, error.reason))
        yield replace(composed, passed_over=tuple(passed_over))
