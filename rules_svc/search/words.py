"""Names by their English words: a question and a name may differ in a word."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from rules_svc.rulebook.taxonomy import Path
from rules_svc.search.names import Name

_NONE = frozenset[int]()


@dataclass(frozen=True, slots=True)
class Related:
    """A name, and its words as a set."""

    name: Name
    words: frozenset[str]


@dataclass(frozen=True, slots=True)
class WordIndex:
    """Finds names by words without looking at every name that shares a common one such as "bottle".

    Attributes:
        _names: Those with English words.
        _having: Numbers of names by each of their words.
        _closest: Of the names with a word, the one of each category that says least beside it.
        _rarest: Numbers of names by the word of theirs that the fewest names have.
    """

    _names: Sequence[Related]
    _having: Mapping[str, frozenset[int]]
    _closest: Mapping[str, Sequence[Related]]
    _rarest: Mapping[str, Sequence[int]]

    @classmethod
    def of(cls, names: Sequence[Name]) -> Self:
        """The index of these names; those without English words are left out."""
        english = [Related(name, frozenset(name.words)) for name in names if any(map(str.isascii, name.words))]
        frequency = Counter(word for one in english for word in one.words)
        having, rarest = defaultdict[str, list[int]](list), defaultdict[str, list[int]](list)
        for number, one in enumerate(english):
            words = [word for word in one.words if word.isascii()]
            for word in words:
                having[word].append(number)
            rarest[min(words, key=lambda word: (frequency[word], word))].append(number)
        closest = {word: _closest(word, [english[number] for number in found]) for word, found in having.items()}
        return cls(english, {word: frozenset(found) for word, found in having.items()}, closest, dict(rarest))

    def related(self, words: Sequence[str], most: int) -> Sequence[Related]:
        """Names that have all the words, and names all of whose words are among them; none twice.

        Args:
            words: What is asked for.
            most: How many names there may be for a single word, the closest of each category first.
        """
        asked = set(words)
        if len(asked) == 1:
            return self._closest.get(words[0], ())[:most]
        wider = frozenset.intersection(*(self._having.get(word, _NONE) for word in asked))
        rare = (number for word in asked for number in self._rarest.get(word, ()))
        within = (number for number in rare if self._names[number].words <= asked)
        return [self._names[number] for number in sorted({*wider, *within})]


def _closest(word: str, names: Iterable[Related]) -> tuple[Related, ...]:
    best: dict[Path, Related] = {}
    for one in sorted(names, key=lambda one: (len(one.words), one.name.words[-1] != word)):
        best.setdefault(one.name.path, one)
    return tuple(best.values())
