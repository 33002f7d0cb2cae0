"""The parts of a question that may be the name of a thing, without particles and surrounding words."""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate, islice, takewhile

from msgspec import Struct

from rules_svc.search.question_words import is_around, is_predicate, is_topic, last_forms, singular

_WORD = re.compile(r"[0-9a-z\u1100-\u11ff가-힣]+")
# Who adds what became of it: "a yogurt cup, I rinsed it".
_ADDED = re.compile(r"[,.;!?]\s*(?:(?:and|but|so|because)\s+)?(?:i|it|we|they)\b", re.IGNORECASE)
_ASKING = re.compile(r"\b(?:can|could|may) (?:i|you|we)\b|\bgets? rid of\b|\bthrow(?:n|ing)? (?:away|out)\b")
_ASKING_WITH = ("can ", "could ", "may ", " rid of", "throw")  # one of them is in whatever matches
# Brackets behind a name hold its kind: 수납장(플라스틱).
_IN_BRACKETS = re.compile(r"(?<!\S)(\S+)\s*[(（]([^()（）]*)[)）]")
_MOST_WORDS = 8
_ENOUGH_LETTERS = 120  # at the beginning of a long question, mostly
_CUT_WORDS = 8
_MOST_IN_A_ROW = 4  # few names have more words
_FOR = frozenset(["for", "with"])
# Letters of a name that count.
LONGEST = 30
MOST_LETTERS = 500
"""Of a longer text only the beginning is read, so that reading takes bounded time."""
# What is there without being seen; some keyboards and web pages put it between letters.
_UNSEEN = re.compile(
    r"[\u00ad\u034f\u115f\u1160\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u3164\ufe00-\ufe0f\ufeff\uffa0]"
)


class Phrase(Struct, frozen=True):
    """A part of the question that may be a name.

    Attributes:
        squeezed: Its letters without spaces.
        words: Its words.
        weight: How much of the question it stands for, up to 1.
        heads: Whether it ends with what the question is about: the last noun, or the marked topic.
        before: The words before it, separated by spaces.
    """

    squeezed: str
    words: tuple[str, ...]
    weight: float
    heads: bool = True
    before: str = ""

    def without(self, length: int) -> tuple[str, str]:
        """The words before the phrase's last letters, and what these are joined to; empty if a word begins there."""
        words = [*self.before.split(), *self.words]
        while words and length >= len(words[-1]):
            length -= len(words.pop())
        joined = words.pop()[:-length] if words and length else ""
        return " ".join(words), joined


def folded(text: str) -> str:
    """Letters as they are compared: one form of each, lower case, nothing but letters, digits and single spaces."""
    return " ".join(_WORD.findall(plain(text)))


def plain(text: str) -> str:
    """A text in one form of each letter (NFKC), lower case, without what can't be seen."""
    if text.isascii():
        return text.lower()
    return unicodedata.normalize("NFKC", _UNSEEN.sub("", text)).casefold()


def phrases(question: str) -> list[Phrase]:
    """What may be names in a question, the largest part first; none twice.

    Of a long question only the first eight words are looked at that may name something, and of these no more than four
    in a row, or all of them.
    """
    question = question[:MOST_LETTERS]
    begun = _beginning(question)
    return (_in_full(begun, of_longer=True) if begun else None) or _in_full(question) or []


def _beginning(question: str) -> str:
    """So much of a long question as mostly holds what is looked at; empty if it is short, or cut within brackets."""
    begun = question[: question.rfind(" ", 0, _ENOUGH_LETTERS) + 1] if len(question) > 2 * _ENOUGH_LETTERS else ""
    return "" if max(map(begun.rfind, "(（")) > max(map(begun.rfind, ")）")) else begun


