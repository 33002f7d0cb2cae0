"""Items by what people call them.

A question such as "우유갑은 어디에 버려요?" is cut into what may be names (`phrases`), and each is looked for among the
names of items and those of the taxonomy's categories. The last noun decides what a thing is (`compounds`), so a match
is sure only if

    it is the very name                          "페트병", "PET", "milk cartons"
    it is the name with words before it          "다 쓴 생수병", "wireless keyboard"
    its last noun says so of what stands before  "아보카도 씨", "crab shells"

and the name isn't of another material than the question says. What is part of a name, what has a name in another place
(a phone case is no phone), what is spelt otherwise, and initial consonants are offered, never asserted: their scores
stay below `SURE`. The index is built once per edition of the rule book.
"""

import itertools
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Self

from mesh.locale import Text
from rules_svc.rulebook.rulebook import Rulebook
from rules_svc.rulebook.taxonomy import Path
from rules_svc.search.alike import alike, bin_of
from rules_svc.search.compounds import Compounds, Material
from rules_svc.search.matches import SURE, UNSURE, Best, ItemMatch
from rules_svc.search.names import Name, all_names
from rules_svc.search.phrases import Phrase, phrases
from rules_svc.search.question_words import is_listed_quality, kinds
from rules_svc.search.spelling import Endings, Spellings, initials
from rules_svc.search.words import WordIndex

# Below this a match is a guess that would lead somebody to the wrong bin.
_LEAST = 0.6
# Matches that score so much less than the best one are left out.
_BEHIND_BEST = 0.25
_NEAR = 0.8  # with a candidate like this nothing that is spelt otherwise is looked for
# A name that makes up less than this of a Korean word ends it by chance: 도자기 in 보도자기.
_LEAST_OF_A_WORD = 0.3
_FUZZY_PHRASES = 3
_FUZZY_WORDS = 4
_FEW_WORDS = 2
_MOST_OF_A_WORD = (8, 24)  # English names looked at for one word of a question, and for one that is all of it
_ENDINGS_KEPT = 4096  # ends of names that were asked for, some 0.3 kB each
_WHOLE = 0.99  # weight of a phrase that is the whole question, perhaps without a particle
_LAST_NOUN = 0.97
_GUESS = 0.82  # by nothing but the material
# Names that end alike and go into the same bin, so that any other that ends so may be expected to.
_ENOUGH = 6
_ENOUGH_JOINED = 10
_ELSEWHERE = 0.06  # what a name counts less where it isn't what the phrase ends with

_BY_MATERIAL = Text(
    "이름으로는 찾지 못해 재질로 짐작했어요. 정확한 품목은 분리배출.kr에서 찾아보세요.",
    "Not known by name, so this is a guess by its material. Look the item up at 분리배출.kr.",
)


