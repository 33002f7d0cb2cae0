"""What a user's reply settles: a finer category, another thing, a situation, a region, or another question."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Self

from mesh.locale import Locale
from rules_svc.answers.composer import UNKNOWN, Classification, Composer, OpenQuestion
from rules_svc.answers.corrections import Statement, Verdict, affirmed
from rules_svc.rulebook.effects import Tag
from rules_svc.rulebook.regions import Regions
from rules_svc.rulebook.rulebook import Rulebook
from rules_svc.rulebook.rules import LocalizedRule
from rules_svc.rulebook.taxonomy import Path, Taxonomy, within
from rules_svc.search.matcher import Matcher
from rules_svc.search.matches import ItemMatch
from rules_svc.search.phrases import folded
from rules_svc.search.states import SaidStates

_VERY_NAME = 0.985  # score of a reply that is nothing but a name, perhaps with a particle
_MOST_TAGS = 20  # as MatchRules takes them
_NEAR = 0.75  # score from which on a name is worth asking about
MOST_CANDIDATES = 3


@dataclass(frozen=True, slots=True)
class KnownFacts:
    """What is known about a scan, before or after a reply.

    Attributes:
        path: The category.
        tags: Situation tags.
        question: The person's own question.
        region: Where they live, as they said it or as its key.
        verdict: What the reply said of the category.
        candidates: What the reply may have named, most likely first, where the category isn't known any more.
    """

    path: Path
    tags: tuple[str, ...]
    question: str
    region: str
    verdict: Verdict = Verdict.UNSAID
    candidates: tuple[Path, ...] = ()

    def changes(self, classification: Classification, question: str, region: str) -> bool:
        """Whether anything that an answer is made from is another than before."""
        before = (classification.path, classification.tags, question, region)
        return (self.path, self.tags, self.question, self.region) != before


@dataclass(frozen=True, slots=True)
class Interpreter:
    """Interprets replies by the closed questions, and by the names and situations they tell; never guesses.

    Attributes:
        composer: Tells the open questions.
        regions: Finds regions by name.
        taxonomy: The categories.
        tags: The closed list.
        matcher: Reads what a reply names and tells.
    """

    composer: Composer
    regions: Regions
    taxonomy: Taxonomy
    tags: Mapping[str, Tag]
    matcher: Matcher

    @classmethod
    def of(cls, book: Rulebook, composer: Composer, matcher: Matcher | None = None) -> Self:
        """The interpreter of a rule book; with its matcher, if there is one already."""
        return cls(composer, book.regions, book.taxonomy, book.tags, matcher or Matcher.of(book))

    def interpret(
        self,
        classification: Classification,
        rules: Sequence[LocalizedRule],
        question: str,
        region: str,
        reply: str,
        locale: Locale,
    ) -> KnownFacts | None:
        """What is known after a reply; None if it settles nothing and says nothing of what was known.

        Args:
            classification: What the photo shows.
            rules: The rules that the answer was made from.
            question: The person's own question.
            region: Where they live; may be empty.
            reply: What they replied.
            locale: Language of the questions.
        """
        before = KnownFacts(classification.path, classification.tags, question, region)
        after, unsettled = before, self.composer.open(classification, rules, question, locale)
        for one in unsettled:
            after = self._settled(one, after, reply)
        if after.path == before.path:
            after = self._judged(after, Statement.of(reply), asked=bool(unsettled) and after == before)
        after = self._with_states(after, self.matcher.states(reply).of(after.path))
        return after if after != before else None

    def remark(
        self,
        known: KnownFacts | None,
        classification: Classification,
        rules: Sequence[LocalizedRule],
        question: str,
        region: str,
        reply: str,
        locale: Locale,
    ) -> str:
        """One sentence to the user about their reply: thanks, or the question again if it settled nothing."""
        said = self.composer.questions
        if known is None:
            unsettled = self.composer.open(classification, rules, question, locale)
            asks = said.asking.within(reply)
            again = ("" if asks else self._guess(reply, locale)) or (unsettled[0].ask if unsettled else "")
            return said.unclear[locale].format(question=again).strip()
        if known.verdict is Verdict.DENIED:
            others = (name for name in classification.candidates if name != classification.display_name)
            names = tuple(dict.fromkeys((*self._names(known.candidates, locale), *others)))[:MOST_CANDIDATES]
            unknown = Classification(UNKNOWN, candidates=names)
            return said.denied[locale].format(question=self.composer.open(unknown, (), "", locale)[0].ask)
        return (said.settled if known.changes(classification, question, region) else said.confirmed)[locale]

    def _settled(self, open_question: OpenQuestion, known: KnownFacts, reply: str) -> KnownFacts:
        said = affirmed(reply)
        choices = open_question.choices
        denying = (choice for choice in choices if choice.denial.within(reply))
        affirming = (choice for choice in choices if choice.words.within(said))
        if choice := next(denying, None) or next(affirming, None):
            tags = tuple(dict.fromkeys((*known.tags, *choice.tags)))
            return replace(known, path=choice.to or known.path, tags=tags)
        if open_question.any_name and (item := self._named(said)):
            tags = (*(tag for tag in known.tags if tag != open_question.tag), *item.tags)
            return replace(known, path=item.path, tags=tuple(dict.fromkeys(tags)))
        if open_question.region and (region := self.regions.find(reply).region):
            return replace(known, region=region.key)
        topics = self.composer.questions.topics
        if open_question.topic and any(topic.asked.within(reply) for topic in topics):
            return replace(known, question=reply)
        return known

    def _judged(self, known: KnownFacts, said: Statement, *, asked: bool) -> KnownFacts:
        """With what a reply says of the category: that it is right, wrong, or another.

        Args:
            known: Before.
            said: The reply.
            asked: Whether a question is open to which a bare yes or no would be the answer.
        """
        if said.right or (said.yes and not asked):
            return replace(known, verdict=Verdict.CONFIRMED)
        items = self.matcher.items(said.named)
        item = _sure(items) or self._of_material(said.named)
        if item and item.path != UNKNOWN and (said.contradicts or said.states or item.score >= _VERY_NAME):
            return self._named_otherwise(known, item, self.matcher.states(said.named).of(known.path))
        if known.path != UNKNOWN and self._is_denied(known.path, said, asked=asked):
            near = (item for item in items if item.score >= _NEAR and not _related(item.path, known.path))
            candidates = _candidates(near)
            return replace(known, path=UNKNOWN, tags=(), verdict=Verdict.DENIED, candidates=candidates)
        return known

    def _named_otherwise(self, known: KnownFacts, item: ItemMatch, told: SaidStates) -> KnownFacts:
        """The thing that a reply names, unless what it was taken for is that very thing in the situation told."""
        redirects = [self.tags[key].redirect(known.path) for key in told.keys]
        if any(redirect and _related(redirect.to, item.path) for redirect in redirects):
            return known
        if within(known.path, item.path):
            return replace(known, verdict=Verdict.CONFIRMED)
        finer = within(item.path, known.path) or known.path == UNKNOWN
        kept = known.tags if finer else tuple(tag for tag in known.tags if self._matters(tag, item.path))
        verdict = Verdict.CONFIRMED if finer else Verdict.CORRECTED
        return replace(known, path=item.path, tags=tuple(dict.fromkeys((*kept, *item.tags))), verdict=verdict)

    def _is_denied(self, path: Path, said: Statement, *, asked: bool) -> bool:
        """Whether a reply that names nothing for sure says that the photo was taken for something else."""
        if said.wrong:
            return True
        named = [phrase for phrase in said.denied if phrase]
        if any(_related(item.path, path) for phrase in named for item in self.matcher.items(phrase)):
            return True
        return said.contradicts and not named and not said.named and not asked

    def _with_states(self, known: KnownFacts, told: SaidStates) -> KnownFacts:
        """With the situations that a reply tells, and without those it denies."""
        denied = {said.tag for said in told.denied}
        kept = (tag for tag in known.tags if tag not in denied)
        tags = tuple(dict.fromkeys((*kept, *told.keys)))[:_MOST_TAGS]
        heard = told.denied and known.verdict is Verdict.UNSAID and tags == known.tags
        return replace(known, tags=tags, verdict=Verdict.CONFIRMED if heard else known.verdict)

    def _matters(self, tag: str, path: Path) -> bool:
        known = self.tags.get(tag)
        return known is not None and any(effect.reaches(path) for effect in known.effects)

    def _named(self, text: str) -> ItemMatch | None:
        """What a text names; None unless that is sure."""
        item = _sure(self.matcher.items(text, limit=1))
        return item if item and item.path != UNKNOWN else None

    def _of_material(self, text: str) -> ItemMatch | None:
        """What a text says a thing is made of, if it says nothing else."""
        words = folded(text).split()
        path = self.taxonomy.compounds.of_material(words[0]) if len(words) == 1 else None
        return ItemMatch(path, self.taxonomy[path].name.ko, 1.0) if path else None

    def _guess(self, reply: str, locale: Locale) -> str:
        """Asks whether it is one of the things that a reply may name; empty if it names none."""
        items = self.matcher.items(Statement.of(reply).named)
        names = self._names(_candidates(item for item in items if item.score >= _NEAR), locale)
        if not names:
            return ""
        return self.composer.questions.guess[locale].format(candidates=", ".join(names))

    def _names(self, paths: Sequence[Path], locale: Locale) -> tuple[str, ...]:
        return tuple(self.taxonomy[path].name[locale] for path in paths)


def _sure(items: Sequence[ItemMatch]) -> ItemMatch | None:
    """The first, if it is sure."""
    return items[0] if items and items[0].sure else None


def _candidates(items: Iterable[ItemMatch]) -> tuple[Path, ...]:
    return tuple(item.path for item in items if item.path != UNKNOWN)[:MOST_CANDIDATES]


def _related(one: Path, other: Path) -> bool:
    return within(one, other) or within(other, one)
