"""What a user's reply to an open question settles: a finer category, a situation, a region, or another question."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

from mesh.locale import Locale
from rules_svc.answers.composer import UNKNOWN, Classification, Composer, OpenQuestion
from rules_svc.rulebook.regions import Regions
from rules_svc.rulebook.rulebook import LocalizedRule, Rulebook
from rules_svc.rulebook.taxonomy import Path
from rules_svc.search.index import ItemIndex

# What a reply denies: "형광등이 아니고 LED", "not silver but white". Words are compared from their beginning.
_DENIED = re.compile(
    r"(?<!\S)\S+\s*아니\S*|(?<!\S)\S+지\s*않\S*|\b(?:not|isn't|no)\s+(?:(?:a|an|the|really|quite)\s+)*\w+",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class KnownFacts:
    """What is known about a scan, before or after a reply.

    Attributes:
        path: The category.
        tags: Situation tags.
        question: The person's own question.
        region: Where they live, as they said it or as its key.
    """

    path: Path
    tags: tuple[str, ...]
    question: str
    region: str


@dataclass(frozen=True, slots=True)
class Interpreter:
    """Interprets replies by the closed questions and never guesses.

    Attributes:
        composer: Tells the open questions.
        regions: Finds regions by name.
        items: Finds categories by name.
    """

    composer: Composer
    regions: Regions
    items: ItemIndex

    @classmethod
    def of(cls, book: Rulebook, composer: Composer, items: ItemIndex | None = None) -> Self:
        """The interpreter of a rule book; with its index, if there is one already."""
        return cls(composer, book.regions, items or ItemIndex.of(book))

    def interpret(
        self,
        classification: Classification,
        rules: Sequence[LocalizedRule],
        question: str,
        region: str,
        reply: str,
        locale: Locale,
    ) -> KnownFacts | None:
        """What is known after a reply; None if it settles nothing that is open.

        Args:
            classification: What the photo shows.
            rules: The rules that the answer was made from.
            question: The person's own question.
            region: Where they live; may be empty.
            reply: What they replied.
            locale: Language of the questions.
        """
        before = KnownFacts(classification.path, classification.tags, question, region)
        after = before
        for one in self.composer.open(classification, rules, question, locale):
            after = self._settled(one, after, reply)
        return after if after != before else None

    def remark(
        self,
        known: KnownFacts | None,
        classification: Classification,
        rules: Sequence[LocalizedRule],
        question: str,
        locale: Locale,
    ) -> str:
        """One sentence to the user about their reply: thanks, or the question again if it settled nothing."""
        if known is not None:
            return self.composer.questions.settled[locale]
        unsettled = self.composer.open(classification, rules, question, locale)
        again = unsettled[0].ask if unsettled else ""
        return self.composer.questions.unclear[locale].format(question=again).strip()

    def _settled(self, open_question: OpenQuestion, known: KnownFacts, reply: str) -> KnownFacts:
        affirmed = _DENIED.sub(" ", reply)
        choices = open_question.choices
        denying = (choice for choice in choices if choice.denial.within(reply))
        affirming = (choice for choice in choices if choice.words.within(affirmed))
        if choice := next(denying, None) or next(affirming, None):
            tags = tuple(dict.fromkeys((*known.tags, *choice.tags)))
            return replace(known, path=choice.to or known.path, tags=tags)
        if open_question.any_name and (path := self._named(affirmed)):
            return replace(known, path=path, tags=tuple(tag for tag in known.tags if tag != open_question.tag))
        if open_question.region and (region := self.regions.find(reply).region):
            return replace(known, region=region.key)
        topics = self.composer.questions.topics
        if open_question.topic and any(topic.asked.within(reply) for topic in topics):
            return replace(known, question=reply)
        return known

    def _named(self, reply: str) -> Path | None:
        """The category that a reply names; None unless the match is sure."""
        found = self.items.search(reply, 1)
        return found[0].path if found and found[0].sure and found[0].path != UNKNOWN else None
