"""Names by their English words: a question and a name may differ in a word."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from rules_svc.rulebook.taxonomy import Path
from rules_svc.search.names import Name


@dataclass(frozen=True, slots=True)
class WordIndex:
    """Finds names by words without looking at every name that shares a common one such as "bottle".

    Attributes:
        _having: Names by each of their words.
        _closest: Of the names with a word, the one of each category that says least beside it.
        _rarest: Names by the word of theirs that the fewest names have.
    """

    _having: Mapping[str, Sequence[Name]]
    _closest: Mapping[str, Sequence[Name]]
    _rarest: Mapping[str, Sequence[Name]]

    @classmethod
    def of(cls, names: Sequence[Name]) -> Self:
        """The index of these names; those without English words are left out."""
        english = [(name, list(dict.fromkeys(word for word in name.words if word.isascii()))) for name in names]
        frequency = Counter(word for _, words in english for word in words)
        having, rarest = defaultdict[str, list[Name]](list), defaultdict[str, list[Name]](list)
        for name, words in english:
            for word in words:
                having[word].append(name)
            if words:
                rarest[min(words, key=lambda word: (frequency[word], word))].append(name)
        closest = {word: _closest(word, found) for word, found in having.items()}
        return cls(dict(having), closest, dict(rarest))

    def related(self, words: Sequence[str]) -> list[Name]:
        """Names that have all the words, and names all of whose words are among them; none twice."""
        asked = set(words)
        if len(asked) == 1:
            return list(self._closest.get(words[0], ()))
        fewest = min((self._having.get(word, ()) for word in asked), key=len)
        wider = [name for name in fewest if asked.issubset(name.words)]
        within = [name for word in dict.fromkeys(words) for name in self._rarest.get(word, ())]
        return list(dict.fromkeys([*wider, *(name for name in within if asked.issuperset(name.words))]))


def _closest(word: str, names: Iterable[Name]) -> tuple[Name, ...]:
    best: dict[Path, Name] = {}
    for name in sorted(names, key=lambda name: (len(set(name.words)), name.words[-1] != word)):
        best.setdefault(name.path, name)
    return tuple(best.values())
