"""How names are spelt: which hold a text, which are spelt much like it.

Both questions are first put to an index of trigrams, so that only the few names that may be meant are looked at one by
one. A Korean syllable counts as its letters, since a slip of the finger changes one of them.
"""

import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from rapidfuzz import process
from rapidfuzz.distance import OSA

_FEWEST_LETTERS = 5  # of a text that may be misspelt: fewer resemble too much
_MOST_SIMILAR = 10
_EDGE = "\n"  # before and behind each name, so that its first and last letters have trigrams of their own


class Spellings:
    """Names by their trigrams.

    Args:
        names: As they are compared, without spaces. Results are numbers of theirs.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self._names = names
        self._letters = [letters(name) for name in names]
        holders = defaultdict[str, list[int]](list)
        for number, spelt in enumerate(self._letters):
            for trigram in set(_trigrams(f"{_EDGE}{spelt}{_EDGE}")):
                holders[trigram].append(number)
        self._holders: Mapping[str, Sequence[int]] = dict(holders)

    def holding(self, text: str) -> Iterator[int]:
        """The names that the text is a part of, in their order; none if the text has less than three letters."""
        rarest = min((self._holders.get(trigram, ()) for trigram in _trigrams(letters(text))), key=len, default=())
        return (number for number in rarest if text in self._names[number])

    def similar(self, text: str) -> list[tuple[int, float]]:
        """The names spelt most like the text, with their similarity up to 1.

        A changed letter spoils three trigrams at most. Less than a third of the letters may differ, so whatever is
        similar shares a trigram.
        """
        asked = letters(text)
        if len(asked) < _FEWEST_LETTERS:
            return []
        least = (0.7 if asked.isascii() else 0.75) if len(asked) >= 7 else 0.8
        shared = (self._holders.get(trigram, ()) for trigram in _trigrams(f"{_EDGE}{asked}{_EDGE}"))
        fewest, most = len(asked) * least, len(asked) / least
        near = {
            number: spelt
            for number in sorted(set[int]().union(*shared))
            if fewest <= len(spelt := self._letters[number]) <= most
        }
        scorer = OSA.normalized_similarity
        found = process.extract(asked, near, scorer=scorer, score_cutoff=least, limit=_MOST_SIMILAR)
        return [(number, similarity) for _, similarity, number in found]


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
