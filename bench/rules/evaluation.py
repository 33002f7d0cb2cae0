"""What comes of each question: what is found, how surely, and whether the rule tells what it must."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from bench.rules.client import RulesClient
from bench.rules.material import Question, Told, language
from eco2.rules.v1.rules_service_pb2 import MatchRulesResponse
from eco2.vision.v1.classification_pb2 import Category
from rules_svc.rulebook.items import Item
from rules_svc.rulebook.rulebook import Rulebook
from rules_svc.rulebook.taxonomy import Synonyms
from rules_svc.search.index import ItemIndex

# A tenth of the similar names is left out at a time: for one at a time the index would be built thousands of times.
_FOLDS = 10


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one question.

    Attributes:
        question: The question.
        found: Paths of the first three, best first.
        sure: Whether the first is shown as the answer.
        told: Whether the rule tells what it must.
        tagged: Whether a reply set one of its tags.
    """

    question: Question
    found: tuple[tuple[str, ...], ...]
    sure: bool
    told: bool = False
    tagged: bool = False

    @property
    def first(self) -> bool:
        """Whether the first result goes into a right bin."""
        return any(in_bin(path, self.question.bins) for path in self.found[:1])

    @property
    def among(self) -> bool:
        """Whether one of three does."""
        return any(in_bin(path, self.question.bins) for path in self.found)

    @property
    def misled(self) -> bool:
        """Whether a wrong bin is shown as the answer."""
        return bool(self.found) and self.sure and not self.first

    @property
    def wrong(self) -> bool:
        """Whether anything that the question asks for is missing."""
        question = self.question
        amiss = question.bins and not self.first, question.told and not self.told, question.of and not self.tagged
        return any(amiss)


def in_bin(path: Sequence[str], bins: Iterable[str]) -> bool:
    """Whether a category is in one of the bins: its path begins with it, or its major or middle is so called."""
    return any("/".join(path).startswith(one) if "/" in one else one in path[:2] for one in bins)


def ask(client: RulesClient, question: Question) -> Outcome:
    """Asks one question, or replies it."""
    if question.of:
        return _replied(client, question)
    if question.remark:
        return _remarked(client, question)
    found = client.search(question.text, question.locale)
    told = False
    if question.told and found:
        tags = [tag for tag in question.tags if tag in client.tags][:1]
        told = tells(client.match(found[0].category, tags, question.region), question.told)
        told = told and len(tags) == bool(question.tags)
    return Outcome(question, tuple(_path(one.category) for one in found), bool(found) and found[0].sure, told)


def _remarked(client: RulesClient, question: Question) -> Outcome:
    """What the words are taken for; if that isn't sure, what is offered first."""
    matched = client.remark(question.text)
    sure = matched.category.major != "미분류"
    found = [matched.category] if sure else [one.category for one in matched.candidates]
    return Outcome(question, tuple(map(_path, found)), sure)


def _replied(client: RulesClient, question: Question) -> Outcome:
    found = client.search(question.of)
    if not found:
        return Outcome(question, (), sure=False)
    after = client.reply(found[0].category, question.before, question.text, question.locale)
    told = question.told is not None and tells(client.match(after.category, after.tags), question.told)
    tagged = not set(question.tags).isdisjoint(after.tags) if question.tags else question.gone.isdisjoint(after.tags)
    return Outcome(question, (_path(after.category),), sure=True, told=told, tagged=tagged)


def tells(matched: MatchRulesResponse, told: Told) -> bool:
    """Whether the rule to follow tells what it must."""
    rule = matched.rules[0]
    parts = [rule.title, rule.container, *rule.steps, *rule.hazards, rule.when, rule.place, rule.why, rule.fee]
    text = "\n".join([*parts, matched.region.notice, *(f"{one.item} {one.instead}" for one in rule.exclusions)])
    return all(any(word in text for word in group) for group in told.groups) and not any(
        word in rule.container for word in told.never
    )


def left_out(book: Rulebook) -> Iterator[Outcome]:
    """Each similar name of an item asked of an index that lacks it."""
    names = [(item, name) for item in book.items for name in (*item.also.ko, *item.also.en)]
    for fold in range(_FOLDS):
        asked = names[fold::_FOLDS]
        gone = {name for _, name in asked}
        index = ItemIndex.of(replace(book, items=tuple(_without(item, gone) for item in book.items)))
        for item, name in asked:
            found = index.search(name, 3)
            question = Question(
                "items, each similar name left out", name, language(name), frozenset({"/".join(item.path[:2])})
            )
            yield Outcome(question, tuple(one.path for one in found), bool(found) and found[0].sure)


def _without(item: Item, names: set[str]) -> Item:
    ko, en = (tuple(name for name in of if name not in names) for of in (item.also.ko, item.also.en))
    return replace(item, also=Synonyms(ko, en))


def _path(category: Category) -> tuple[str, ...]:
    return tuple(key for key in (category.major, category.middle, category.minor) if key)