def _in_full(question: str, *, of_longer: bool = False) -> list[Phrase] | None:
    """The parts of a whole question; None if what is only its beginning doesn't hold all of them."""
    named, text = _named_first(question), folded(question)
    every = text.split()
    said = _without_asking(text if named == question else folded(named)).split()
    # Where a question is cut, the last words may be others.
    left = list(islice(_naming(said[:-_CUT_WORDS] if of_longer else said), _MOST_WORDS))
    if of_longer and len(left) < _MOST_WORDS:
        return None
    found: dict[str, Phrase] = {}
    # The question's exact words weigh a little more than those left after removing some.
    share = 1.0 if left == every else 0.995
    if whole := every[:_MOST_WORDS]:
        heads = left == every and _head(every) == len(every)
        _add(_Words(whole), 0, len(whole), 1.0, heads, found)
        _add_runs(_Words(left) if left else _Words(whole), share, _purpose(said, left), found)
    return sorted(found.values(), key=lambda phrase: -phrase.weight)


def _named_first(question: str) -> str:
    """A question without what it adds of the thing that it has named, and with what is in brackets before its noun."""
    question = _first_said(question)
    return _IN_BRACKETS.sub(r" \2 \1 ", question) if "(" in question or "（" in question else question


def _without_asking(text: str) -> str:
    return _ASKING.sub(" ", text) if any(word in text for word in _ASKING_WITH) else text


def _first_said(question: str) -> str:
    """A question without what it adds of the thing that it has named."""
    added = _ADDED.search(question)
    return question[: added.start()] if added and len(question[: added.start()].split()) > 1 else question


def _purpose(said: Sequence[str], left: Sequence[str]) -> int:
    """How many of the words that may name something stand before what it is for: a bag for meat is a bag; 0 if none."""
    if _FOR.isdisjoint(said):
        return 0
    before = list(islice(_naming(takewhile(lambda word: word not in _FOR, said)), len(left)))
    return len(before) if len(before) < len(left) else 0


def _naming(words: Iterable[str]) -> Iterator[str]:
    """The words that aren't among those around names. At the beginning 게 is a crab, behind others a thing."""
    return (word for number, word in enumerate(words) if not is_around(word) or (number == 0 and word == "게"))


class _Words:
    """Words of a question, with what is asked of them again and again.

    Args:
        words: As they were said.

    Attributes:
        words: The same.
        kept: English ones in the singular.
        lasts: Of each the forms that it may have as the last word of a name.
    """

    def __init__(self, words: Sequence[str]) -> None:
        self.words = words
        self.kept = tuple(map(singular, words))
        self.lasts = tuple(map(last_forms, words))
        self._begins = (0, *accumulate(map(len, self.kept)))
        self._joined = "".join(self.kept)

    def squeezed(self, start: int, end: int) -> str:
        """Some of them without spaces."""
        return self._joined[self._begins[start] : self._begins[end]]


def _add_runs(words: _Words, share: float, purpose: int, found: dict[str, Phrase]) -> None:
    """Words in a row, from all of them down to single ones."""
    many = len(words.words)
    head = purpose or _head(words.words)
    for length in (many, *range(min(many - 1, _MOST_IN_A_ROW), 0, -1)):
        for start in range(many - length + 1):
            heads = start + length == head
            weight = (0.85 + 0.15 * length / many - (0.0 if heads else 0.02)) * share
            _add(words, start, start + length, weight, heads, found)


def _add(words: _Words, start: int, end: int, weight: float, heads: bool, found: dict[str, Phrase]) -> None:
    """Some words as they are, and without the last one's particle, unless that was found before."""
    first = words.squeezed(start, end - 1)
    for number, last in enumerate(words.lasts[end - 1]):
        squeezed = (first + last)[:LONGEST]
        if squeezed not in found:
            kept = (*words.kept[start : end - 1], last)
            less = 0.99 if number else 1.0
            found[squeezed] = Phrase(squeezed, kept, weight * less, heads, " ".join(words.kept[:start]))


def _head(words: Sequence[str]) -> int:
    """How many words there are up to what is asked about.

    The topic, if one is marked (물티슈는 종이예요?), else the last noun: a phone charger is a charger.
    """
    topics = (number for number, word in enumerate(words, start=1) if is_topic(word))
    nouns = (number for number in range(len(words), 0, -1) if not is_predicate(words[number - 1]))
    return next(topics, next(nouns, len(words)))