class ItemIndex:
    """Every name of every item and category, ready to be searched.

    Args:
        names: All of them, in the data's order.
        compounds: What last nouns and materials say.
        titles: What people read of each category, in the taxonomy's order.

    Attributes:
        names: All of them.
    """

    def __init__(self, names: Sequence[Name], compounds: Compounds, titles: Mapping[Path, str]) -> None:
        self.names = tuple(names)
        self._compounds = compounds
        self._titles = titles
        self._order = {path: number for number, path in enumerate(titles)}
        self._exact = _grouped((name.squeezed, name) for name in names)
        # Of the first two letters of names, and the last two, how long such names are at most: few pairs are any's.
        self._longest_beginning = _longest((name.squeezed[:2], name.squeezed) for name in names)
        self._longest_ending = _longest((name.squeezed[-2:], name.squeezed) for name in names)
        self._initials = _grouped((initials(name.squeezed), name) for name in names if not name.squeezed.isascii())
        self._first_letters = sorted(self._initials)
        self._english = WordIndex.of(names)
        self._alike = alike(names, self._exact)
        # By whether they are in English: neither language is a misspelling of the other.
        self._written = {
            english: [name for name in names if name.squeezed.isascii() == english] for english in (True, False)
        }
        squeezed = {english: [name.squeezed for name in written] for english, written in self._written.items()}
        self._spellings = {english: Spellings(of) for english, of in squeezed.items()}
        self._endings = Endings(squeezed[False])
        self._ending = lru_cache(maxsize=_ENDINGS_KEPT)(self._closest_ending)

    @classmethod
    def of(cls, book: Rulebook) -> Self:
        """The index of a rule book.

        Raises:
            ValueError: Two items share a name, or an item has the name of a category that isn't its own.
        """
        titles = {node.path: node.name.ko for node in book.taxonomy}
        return cls(all_names(book), book.taxonomy.compounds, titles)

    def search(self, question: str, limit: int) -> list[ItemMatch]:
        """The categories a question may mean, best first; empty if none scores high enough.

        Args:
            question: What somebody typed, in either language.
            limit: How many at most.
        """
        best, asked = Best(), phrases(question)
        for phrase in asked:
            self._as_written(phrase, best)
        if not best.scored(_NEAR):
            for phrase in asked[:_FUZZY_PHRASES]:
                if len(phrase.words) <= _FUZZY_WORDS:
                    self._spelt_otherwise(phrase, best)
        # Of equal scores the narrower category wins, then the longer name (주사 바늘 before 바늘), then the guide's
        # order, so that the result is deterministic.
        ranked = sorted(
            best.all(),
            key=lambda one: (-one.score, -len(one.path), -len(one.matched), self._order[one.path]),
        )
        least = max(_LEAST, ranked[0].score - _BEHIND_BEST) if ranked else _LEAST
        return [found for found in ranked[:limit] if found.score >= least]

    def _as_written(self, phrase: Phrase, best: Best) -> None:
        asked = phrase.squeezed
        materials = self._compounds.made_of(phrase) if phrase.heads else ()
        for name in self._exact.get(asked, ()):
            sure = (
                (phrase.heads or phrase.weight >= _WHOLE)
                and not self._of_another(materials, phrase, name)
                and self._tells(phrase.before, name)
            )
            best.name(name, phrase.weight if sure else self._likely(phrase, name, materials), sure=sure)
        if phrase.heads:
            self._by_last_noun(phrase, materials, best)
        if asked.isascii():
            self._in_english(phrase, materials, best)
        elif "\u1100" <= asked[0] <= "\u1112" and all("\u1100" <= letter <= "\u1112" for letter in asked):
            self._by_initials(asked, phrase.weight, best)
        else:
            self._in_korean(phrase, materials, best)

    def _likely(self, phrase: Phrase, name: Name, materials: Sequence[Material]) -> float:
        """The score of a name that isn't sure: less if the question is about something else, or of another material."""
        less = not (phrase.heads or phrase.weight >= _WHOLE) or self._of_another(materials, phrase, name)
        return min(phrase.weight, UNSURE) - (_ELSEWHERE if less else 0.0)

    def _of_another(self, materials: Sequence[Material], phrase: Phrase, name: Name) -> bool:
        """Whether the name is for things of another material than the phrase says; its own words don't count."""
        return (
            bool(materials)
            and bool(phrase.before or phrase.squeezed != name.squeezed)
            and self._compounds.conflict(materials, name.path)
        )

    def _tells(self, before: str, name: Name, *, joined: str = "") -> bool:
        """Whether a name says what a thing is although words stand before it, as the dictionary shows of other words.

        A "zip bag" is only offered as a bag, since a "shopping bag" is paper, and a 함석 양동이 only as a bucket, since
        few buckets are known; what a thing is like (old, 깨진) changes nothing. A name joined to what stands before it
        is more often a part of another word: 밴드 in 스마트밴드. A material that things so called are of
        makes no other kind, and a dangerous thing stays one, whatever stands before it.
        """
        enough = _ENOUGH_JOINED if joined else _ENOUGH
        if name.dangerous or self._alike.get(name.squeezed, 0) >= enough:
            return True
        if self._goes_elsewhere(before, name):
            return False
        others = (*kinds(before, self._exact), joined) if joined else kinds(before, self._exact)
        return all(self._compounds.agree(word, name.path) for word in others)

    def _goes_elsewhere(self, before: str, name: Name) -> bool:
        """Whether some name has the same word before the same noun, and goes into another bin: 기름 묻은 비닐."""
        *_, last = before.split() or [""]
        longer = f"{last}{name.squeezed}"
        if not last or last.isascii() or len(longer) > self._longest_ending.get(longer[-2:], 0):
            return False
        return any(bin_of(other.path) != bin_of(name.path) for other in self._ending(longer))

    def _by_last_noun(self, phrase: Phrase, materials: Sequence[Material], best: Best) -> None:
        likely = phrase.weight * _LAST_NOUN
        if compound := self._compounds.named(phrase):
            sure = not compound.perhaps and not self._compounds.conflict(materials, compound.to)
            score = max(SURE, likely) if sure else min(UNSURE, likely)
            best.add(ItemMatch(compound.to, self._titles[compound.to], score))
        # A material that conflicts with the name's category decides: a rubber boot, a plastic chopping board.
        known = bool(materials) and any(self._of_another(materials, phrase, name) for name in self._at_the_end(phrase))
        for material in materials:
            sure = known and material.decides
            score = max(SURE, likely) if sure else min(UNSURE, likely) if known else phrase.weight * _GUESS
            best.add(ItemMatch(material.to, self._titles[material.to], score, advice=None if known else _BY_MATERIAL))

    def _at_the_end(self, phrase: Phrase) -> Iterator[Name]:
        """The names that the phrase is, or ends with."""
        asked = phrase.squeezed
        starts = range(len(asked) - 1) if not asked.isascii() else ()
        yield from (name for start in starts for name in self._exact.get(asked[start:], ()))
        for length in range(1, len(phrase.words) + 1):
            yield from self._exact.get("".join(phrase.words[-length:]), ())

    def _in_korean(self, phrase: Phrase, materials: Sequence[Material], best: Best) -> None:
        """Names that hold the phrase, and names within it."""
        asked, weight = phrase.squeezed, phrase.weight
        if len(asked) >= 2:
            # 페트 is short for what ends with it; 한약 is nothing like 한약 찌꺼기, and 대통령 선거 no 선거 포스터.
            less = 0.0 if phrase.heads or weight >= _WHOLE else _ELSEWHERE
            for name in self._ending(asked) if len(asked) <= self._longest_ending.get(asked[-2:], 0) else ():
                best.name(name, min(weight * _part(len(asked), len(name.squeezed)), UNSURE) - less)
            if weight >= _WHOLE:
                for name in self._holding(asked):
                    best.name(name, weight * _part(len(asked), len(name.squeezed)) - _ELSEWHERE)
        # At either end only: 면봉 in the middle of 라면봉지 is no cotton bud. Ends of more words are ends of fewer.
        within = len(phrase.words) <= _FEW_WORDS or weight >= _WHOLE
        begins, ends = self._longest_beginning.get(asked[:2], 0), self._longest_ending.get(asked[-2:], 0)
        for length in range(2, min(max(begins, ends) + 1, len(asked)) if within else 0):
            score = weight * _part(length, len(asked))
            for name in self._exact.get(asked[-length:], ()) if length <= ends else ():
                best.name(name, score, sure=self._ends_with(phrase, name, length, materials))
            for name in self._exact.get(asked[:length], ()) if length <= begins else ():
                best.name(name, score - _ELSEWHERE)

    def _ends_with(self, phrase: Phrase, name: Name, length: int, materials: Sequence[Material]) -> bool:
        """Whether the name, which its last letters are, says what the phrase means."""
        asked = phrase.squeezed
        if not phrase.heads or length < _LEAST_OF_A_WORD * len(asked) or self._of_another(materials, phrase, name):
            return False
        # One letter more is another word: 러그 in 플러그.
        if len(phrase.words) == 1 and len(asked) - length == 1:
            return False
        before, joined = phrase.without(length)
        # What is joined to a noun may end as qualities do by chance: 크린장갑.
        if joined and not is_listed_quality(joined):
            return self._tells(before, name, joined=joined)
        return self._tells(before, name)

    def _closest_ending(self, asked: str) -> Sequence[Name]:
        """Of each category the shortest name that ends with a text."""
        names = (self._written[False][number] for number in self._endings.ending(asked))
        closest: dict[Path, Name] = {}
        for name in sorted(names, key=lambda name: len(name.squeezed)):
            closest.setdefault(name.path, name)
        return tuple(closest.values())

    def _holding(self, asked: str) -> Iterator[Name]:
        return (self._written[False][number] for number in self._spellings[False].holding(asked))

    def _in_english(self, phrase: Phrase, materials: Sequence[Material], best: Best) -> None:
        """Names that share all words of the phrase, or all of whose words are in it."""
        asked, last = frozenset(phrase.words), phrase.words[-1]
        most = _MOST_OF_A_WORD[phrase.weight >= _WHOLE]
        for one in self._english.related(phrase.words, most):
            name, theirs, same = one.name, one.words, one.name.words[-1] == last
            shorter, longer = sorted((len(asked), len(theirs)))
            sure = phrase.heads and same and theirs <= asked and not self._of_another(materials, phrase, name)
            if sure:
                others = (*phrase.before.split(), *(word for word in phrase.words if word not in theirs))
                sure = self._tells(" ".join(others), name)
            best.name(name, phrase.weight * _part(shorter, longer) - (0.0 if same else _ELSEWHERE), sure=sure)

    def _by_initials(self, asked: str, weight: float, best: Best) -> None:
        if len(asked) < 2:
            return
        at = bisect_left(self._first_letters, asked)
        for first in itertools.takewhile(lambda first: first.startswith(asked), self._first_letters[at:]):
            if first == asked or len(asked) >= 3:
                for name in self._initials[first]:
                    whole = len(name.squeezed) == len(asked)
                    best.name(name, weight * (0.9 if whole else 0.8))

    def _spelt_otherwise(self, phrase: Phrase, best: Best) -> None:
        english = phrase.squeezed.isascii()
        for number, similarity in self._spellings[english].similar(phrase.squeezed):
            best.name(self._written[english][number], phrase.weight * (similarity - 0.1))


def _grouped(pairs: Iterator[tuple[str, Name]]) -> Mapping[str, Sequence[Name]]:
    groups: dict[str, list[Name]] = defaultdict(list)
    for key, name in pairs:
        groups[key].append(name)
    return dict(groups)


def _longest(pairs: Iterable[tuple[str, str]]) -> Mapping[str, int]:
    found: dict[str, int] = {}
    for key, text in pairs:
        found[key] = max(found.get(key, 0), len(text))
    return found


def _part(shorter: int, longer: int) -> float:
    return 0.7 + 0.25 * shorter / longer
