"""Names made of several words: the last noun says what a thing is, the words before it of what kind.

So a peach stone isn't sorted as a fruit, nor a filter for an air purifier as an appliance.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TypeAlias, TypeVar

from rules_svc.search.phrases import Phrase, folded
from rules_svc.search.question_words import bare_forms, singular

Keys: TypeAlias = tuple[str, ...]  # a category's path; the taxonomy builds on this module
T = TypeVar("T")
_WORDS_KEPT = 8192  # words of which is known what materials they say
_SHORTEST_PART = 2  # letters of a Korean word that may end another


@dataclass(frozen=True, slots=True)
class FoldedWords:
    """Words in both languages, folded as questions are."""

    ko: tuple[str, ...] = ()
    en: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "ko", tuple(map(folded, self.ko)))
        object.__setattr__(self, "en", tuple(" ".join(map(singular, folded(word).split())) for word in self.en))


@dataclass(frozen=True, slots=True)
class Compound:
    """A last noun that decides the category.

    Attributes:
        heads: The noun.
        to: The category of a thing so called.
        of: Words of which one must precede it; if there are none, nothing is required.
        perhaps: Whether too many things so called belong elsewhere: then the category is offered, never asserted.
    """

    heads: FoldedWords
    to: Keys
    of: FoldedWords = FoldedWords()
    perhaps: bool = False
    _words: frozenset[str] = field(init=False)
    _phrases: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        required = (*self.of.ko, *self.of.en)
        object.__setattr__(self, "_words", frozenset(word for word in required if " " not in word))
        object.__setattr__(self, "_phrases", tuple(f" {words} " for words in required if " " in words))

    def allows(self, rest: "_Rest") -> bool:
        """Whether the words before the noun include a required one."""
        if not (self._words or self._phrases):
            return True
        return not self._words.isdisjoint(rest.said) or any(words in rest.text for words in self._phrases)


@dataclass(frozen=True, slots=True)
class Material:
    """A material that a name may mention.

    Attributes:
        words: The words for it.
        to: The category of a thing of this material, if nothing else is known.
        own: Categories for things of this material alone.
        decides: Whether nearly all things of it go there, whatever they are called.
    """

    words: FoldedWords
    to: Keys
    own: tuple[Keys, ...]
    decides: bool = False

    def owns(self, path: Keys) -> bool:
        """Whether only things of this material belong there."""
        return any(path[: len(own)] == own for own in self.own)


@dataclass(frozen=True, slots=True)
class _Rest:
    """What stands before a noun.

    Attributes:
        said: Its words; a Korean word right before the noun may also end with one, from two letters on.
        text: The same as a text with a blank around each word.
    """

    said: frozenset[str]
    text: str

    @classmethod
    def of(cls, words: Sequence[str]) -> "_Rest":
        """What these words say, of which the last may be empty."""
        kept = [word for word in words if word]
        last = kept[-1] if kept and not kept[-1].isascii() else ""
        ends = (last[-length:] for length in range(_SHORTEST_PART, len(last)))
        return cls(frozenset((*kept, *ends)), f" {' '.join(kept)} ")


class Compounds:
    """Finds categories by last nouns and materials.

    Args:
        heads: The nouns, the most particular first.
        materials: The materials.
    """

    def __init__(self, heads: Sequence[Compound] = (), materials: Sequence[Material] = ()) -> None:
        self._materials = tuple(materials)
        self._heads = _by_word((word, (number, one)) for number, one in enumerate(heads) for word in _words(one.heads))
        self._said = _by_word((word, one) for one in materials for word in _words(one.words))
        self._longest = max(map(len, (*self._heads, *self._said)), default=0)
        self._materials_in = lru_cache(maxsize=_WORDS_KEPT)(self._said_by)

    def named(self, phrase: Phrase) -> Compound | None:
        """The compound of the phrase's last noun, if one is known."""
        *before, last = phrase.words
        said = (*phrase.before.split(), *before)
        lengths = range(1, min(self._longest, len(last)) + 1) if not last.isascii() else (len(last),)
        first: tuple[int, Compound] | None = None
        for length in lengths:
            for number, compound in self._heads.get(last[-length:], ()):
                if (first is None or number < first[0]) and compound.allows(_Rest.of((*said, last[:-length]))):
                    first = number, compound
        return first[1] if first else None

    def made_of(self, phrase: Phrase) -> tuple[Material, ...]:
        """The materials that the phrase, or what stands before it, says of a thing; the bare word says it of none."""
        words = (*phrase.before.split(), *phrase.words)
        if len(words) == 1 and words[0] in self._said:
            return ()
        return tuple(dict.fromkeys([one for word in words for one in self._materials_in(word)]))

    def _said_by(self, word: str) -> tuple[Material, ...]:
        return tuple(one for start in _starts(word, self._longest) for one in self._said.get(start, ()))

    def of_material(self, word: str) -> Keys | None:
        """Where a thing goes of which only the material is said; None if the word is none."""
        bare = (one for form in bare_forms(word) for one in self._said.get(singular(form), ()))
        return next((one.to for one in bare), None)

    def agree(self, word: str, path: Keys) -> bool:
        """Whether a word says the material that a category is for."""
        return any(one.owns(path) for one in self._materials_in(word))

    def conflict(self, materials: Sequence[Material], path: Keys) -> bool:
        """Whether a category is for things of another material than what was said."""
        if not materials or any(one.owns(path) for one in materials):
            return False
        return any(one.owns(path) for one in self._materials)


def _words(words: FoldedWords) -> tuple[str, ...]:
    return (*words.ko, *words.en)


def _starts(word: str, longest: int) -> Iterator[str]:
    """What a word may begin with: Korean materials are joined to the thing, English ones stand alone."""
    yield from (word[:length] for length in range(1, min(longest, len(word)) + 1)) if not word.isascii() else (word,)


def _by_word(pairs: Iterable[tuple[str, T]]) -> Mapping[str, Sequence[T]]:
    groups: dict[str, list[T]] = defaultdict(list)
    for word, one in pairs:
        groups[word].append(one)
    return dict(groups)
