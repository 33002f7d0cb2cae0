"""Patterns of words: how people say that a thing is in some state, whatever stands around and between the words.

A pattern is written as words with blanks between, "|" parting alternatives: `기름|양념 묻|밴` finds "기름이 많이 묻은",
`label on|attached` finds "the labels are still on it". The last Korean word is a stem, which any ending may follow;
those before it are nouns, which particles may follow. English words are found with their usual endings.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import islice
from typing import Generic, TypeAlias, TypeVar

from rules_svc.search.phrases import MOST_LETTERS, bare_forms, plain

Pattern: TypeAlias = tuple[tuple[str, ...], ...]
Nouns: TypeAlias = Pattern  # those of a pattern before its last word
T = TypeVar("T")

STOP = "."
"""Stands for the punctuation between two clauses."""

_WORD = re.compile(r"[0-9a-z\u1100-\u11ff가-힣]+|[^\w\s'’\"“”‘()\[\]~·/&+-]+")
_CONTRACTED = (
    (re.compile(r"\bcan(?:no|')t\b"), "can not"),
    (re.compile(r"\bwon't\b"), "will not"),
    (re.compile(r"n't\b"), " not"),
)
_ENDINGS = ("", "s", "es", "ed", "d", "ing", "y", "er")
_SHORTEST = 3  # letters of an English word that an ending may follow
# Of a longer text, or word, only the beginning is read, so that reading takes bounded time.
_MOST_WORDS = 150
_LONGEST_WORD = 30
_GAP = 3  # words that may stand between two words of a pattern
_LONGEST_NOUN = 12  # letters before a stem in its word that may be a noun with its particle
_WORDS_KEPT = 4096  # words whose nouns are known, some 0.3 kB each
_SHORT_DENIALS = ("안", "못")


@dataclass(frozen=True, slots=True)
class Span(Generic[T]):
    """A pattern found in a text.

    Attributes:
        what: What it belongs to.
        at: The places of its words in the text.
        rest: What follows its stem in its last word.
        joined: What its last word begins with before the pattern: 안 in 안깨졌어요.
    """

    what: T
    at: tuple[int, ...]
    rest: str = ""
    joined: str = ""


def spoken(text: str) -> tuple[str, ...]:
    """The words of a text, and `STOP` between clauses."""
    said = plain(text[:MOST_LETTERS]).replace("’", "'")
    for short, spelt_out in _CONTRACTED:
        said = short.sub(spelt_out, said)
    words = (found[0] for found in islice(_WORD.finditer(said), _MOST_WORDS))
    return tuple(word[:_LONGEST_WORD] if word[0].isalnum() else STOP for word in words)


def pattern_of(text: str) -> Pattern:
    """A pattern as the files write it."""
    return tuple(tuple(word.split("|")) for word in plain(text).split())


class Wordings(Generic[T]):
    """Many patterns, each for something, looked for at once.

    Each word of a text is looked up twice: as a noun that may begin a pattern, and for the stems it may end one with.
    So the work grows with the text alone, not with the number of patterns.

    Args:
        patterns: Each pattern with what it belongs to.
    """

    def __init__(self, patterns: Iterable[tuple[Pattern, T]]) -> None:
        ending: dict[str, _Ending[T]] = defaultdict(_Ending)
        for number, (pattern, what) in enumerate(patterns):
            for stem in pattern[-1]:
                ending[stem].add(number, pattern[:-1], what)
        self._ending: Mapping[str, _Ending[T]] = dict(ending)
        self._beginnings = frozenset(stem[:length] for stem in self._ending for length in range(1, len(stem) + 1))
        befores = [before for one in self._ending.values() for _, before, _ in one.longer()]
        self._nouns = frozenset(noun for before in befores for word in before for noun in word)
        self._longest = max(map(len, self._nouns), default=0)
        self._said = lru_cache(maxsize=_WORDS_KEPT)(self._nouns_of)

    def find(self, words: Sequence[str]) -> list[Span[T]]:
        """Every pattern in a text, but none whose last word belongs to one of more words."""
        text = _Text(words, [self._said(word) for word in words])
        found = [span for place in range(len(words)) for span in self._ending_at(text, place)]
        most = dict[int, int]()
        for one in found:
            for at in one.at:
                most[at] = max(most.get(at, 0), len(one.at))
        return [one for one in found if len(one.at) >= most[one.at[-1]]]

    def _nouns_of(self, word: str) -> frozenset[str]:
        """The nouns that a word is: with a particle, at the end of a compound, or with an English ending."""
        if word.isascii():
            return self._nouns.intersection(english_stems(word))
        bare = bare_forms(word)
        ends = (one[-length:] for one in bare for length in range(2, min(len(one), self._longest) + 1))
        return self._nouns.intersection((*bare, *ends))

    def _ending_at(self, text: "_Text", place: int) -> Iterator[Span[T]]:
        word = text.words[place]
        if word.isascii():
            for stem in english_stems(word):
                if ending := self._ending.get(stem):
                    yield from _english(text, place, ending)
            return
        for start in range(len(word)):
            for end in range(start + 1, len(word) + 1):
                stem = word[start:end]
                if stem not in self._beginnings:
                    break
                if ending := self._ending.get(stem):
                    yield from self._korean(text, place, start, end, ending)

    def _korean(self, text: "_Text", place: int, start: int, end: int, ending: "_Ending[T]") -> Iterator[Span[T]]:
        """The patterns whose last stem stands there in a Korean word, perhaps joined to the noun before it."""
        word = text.words[place]
        rest, head = word[end:], word[:start]
        alone = not head or head in _SHORT_DENIALS
        # A stem of one letter begins too many other words.
        if alone and (end - start > 1 or not rest):
            yield from (Span(what, (place,), rest, head) for what in ending.alone)
        if not ending.by_noun:
            return
        joined = self._said(head[-_LONGEST_NOUN:]) if head else frozenset[str]()
        for before, what in ending.after(joined | text.near(place) if alone else joined):
            noun_joined = not joined.isdisjoint(before[-1])
            if (at := text.placed(place, before[:-1] if noun_joined else before)) is not None:
                yield Span(what, (*at, place, place), rest) if noun_joined else Span(what, (*at, place), rest, head)


@dataclass(slots=True)
class _Ending(Generic[T]):
    """The patterns that end with a stem.

    Attributes:
        alone: What those belong to that are nothing but the stem.
        by_noun: The others, by each noun that may stand before the stem, with their numbers among all patterns.
    """

    alone: list[T] = field(default_factory=list)
    by_noun: dict[str, list[tuple[int, Nouns, T]]] = field(default_factory=dict)

    def add(self, number: int, before: Nouns, what: T) -> None:
        """Takes a pattern: the nouns before its stem, and what it belongs to."""
        if not before:
            self.alone.append(what)
        for noun in before[-1] if before else ():
            self.by_noun.setdefault(noun, []).append((number, before, what))

    def longer(self) -> Iterator[tuple[int, Nouns, T]]:
        """All patterns of several words."""
        yield from (one for group in self.by_noun.values() for one in group)

    def after(self, nouns: Iterable[str]) -> Iterator[tuple[Nouns, T]]:
        """The patterns that one of these nouns may stand before, in their order, each once."""
        found = {one[0]: one for noun in nouns for one in self.by_noun.get(noun, ())}
        yield from (found[number][1:] for number in sorted(found))


@dataclass(frozen=True, slots=True)
class _Text:
    """A text's words, and of each the nouns that patterns know it as."""

    words: Sequence[str]
    nouns: Sequence[frozenset[str]]

    def near(self, place: int) -> frozenset[str]:
        """The nouns so close before a place that they may belong to a stem there."""
        return frozenset[str]().union(*self.nouns[max(place - 1 - _GAP, 0) : place])

    def placed(self, place: int, before: Nouns) -> tuple[int, ...] | None:
        """Where nouns stand before a place, the nearest of each; None if one is missing."""
        found: list[int] = []
        for alternatives in reversed(before):
            for at in range(place - 1, max(place - 2 - _GAP, -1), -1):
                if self.words[at] == STOP:
                    return None
                if not self.nouns[at].isdisjoint(alternatives):
                    place = at
                    found.append(at)
                    break
            else:
                return None
        return tuple(reversed(found))


def _english(text: _Text, place: int, ending: _Ending[T]) -> Iterator[Span[T]]:
    yield from (Span(what, (place,)) for what in ending.alone)
    for before, what in ending.after(text.near(place)):
        if (at := text.placed(place, before)) is not None:
            yield Span(what, (*at, place))


@lru_cache(maxsize=4096)
def english_stems(word: str) -> tuple[str, ...]:
    """What an English word may be a form of, itself included."""
    stems = [word.removesuffix(ending) for ending in _ENDINGS if word.endswith(ending)]
    stems += [f"{word[:-3]}y"] if word.endswith("ies") else []
    doubled = [stem[:-1] for stem in stems if len(stem) > _SHORTEST and stem[-1] == stem[-2]]
    return tuple(dict.fromkeys([word, *(stem for stem in (*stems, *doubled) if len(stem) >= _SHORTEST)]))
