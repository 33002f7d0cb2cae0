"""Items by what people call them.

A question such as "우유갑은 어디에 버려요?" is cut into what may be names (`phrases`), and each is looked for among the
names and synonyms of the taxonomy. A score says how it was found:

    the very name                1.0          "페트병", "PET", "milk cartons"
    part of a name, or around it 0.70–0.95    by how much of it: "투명 페트", "깨끗한 생수병"
    initial consonants           0.80–0.90    "ㅍㅌㅂ"
    spelt otherwise              0.60–0.85    letter by letter, so that 스티로폼 and 스치로품 differ in two of ten

times the share of the question that the name takes up. The index is built once per edition of the rule book.
"""

import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from rapidfuzz import process
from rapidfuzz.distance import OSA

from mesh.locale import Locale
from rules_svc.phrases import LONGEST, Phrase, folded, phrases, singular
from rules_svc.taxonomy import Node, Path, Taxonomy

# Below this a match is a guess that would lead somebody to the wrong bin.
_LEAST = 0.6
# What is so much worse than the best isn't worth showing beside it.
_BEHIND_BEST = 0.25
# From here on nobody asks how else it might be spelt.
_SURE = 0.85
_FUZZY_PHRASES = 3


@dataclass(frozen=True, slots=True)
class Name:
    """One name of one category.

    Attributes:
        text: As it is written in the taxonomy.
        path: The category.
        squeezed: Its letters without spaces.
        words: Its words, English ones in the singular.
    """

    text: str
    path: Path
    squeezed: str
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """A category that a question means.

    Attributes:
        path: The category.
        matched: The name that matched.
        score: How well, from 0 to 1.
    """

    path: Path
    matched: str
    score: float


class ItemIndex:
    """Every name of every category, ready to be searched.

    Args:
        names: All of them, in the taxonomy's order.
    """

    def __init__(self, names: Sequence[Name]) -> None:
        self._names = tuple(names)
        self._exact = _grouped((name.squeezed, name) for name in names)
        self._initials = _grouped((initials(name.squeezed), name) for name in names if not name.squeezed.isascii())
        self._english = _grouped((word, name) for name in names for word in name.words if word.isascii())
        self._letters = [letters(name.squeezed) for name in names]
        # All names in one text: finding what holds a phrase is then one search in C.
        self._joined = "".join(f"{name.squeezed}\n" for name in names)
        self._starts = _starts(names)

    @classmethod
    def of(cls, taxonomy: Taxonomy) -> Self:
        """The index of a taxonomy."""
        return cls([name for node in taxonomy for name in _names(node)])

    def search(self, question: str, limit: int) -> list[Found]:
        """The categories a question may mean, best first; none rather than a far-fetched one.

        Args:
            question: What somebody typed, in either language.
            limit: How many at most.
        """
        best: dict[Path, Found] = {}
        asked = phrases(question)
        for phrase in asked:
            _keep(best, self._as_written(phrase))
        if max((found.score for found in best.values()), default=0.0) < _SURE:
            for phrase in asked[:_FUZZY_PHRASES]:
                _keep(best, self._spelt_otherwise(phrase))
        # Of two that are as good the narrower one says more.
        ranked = sorted(best.values(), key=lambda found: (-found.score, -len(found.path)))
        least = max(_LEAST, ranked[0].score - _BEHIND_BEST) if ranked else _LEAST
        return [found for found in ranked[:limit] if found.score >= least]

    def _as_written(self, phrase: Phrase) -> Iterator[Found]:
        asked, weight = phrase.squeezed, phrase.weight
        for name in self._exact.get(asked, ()):
            yield _found(name, weight)
        if all("\u1100" <= letter <= "\u1112" for letter in asked):
            yield from self._by_initials(asked, weight)
        elif asked.isascii():
            yield from self._in_english(phrase)
        else:
            yield from self._in_korean(asked, weight)

    def _in_korean(self, asked: str, weight: float) -> Iterator[Found]:
        """Names that hold the phrase, and names within it."""
        if len(asked) >= 2:
            for name in self._holding(asked):
                yield _found(name, weight * _part(len(asked), len(name.squeezed)))
        # At either end only: 면봉 in the middle of 라면봉지 is no cotton bud.
        for length in range(2, len(asked)):
            for name in self._exact.get(asked[-length:], ()):
                yield _found(name, weight * _part(length, len(asked)))
            for name in self._exact.get(asked[:length], ()):
                yield _found(name, weight * (_part(length, len(asked)) - 0.02))

    def _holding(self, asked: str) -> Iterator[Name]:
        at = self._joined.find(asked)
        while at >= 0:
            yield self._names[self._starts[at]]
            at = self._joined.find(asked, self._joined.index("\n", at))

    def _in_english(self, phrase: Phrase) -> Iterator[Found]:
        """Names that share all words of the phrase, or all of whose words are in it."""
        asked = set(phrase.words)
        for name in {name for word in asked for name in self._english.get(word, ())}:
            theirs = set(name.words)
            if asked <= theirs or theirs <= asked:
                shares = sorted((len(asked), len(theirs)))
                yield _found(name, phrase.weight * _part(*shares))

    def _by_initials(self, asked: str, weight: float) -> Iterator[Found]:
        if len(asked) < 2:
            return
        for first, names in self._initials.items():
            if first == asked or (len(asked) >= 3 and first.startswith(asked)):
                for name in names:
                    whole = len(name.squeezed) == len(asked)
                    yield _found(name, weight * (0.9 if whole else 0.8))

    def _spelt_otherwise(self, phrase: Phrase) -> Iterator[Found]:
        asked = letters(phrase.squeezed)
        if len(asked) < 5:
            return
        least = (0.7 if asked.isascii() else 0.75) if len(asked) >= 7 else 0.8
        scorer = OSA.normalized_similarity
        for _, similarity, number in process.extract(asked, self._letters, scorer=scorer, score_cutoff=least, limit=10):
            yield _found(self._names[number], phrase.weight * (similarity - 0.1))


