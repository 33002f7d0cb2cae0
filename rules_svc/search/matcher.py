"""What a text says: which things it may name, and what state they are in.

Search, replies and the question asked with a photo are all read here, so that the same words mean the same everywhere.
"""

from dataclasses import dataclass, field
from typing import Self

from rules_svc.rulebook.rulebook import Rulebook
from rules_svc.rulebook.taxonomy import Path
from rules_svc.search.index import ItemIndex
from rules_svc.search.matches import ItemMatch
from rules_svc.search.states import Heard, SaidTag, StateReader

_ITEMS = 5


@dataclass(frozen=True, slots=True)
class Reading:
    """What a text says.

    Attributes:
        items: What it may name, best first; empty if it names nothing. Only a `sure` one may be acted on unasked.
        tags: The situations it says are so, in the order of the closed list, each with the words that said it.
        denied: The situations it says are not so, or no more: "안 깨졌어요", "다 비웠어요", "no battery inside".
        heard: The same before it was decided which thing it is about.
    """

    items: tuple[ItemMatch, ...] = ()
    tags: tuple[SaidTag, ...] = ()
    denied: tuple[SaidTag, ...] = ()
    heard: Heard = field(default_factory=Heard)

    @property
    def item(self) -> ItemMatch | None:
        """The thing it names, if that is sure."""
        return self.items[0] if self.items and self.items[0].sure else None

    @property
    def tag_keys(self) -> tuple[str, ...]:
        """The keys of `tags`."""
        return tuple(said.tag for said in self.tags)

    def told_of(self, item: ItemMatch) -> tuple[str, ...]:
        """The keys of the situations that the text tells of one of the items, if that is the thing."""
        return tuple(said.tag for said in self.heard.of(item.path).tags)


class Matcher:
    """Reads texts.

    Args:
        items: Finds things by name.
        states: Finds what is said of them.
    """

    def __init__(self, items: ItemIndex, states: StateReader) -> None:
        self._items = items
        self._states = states

    @classmethod
    def of(cls, book: Rulebook, items: ItemIndex | None = None) -> Self:
        """The matcher of a rule book; with its index, if there is one already."""
        states = StateReader({tag.key: tag.said for tag in book.tags.values()})
        return cls(items or ItemIndex.of(book), states)

    def read(self, text: str, *, of: Path | None = None, limit: int = _ITEMS) -> Reading:
        """What a text says.

        Args:
            text: In either language; a question, a reply, or a name.
            of: The category of the thing it is about, since some words mean a situation of some things only. If that
                isn't known, the first item named counts.
            limit: How many items at most.
        """
        items = self.items(text, limit)
        path = of if of is not None else items[0].path if items else ()
        heard = self.states(text)
        states = heard.of(path)
        return Reading(items, states.tags, states.denied, heard)

    def items(self, text: str, limit: int = _ITEMS) -> tuple[ItemMatch, ...]:
        """What a text may name, best first."""
        return tuple(self._items.search(text, limit))

    def states(self, text: str) -> Heard:
        """What states a text speaks of, whatever the thing."""
        return self._states.read(text)
