"""Situations that people tell of a thing: swollen, greasy, one of a pair."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from msgspec import Struct

from rules_svc.search.negation import Stance, stance
from rules_svc.search.wordings import Pattern, Wordings, spoken

Scope: TypeAlias = tuple[str, ...]  # a category's path; the taxonomy builds on this package
_UNKNOWN: Scope = ("미분류",)
_MOST_MENTIONS = 60  # of situations in a text; nobody tells more of a thing
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

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys of `tags`."""
        return tuple(said.tag for said in self.tags)


class _Heard(Struct, frozen=True):
    """A tag that a text speaks of, by which words, and whether it says so or denies it."""

    number: int
    meant: Words
    so: bool
    words: tuple[str, ...]


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

    def read(self, text: str) -> "Heard":
        """Every situation that a text speaks of, whatever the thing."""
        words = spoken(text)
        heard = [
            _Heard(span.what.number, span.what.words, so, words[span.at[0] : span.at[-1] + 1])
            for span in self._wordings.find(words)[:_MOST_MENTIONS]
            if (so := _is_so(stance(words, span), says=span.what.says)) is not None
        ]
        return Heard(self._tags, tuple(heard))


@dataclass(frozen=True, slots=True)
class Heard:
    """What a text says of states, before it is known of which thing."""

    tags: tuple[str, ...] = ()
    mentions: tuple["_Heard", ...] = ()

    def of(self, path: Scope) -> SaidStates:
        """What it says of a thing of a category; of any thing, if the path is empty."""
        said, denied = dict[int, tuple[str, ...]](), dict[int, tuple[str, ...]]()
        for one in self.mentions:
            if one.meant.mean_it_of(path):
                (said if one.so else denied).setdefault(one.number, one.words)
        return SaidStates(
            self._named(said), self._named({key: text for key, text in denied.items() if key not in said})
        )

    def _named(self, found: Mapping[int, tuple[str, ...]]) -> tuple[SaidTag, ...]:
        return tuple(SaidTag(self.tags[number], " ".join(found[number])) for number in sorted(found))


def _patterns(said: Mapping[str, Sequence[Words]]) -> Iterator[tuple[Pattern, _Mention]]:
    for number, ways in enumerate(said.values()):
        for words in ways:
            yield from ((pattern, _Mention(number, words, says=True)) for pattern in words.said)
            # Who says that there is none (없어요) denies what is said with 있어요.
            none = [(*pattern[:-1], _NONE) for pattern in words.said if len(pattern) > 1 and _SOME in pattern[-1]]
            yield from ((pattern, _Mention(number, words, says=False)) for pattern in (*words.undone, *none))


def _is_so(said: Stance, *, says: bool) -> bool | None:
    """Whether the state is so; None if the text leaves that open, as "I haven't emptied it" does of emptiness."""
    if said is Stance.AFFIRMED:
        return says
    return False if says and said is Stance.DENIED else None


def _related(path: Scope, scope: Scope) -> bool:
    """Whether one is the other or stands below it."""
    shared = min(len(path), len(scope))
    return path[:shared] == scope[:shared]
