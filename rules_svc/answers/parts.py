"""Whether a text sends a part of a thing where it doesn't go: a label into the bottle's bin.

Only what is plain is judged: a part that is the topic of a Korean sentence, or alone with a container in a clause.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Self

from rules_svc.rulebook.rules import LocalizedPart

_SENTENCES = re.compile(r"(?<=[.!?])\s+|\n+")
# Behind a comma, a Korean ending that joins verbs (-고, -서, -면; 뒤, 후), or an English conjunction.
_CLAUSES = re.compile(r"[,;]\s*|(?<=[고서면뒤후])에?\s|\s(?:and|then|but|before|after)\s", re.IGNORECASE)
_NEVER = re.compile(r"(?!)")
_TOPIC = "은|는"
_PARTICLES = f"{_TOPIC}|이|가|을|를|도|만|과|와|부터|까지"


@dataclass(frozen=True, slots=True)
class PartInText:
    """A part as texts name it, by its last word.

    Attributes:
        allowed: What the rules say of it and of where it goes, without spaces and case.
        elsewhere: Where the other parts go, likewise.
    """

    allowed: str
    elsewhere: frozenset[str]
    _topic: "re.Pattern[str]"
    _mention: "re.Pattern[str]"

    @classmethod
    def of(cls, part: LocalizedPart, allowed: str, containers: Iterable[str]) -> Self:
        """The part, by what the rules say of it and by the containers of all parts, without spaces and case."""
        word = re.escape(part.name.split()[-1])
        elsewhere = frozenset(one for one in containers if one not in allowed)
        if word.isascii():  # with an article, since "can" may be the verb
            english = re.compile(rf"\b(?:the|an?|its|your)\s(?:\w+\s)?{word}\b", re.IGNORECASE)
            return cls(allowed, elsewhere, _NEVER, english)
        topic, mention = (re.compile(rf"(?<!\w){word}(?:{ending})(?!\w)") for ending in (_TOPIC, _PARTICLES))
        return cls(allowed, elsewhere, topic, mention)

    def is_topic(self, sentence: str) -> bool:
        """Whether a Korean sentence says something of it."""
        return bool(self._topic.search(sentence))

    def is_in(self, text: str) -> bool:
        """Whether a text names it."""
        return bool(self._mention.search(text))

    def goes_elsewhere(self, plain: str, containers: Collection[str]) -> bool:
        """Whether a text that is about it alone names a container that isn't its own.

        Args:
            plain: The text without spaces and case.
            containers: The containers that it names, likewise.
        """
        foreign = bool(containers) and not any(one in self.allowed for one in containers)
        return foreign or any(one in plain for one in self.elsewhere)


def pieces(text: str, parts: Sequence[PartInText]) -> Iterator[tuple[str, PartInText]]:
    """The pieces of a text that are about one part alone, with that part."""
    for sentence in _SENTENCES.split(text) if parts else ():
        named = [part for part in parts if part.is_in(sentence)]
        if len(named) == 1 and named[0].is_topic(sentence):
            yield sentence, named[0]
            continue
        for clause in _CLAUSES.split(sentence) if named else ():
            alone = [part for part in named if part.is_in(clause)]
            if len(alone) == 1:
                yield clause, alone[0]
