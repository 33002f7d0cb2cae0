"""What users ask about waste, and what an answer asks them back."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from mesh.locale import Text
from rules_svc.rulebook.taxonomy import Path


@dataclass(frozen=True, slots=True)
class Keywords:
    """Words to look for, case-folded. Users mix languages, so both are looked for, whatever the locale.

    Attributes:
        ko: Anywhere in a text, since Korean words carry their particles.
        en: From the start of a word, since English ones carry their endings.
    """

    ko: tuple[str, ...] = ()
    en: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for field in ("ko", "en"):
            object.__setattr__(self, field, tuple(word.casefold() for word in getattr(self, field)))

    def within(self, text: str) -> bool:
        """Whether the text has one of them."""
        folded = text.casefold()
        for word in self.ko:
            if word in folded:
                return True
        return any(_begins(word, folded) for word in self.en if word in folded)


def _begins(word: str, text: str) -> bool:
    """Whether a word of the text begins so. There are too many words to compile an expression for each."""
    at = text.find(word)
    while at > 0 and "a" <= text[at - 1] <= "z":
        at = text.find(word, at + 1)
    return at >= 0


class Source(StrEnum):
    """Where in a rule the answer to a question stands."""

    STEPS = "steps"
    HAZARDS = "hazards"
    CONTAINER = "container"
    WHEN = "when"
    FEE = "fee"
    WHY = "why"
    NAME = "name"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class Topic:
    """Something people ask about.

    Attributes:
        key: Its name, such as "label".
        source: Where in a rule its answer stands.
        asked: Words of the question.
        told: Words of the step or hazard that answers it; any does if there are none.
        unsaid: What is said when the rule has no such step or hazard.
    """

    key: str
    source: Source
    asked: Keywords
    told: Keywords = Keywords()
    unsaid: Text | None = None

    def answered_by(self, line: str) -> bool:
        """Whether a step or hazard answers it."""
        return self.told == Keywords() or self.told.within(line)


@dataclass(frozen=True, slots=True)
class Choice:
    """One of the replies that settle an open question.

    Attributes:
        label: What a button says.
        words: Words of a reply that means it.
        denial: Words that mean it by denying the other choice.
        to: The finer category; None if it stays the same.
        tags: Situations it brings.
    """

    label: Text
    words: Keywords
    denial: Keywords = Keywords()
    to: Path | None = None
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class OpenCategory:
    """The question that remains when a classification stops at a category.

    Attributes:
        at: The category, exactly: a finer one leaves nothing open.
        ask: The question to the user.
        ask_which: The same where candidates are known; they stand in for {candidates}.
        tags: Situations that settle it.
        words: Words in the user's question that settle it.
        choices: The replies that settle it.
        any_name: Whether the name of any category settles it, too.
    """

    at: Path
    ask: Text
    ask_which: Text | None = None
    tags: frozenset[str] = frozenset()
    words: Keywords = Keywords()
    choices: tuple[Choice, ...] = ()
    any_name: bool = False

    def stays_open(self, path: Path, tags: Sequence[str], remark: str) -> bool:
        """Whether it must be asked."""
        return path == self.at and self.tags.isdisjoint(tags) and not self.words.within(remark)


@dataclass(frozen=True, slots=True)
class OpenTag:
    """The question that a situation raises, whatever the category; the name of a category settles it."""

    tag: str
    ask: Text


@dataclass(frozen=True, slots=True)
class Questions:
    """Everything known about questions.

    Attributes:
        asking: Words that tell a question from a remark.
        topics: What people ask about, the most particular first.
        open: What categories leave open.
        open_tags: What situations leave open.
        contradicted: What is asked when the user wrote another thing than the photo shows, {seen} and {said}.
        region: What is asked back when a day is asked for and no region was named.
        unanswered: What is asked back when a question is about nothing we know.
        unclear: Said before the question if a reply settles nothing.
        settled: Said if a reply settles something.
        confirmed: Said if a reply says that what was known is right.
        denied: Said before the question what it is, if a reply says that it was taken for something else.
        guess: Asked about what a reply may name; the names stand in for {candidates}.
    """

    asking: Keywords
    topics: tuple[Topic, ...]
    open: tuple[OpenCategory, ...]
    open_tags: tuple[OpenTag, ...]
    contradicted: Text
    region: Text
    unanswered: Text
    unclear: Text
    settled: Text
    confirmed: Text
    denied: Text
    guess: Text

    def about(self, text: str) -> tuple[Topic, ...]:
        """The topics that a text asks about."""
        return tuple(topic for topic in self.topics if topic.asked.within(text))
