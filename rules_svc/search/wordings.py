"""Patterns of words: how people say that a thing is in some state, whatever stands around and between the words.

A pattern is written as words with blanks between, "|" parting alternatives: `기름|양념 묻|밴` finds "기름이 많이 묻은",
`label on|attached` finds "the labels are still on it". The last Korean word is a stem, which any ending may follow;
those before it are nouns, which particles may follow. English words are found with their usual endings.
"""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import Generic, TypeAlias, TypeVar

from rules_svc.search.phrases import bare_forms

Pattern: TypeAlias = tuple[tuple[str, ...], ...]
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
    plain = unicodedata.normalize("NFKC", text).casefold().replace("’", "'")
    for short, spelt_out in _CONTRACTED:
        plain = short.sub(spelt_out, plain)
    words = (found[0] for found in islice(_WORD.finditer(plain), _MOST_WORDS))
    return tuple(word[:_LONGEST_WORD] if word[0].isalnum() else STOP for word in words)


def pattern_of(text: str) -> Pattern:
    """A pattern as the files write it."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return tuple(tuple(word.split("|")) for word in folded.split())


class Wordings(Generic[T]):
    """Many patterns, each for something, looked for at once.

    Args:
        patterns: Each pattern with what it belongs to.
    """

    def __init__(self, patterns: Iterable[tuple[Pattern, T]]) -> None:
        last: dict[str, list[tuple[Pattern, T]]] = defaultdict(list)
        for pattern, what in patterns:
            for word in pattern[-1]:
                last[word].append((pattern[:-1], what))
        self._last: Mapping[str, Sequence[tuple[Pattern, T]]] = dict(last)
        self._longest = max(map(len, self._last), default=0)

    def find(self, words: Sequence[str]) -> list[Span[T]]:
        """Every pattern in a text, but none whose last word belongs to one of more words."""
        found = [span for place, word in enumerate(words) for span in self._ending_at(words, place, word)]
        return [
            one for one in found if not any(len(other.at) > len(one.at) and one.at[-1] in other.at for other in found)
        ]

    def _ending_at(self, words: Sequence[str], place: int, word: str) -> Iterator[Span[T]]:
        if word.isascii():
            for stem in english_stems(word):
                for before, what in self._last.get(stem, ()):
                    if (at := _placed(words, place, before)) is not None:
                        yield Span(what, (*at, place))
            return
        for start in range(len(word)):
            for length in range(1, min(self._longest, len(word) - start) + 1):
                for before, what in self._last.get(word[start : start + length], ()):
                    yield from _korean(words, place, start, length, before, what)


def _korean(words: Sequence[str], place: int, start: int, length: int, before: Pattern, what: T) -> Iterator[Span[T]]:
    """The pattern if its last stem stands there in a Korean word, perhaps joined to the noun before it."""
    word = words[place]
    rest, head = word[start + length :], word[:start]
    if not before:
        # A stem of one letter begins too many other words.
        if (not head or head in _SHORT_DENIALS) and (length > 1 or not rest):
            yield Span(what, (place,), rest, head)
        return
    noun_joined = bool(head) and is_noun(head, before[-1])
    if head and not noun_joined and head not in _SHORT_DENIALS:
        return
    if (at := _placed(words, place, before[:-1] if noun_joined else before)) is not None:
        yield Span(what, (*at, place, place), rest) if noun_joined else Span(what, (*at, place), rest, head)


def _placed(words: Sequence[str], place: int, pattern: Pattern) -> tuple[int, ...] | None:
    """Where the words of a pattern stand before a place, the nearest of each; None if one is missing."""
    found: list[int] = []
    for alternatives in reversed(pattern):
        for at in range(place - 1, max(place - 2 - _GAP, -1), -1):
            if words[at] == STOP:
                return None
            if is_noun(words[at], alternatives):
                place = at
                found.append(at)
                break
        else:
            return None
    return tuple(reversed(found))


def is_noun(word: str, alternatives: Sequence[str]) -> bool:
    """Whether a word is one of these: with a particle, at the end of a compound, or with an English ending."""
    if word.isascii():
        return any(stem in alternatives for stem in english_stems(word))
    bare = bare_forms(word)
    return any(
        one == alternative or (len(alternative) > 1 and one.endswith(alternative))
        for one in bare
        for alternative in alternatives
    )


@lru_cache(maxsize=4096)
def english_stems(word: str) -> tuple[str, ...]:
    """What an English word may be a form of, itself included."""
    stems = [word.removesuffix(ending) for ending in _ENDINGS if word.endswith(ending)]
    doubled = [stem[:-1] for stem in stems if len(stem) > _SHORTEST and stem[-1] == stem[-2]]
    return tuple(dict.fromkeys([word, *(stem for stem in (*stems, *doubled) if len(stem) >= _SHORTEST)]))
