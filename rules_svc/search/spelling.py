"""How names are spelt: which hold a text, which are spelt much like it.

Both questions are first put to an index of trigrams, so that only the few names that may be meant are looked at one by
one. A Korean syllable counts as its letters, since a slip of the finger changes one of them.
"""

import unicodedata
from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain

from rapidfuzz import process
from rapidfuzz.distance import OSA

_FEWEST_LETTERS = 5  # of a text that may be misspelt: fewer resemble too much
_MOST_SIMILAR = 10
MOST_COMPARED = 100  # names, of which one may be meant by a misspelt text
_MOST_HOLDERS = 600
_EDGE = "\n"  # before and behind each name, so that its first and last letters have trigrams of their own


class Spellings:
    """Names by their trigrams.

    Args:
        names: As they are compared, without spaces. Results are numbers of theirs.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self._names = names
        self._letters = [letters(name) for name in names]
        self._lengths = [len(spelt) for spelt in self._letters]
        holders = defaultdict[str, list[int]](list)
        for number, spelt in enumerate(self._letters):
            for trigram in set(_trigrams(f"{_EDGE}{spelt}{_EDGE}")):
                holders[trigram].append(number)
        self._holders: Mapping[str, Sequence[int]] = dict(holders)

    def holding(self, text: str) -> Iterator[int]:
        """The names that the text is a part of, in their order; none if the text has less than three letters."""
        found = list[Sequence[int]]()
        for trigram in _trigrams(letters(text)):
            if trigram not in self._holders:
                return iter(())
            found.append(self._holders[trigram])
        return (number for number in min(found, key=len, default=()) if text in self._names[number])

    def similar(self, text: str) -> list[tuple[int, float]]:
        """The names spelt most like the text, with their similarity up to 1.

        A changed letter spoils three trigrams at most. Less than a third of the letters may differ, so whatever is
        similar shares a trigram. Of many names with one, those are compared that share the most.
        """
        asked = letters(text)
        if len(asked) < _FEWEST_LETTERS:
            return []
        least = (0.7 if asked.isascii() else 0.75) if len(asked) >= 7 else 0.8
        near = self.near(asked, least)
        scorer = OSA.normalized_similarity
        spelt = [self._letters[number] for number in near]
        found = process.extract(asked, spelt, scorer=scorer, score_cutoff=least, limit=_MOST_SIMILAR)
        return sorted(((near[at], similarity) for _, similarity, at in found), key=lambda one: (-one[1], one[0]))

    def near(self, asked: str, least: float) -> list[int]:
        """Names worth comparing with these letters: at most `MOST_COMPARED`, those that share most trigrams first.

        Trigrams that few names have tell most, so they are looked up first, and common ones no longer once
        `_MOST_HOLDERS` names have been read.
        """
        holders = (self._holders.get(trigram, ()) for trigram in set(_trigrams(f"{_EDGE}{asked}{_EDGE}")))
        read, left = list[Sequence[int]](), _MOST_HOLDERS
        for one in sorted(holders, key=len):
            if len(one) <= left:
                read.append(one)
            left -= len(one)
        shared = Counter(chain.from_iterable(read))
        fewest, most = len(asked) * least, len(asked) / least
        fitting = [(-count, number) for number, count in shared.items() if fewest <= self._lengths[number] <= most]
        return [number for _, number in sorted(fitting)[:MOST_COMPARED]]


class Endings:
    """Texts by what they end with.

    Args:
        texts: All of them. Results are numbers of theirs.
    """

    def __init__(self, texts: Sequence[str]) -> None:
        backwards = sorted((text[::-1], number) for number, text in enumerate(texts))
        self._backwards = [text for text, _ in backwards]
        self._numbers = [number for _, number in backwards]

    def ending(self, text: str) -> list[int]:
        """Those that end with a text, in their order."""
        end = text[::-1]
        first = bisect_left(self._backwards, end)
        last = bisect_right(self._backwards, f"{end}\U0010ffff", first)
        return sorted(self._numbers[first:last])


def letters(text: str) -> str:
    """Korean syllables as their letters; a final consonant is the same letter as an initial one."""
    return unicodedata.normalize("NFD", text).translate(_FINAL_AS_INITIAL)


def initials(text: str) -> str:
    """The first letter of each Korean syllable."""
    return "".join(unicodedata.normalize("NFD", letter)[0] for letter in text if "가" <= letter <= "힣")


def _trigrams(text: str) -> list[str]:
    return [text[start : start + 3] for start in range(len(text) - 2)]


def _finals() -> Mapping[int, int]:
    table = {}
    for final in range(0x11A8, 0x11C3):
        try:
            initial = unicodedata.lookup(unicodedata.name(chr(final)).replace("JONGSEONG", "CHOSEONG"))
        except KeyError:  # a cluster such as ㄳ starts no syllable
            continue
        table[final] = ord(initial)
    return table


_FINAL_AS_INITIAL = _finals()
