"""Situations that people tell of a thing: swollen, greasy, one of a pair."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from rules_svc.search.negation import Stance, stance
from rules_svc.search.wordings import Pattern, Wordings, spoken

Scope: TypeAlias = tuple[str, ...]  # a category's path; the taxonomy builds on this package
_UNKNOWN: Scope = ("미분류",)
_SOME, _NONE = "있", ("없",)


@dataclass(frozen=True, slots=True)
class Words:
    """Ways to say that a thing is in a state, and that it isn't any more.

    Attributes:
        said: Patterns that say so.
        undone: Patterns that say it is over: emptied, rinsed, taken off.
        scopes: The categories of which these words mean it; anything if there are none.
    """

    said: tuple[Pattern, ...] = ()
    undone: tuple[Pattern, ...] = ()
    scopes: tuple[Scope, ...] = ()

    def mean_it_of(self, path: Scope) -> bool:
        """Whether they mean the state when they are said of a thing of this category; an empty path is any thing."""
        return not self.scopes or path in ((), _UNKNOWN) or any(_related(path, scope) for scope in self.scopes)


@dataclass(frozen=True, slots=True)
class SaidTag:
    """A tag that a text speaks of.

    Attributes:
        tag: Its key.
        words: The words that say so, as they were typed.
    """

    tag: str
    words: str


@dataclass(frozen=True, slots=True)
class SaidStates:
    """What a text says of a thing's state.

    Attributes:
        tags: What it says is so, in the order of the closed list.
        denied: What it says isn't so, or isn't any more.
    """

    tags: tuple[SaidTag, ...] = ()
    denied: tuple[SaidTag, ...] = ()


@dataclass(frozen=True, slots=True)
class _Mention:
    """A pattern of a tag; whether it says so or says that it is over."""

    number: int
    words: Words
    says: bool


class StateReader:
    """Reads states from what people say.

    Args:
        said: The keys of the closed list, in its order, each with the words for it.
    """

    def __init__(self, said: Mapping[str, Sequence[Words]]) -> None:
        self._tags = tuple(said)
        self._wordings = Wordings(_patterns(said))

    def read(self, text: str, path: Scope = ()) -> SaidStates:
        """What a text says of a thing of a category; of any thing, if it isn't known."""
        said, denied = dict[int, str](), dict[int, str]()
        words = spoken(text)
        for span in self._wordings.find(words):
            if not span.what.words.mean_it_of(path):
                continue
            match stance(words, span), span.what.says:
                case (Stance.AFFIRMED, True):
                    into = said
                case (Stance.AFFIRMED, False) | (Stance.DENIED, True):
                    into = denied
                case _:
                    continue
            into.setdefault(span.what.number, " ".join(words[at] for at in range(span.at[0], span.at[-1] + 1)))
        return SaidStates(
            self._named(said), self._named({key: text for key, text in denied.items() if key not in said})
        )

    def _named(self, found: dict[int, str]) -> tuple[SaidTag, ...]:
        return tuple(SaidTag(self._tags[number], found[number]) for number in sorted(found))


def _patterns(said: Mapping[str, Sequence[Words]]) -> Iterator[tuple[Pattern, _Mention]]:
    for number, ways in enumerate(said.values()):
        for words in ways:
            yield from ((pattern, _Mention(number, words, says=True)) for pattern in words.said)
            # Who says that there is none (없어요) denies what is said with 있어요.
            none = [(*pattern[:-1], _NONE) for pattern in words.said if len(pattern) > 1 and _SOME in pattern[-1]]
            yield from ((pattern, _Mention(number, words, says=False)) for pattern in (*words.undone, *none))


def _related(path: Scope, scope: Scope) -> bool:
    """Whether one is the other or stands below it."""
    shared = min(len(path), len(scope))
    return path[:shared] == scope[:shared]