def letters(text: str) -> str:
    """Korean syllables as their letters; a final consonant is the same letter as an initial one."""
    return unicodedata.normalize("NFD", text).translate(_FINAL_AS_INITIAL)


def initials(text: str) -> str:
    """The first letter of each Korean syllable."""
    return "".join(unicodedata.normalize("NFD", letter)[0] for letter in text if "가" <= letter <= "힣")


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


def _names(node: Node) -> Iterator[Name]:
    """A category's names: what people read, its key and the key's parts, synonyms; each once."""
    texts = [node.name.ko, node.path[-1], *node.path[-1].split("·"), node.name.en]
    texts += [synonym for locale in Locale for synonym in node.synonyms[locale]]
    seen = set[str]()
    for text in texts:
        words = tuple(singular(word) for word in folded(text).split())
        squeezed = "".join(words)[:LONGEST]
        if squeezed and squeezed not in seen:
            seen.add(squeezed)
            yield Name(text, node.path, squeezed, words)


def _starts(names: Sequence[Name]) -> list[int]:
    """For each place in the joined text, the number of the name that stands there."""
    return [number for number, name in enumerate(names) for _ in range(len(name.squeezed) + 1)]


def _grouped(pairs: Iterator[tuple[str, Name]]) -> Mapping[str, Sequence[Name]]:
    groups: dict[str, list[Name]] = defaultdict(list)
    for key, name in pairs:
        groups[key].append(name)
    return dict(groups)


def _part(shorter: int, longer: int) -> float:
    return 0.7 + 0.25 * shorter / longer


def _found(name: Name, score: float) -> Found:
    return Found(name.path, name.text, min(score, 1.0))


def _keep(best: dict[Path, Found], found: Iterator[Found]) -> None:
    for one in found:
        if one.path not in best or one.score > best[one.path].score:
            best[one.path] = one
