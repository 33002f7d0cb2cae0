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
from typing import Generic, TypeAlias, TypeVar

from msgspec import Struct

from rules_svc.search.phrases import MOST_LETTERS, plain
from rules_svc.search.question_words import bare_forms

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
_WORDS_KEPT = 8192  # words of which is known what patterns make of them
_SHORT_DENIALS = ("안", "못")
_NO_NOUNS = frozenset[str]()


class Span(Struct, Generic[T], frozen=True):
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
    if "'" in said or "cannot" in said:
        for short, spelt_out in _CONTRACTED:
            said = short.sub(spelt_out, said)
    words = list[str]()
    for token in said.split():
        words += _words_of(token) if len(token) <= _LONGEST_WORD else _words_in(token)
        if len(words) >= _MOST_WORDS:
            break
    return tuple(words[:_MOST_WORDS])


def _words_in(token: str) -> tuple[str, ...]:
    """The words in what stands between blanks, and `STOP` between clauses."""
    return tuple(word[:_LONGEST_WORD] if word[0].isalnum() else STOP for word in _WORD.findall(token))


_words_of = lru_cache(maxsize=_WORDS_KEPT)(_words_in)


def pattern_of(text: str) -> Pattern:
    """A pattern as the files write it."""
    return tuple(tuple(word.split("|")) for word in plain(text).split())


class Wordings(Generic[T]):
    """Many patterns, each for something, looked for at once.

    What patterns make of a word by itself is found once: the nouns that it may be, and the stems that it may end a
    pattern with. People share most of their words, so what is left for a text is to bring nouns and stems together.

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
        self._known = lru_cache(maxsize=_WORDS_KEPT)(self._word)

    def find(self, words: Sequence[str]) -> list[Span[T]]:
        """Every pattern in a text, but none whose last word belongs to one of more words."""
        known = [self._known(word) for word in words]
        text, found = _Text(words, [word.nouns for word in known]), list[Span[T]]()
        for place, (word, near) in enumerate(zip(known, text.near(), strict=True)):
            for stem in word.stems:
                found += [Span(what, (place,), stem.rest, stem.head) for what in stem.alone]
                if stem.longer and (patterns := stem.longer.after(stem.nouns(near))):
                    found += text.longer(place, stem, patterns)
        most = dict[int, int]()
        for one in found:
            for at in one.at:
                most[at] = max(most.get(at, 0), len(one.at))
        return [one for one in found if len(one.at) >= most[one.at[-1]]]

    def _word(self, word: str) -> "_Word[T]":
        stems = self._in_english(word) if word.isascii() else self._in_korean(word)
        return _Word(self._nouns_of(word), tuple(one for one in stems if one.alone or one.longer))

    def _nouns_of(self, word: str) -> frozenset[str]:
        """The nouns that a word is: with a particle, at the end of a compound, or with an English ending."""
        if word.isascii():
            return self._nouns.intersection(english_stems(word))
        bare = bare_forms(word)
        ends = (one[-length:] for one in bare for length in range(2, min(len(one), self._longest) + 1))
        return self._nouns.intersection((*bare, *ends))

    def _in_english(self, word: str) -> Iterator["_Stem[T]"]:
        for stem in english_stems(word):
            if ending := self._ending.get(stem):
                yield _Stem("", "", tuple(ending.alone), ending if ending.by_noun else None)

    def _in_korean(self, word: str) -> Iterator["_Stem[T]"]:
        for start in range(len(word)):
            for end in range(start + 1, len(word) + 1):
                stem = word[start:end]
                if stem not in self._beginnings:
                    break
                if ending := self._ending.get(stem):
                    yield self._stem(word, start, end, ending)

    def _stem(self, word: str, start: int, end: int, ending: "_Ending[T]") -> "_Stem[T]":
        """A stem in a Korean word, perhaps joined to the noun before it."""
        rest, head = word[end:], word[:start]
        by_itself = not head or head in _SHORT_DENIALS
        joined = self._nouns_of(head[-_LONGEST_NOUN:]) if head and ending.by_noun else _NO_NOUNS
        joined = joined.intersection(ending.by_noun)
        # A stem of one letter begins too many other words.
        alone = tuple(ending.alone) if by_itself and (end - start > 1 or not rest) else ()
        longer = ending if joined or (by_itself and ending.by_noun) else None
        return _Stem(rest, head, alone, longer, joined, by_itself=by_itself)


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

    def after(self, nouns: frozenset[str]) -> Sequence[tuple[int, Nouns, T]]:
        """The patterns that one of these nouns may stand before, in their order, each once."""
        if not nouns or self.by_noun.keys().isdisjoint(nouns):
            return ()
        found = {one[0]: one for noun in nouns for one in self.by_noun.get(noun, ())}
        return [found[number] for number in sorted(found)]


@dataclass(frozen=True, slots=True)
class _Stem(Generic[T]):
    """A stem in a word.

    Attributes:
        rest: What follows it in the word.
        head: What stands before it in the word.
        alone: What the patterns belong to that it is the whole of.
        longer: The patterns of several words that it may end; None if there are none.
        joined: The nouns right before it in its word.
        by_itself: Whether such nouns may also be words of their own before it.
    """

    rest: str
    head: str
    alone: tuple[T, ...]
    longer: _Ending[T] | None
    joined: frozenset[str] = _NO_NOUNS
    by_itself: bool = True

    def nouns(self, near: frozenset[str]) -> frozenset[str]:
        """The nouns that may stand before it, if these are near."""
        if not self.by_itself:
            return self.joined
        return self.joined | near if self.joined else near


@dataclass(frozen=True, slots=True)
class _Word(Generic[T]):
    """What patterns make of a word: the nouns that it may be, and the stems in it."""

    nouns: frozenset[str]
    stems: tuple[_Stem[T], ...]


@dataclass(frozen=True, slots=True)
class _Text:
    """A text's words, and of each the nouns that patterns know it as."""

    words: Sequence[str]
    nouns: Sequence[frozenset[str]]

    def near(self) -> list[frozenset[str]]:
        """Of each word the nouns so close before it that they may belong to a stem there."""
        found = [_NO_NOUNS] * len(self.words)
        for place, nouns in enumerate(self.nouns):
            if nouns:
                for behind in range(place + 1, min(place + 2 + _GAP, len(found))):
                    found[behind] |= nouns
        return found

    def longer(self, place: int, stem: _Stem[T], patterns: Iterable[tuple[int, Nouns, T]]) -> Iterator[Span[T]]:
        """Those of the patterns whose nouns stand before a stem at a place."""
        for _, before, what in patterns:
            joined = not stem.joined.isdisjoint(before[-1])
            if (at := self.placed(place, before[:-1] if joined else before)) is None:
                continue
            yield (
                Span(what, (*at, place, place), stem.rest) if joined else Span(what, (*at, place), stem.rest, stem.head)
            )

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


@lru_cache(maxsize=4096)
def english_stems(word: str) -> tuple[str, ...]:
    """What an English word may be a form of, itself included."""
    stems = [word.removesuffix(ending) for ending in _ENDINGS if word.endswith(ending)]
    stems += [f"{word[:-3]}y"] if word.endswith("ies") else []
    doubled = [stem[:-1] for stem in stems if len(stem) > _SHORTEST and stem[-1] == stem[-2]]
    return tuple(dict.fromkeys([word, *(stem for stem in (*stems, *doubled) if len(stem) >= _SHORTEST)]))
