"""What a question may mean: categories, each by the name that matched best."""

from collections.abc import Iterable

from msgspec import Struct

from mesh.locale import Text
from rules_svc.rulebook.items import Item
from rules_svc.rulebook.taxonomy import Path
from rules_svc.search.names import Name

# From here on a match may be shown as the answer; below it is only a candidate.
SURE = 0.86
UNSURE = 0.84


class ItemMatch(Struct, frozen=True):
    """A category that a question means.

    Attributes:
        path: The category.
        matched: The name that matched.
        score: How well, from 0 to 1.
        item: The item that was named; None if only the category was.
        advice: What to do about a thing of which nothing but the material is known.
    """

    path: Path
    matched: str
    score: float
    item: Item | None = None
    advice: Text | None = None

    @property
    def sure(self) -> bool:
        """Whether it may be shown as the answer; else it is a candidate to ask about."""
        return self.score >= SURE

    @property
    def tags(self) -> tuple[str, ...]:
        """Situations that the item is always in."""
        return self.item.tags if self.item else ()

    @property
    def note(self) -> Text | None:
        """What the category's rule alone doesn't tell; None if nothing."""
        return self.item.note if self.item else self.advice


class Best:
    """Of each category the best match; an item that is surely meant isn't lost to a better match of its category."""

    def __init__(self) -> None:
        self._by_path: dict[Path, ItemMatch] = {}

    def all(self) -> Iterable[ItemMatch]:
        """The best matches, in no order."""
        return self._by_path.values()

    def scored(self, score: float) -> bool:
        """Whether one has at least this score."""
        return any(one.score >= score for one in self._by_path.values())

    def name(self, name: Name, score: float, *, sure: bool = False) -> None:
        """A name that matched; its score is limited by whether that is sure."""
        score = min(max(score, SURE), 1.0) if sure else min(score, UNSURE)
        before = self._by_path.get(name.path)
        # Most are no better than what is known already.
        if before is None or score > before.score or (sure and name.item and not before.item):
            advice = None if sure or name.item or before is None else before.advice
            self.add(ItemMatch(name.path, name.text, score, name.item, advice))

    def add(self, one: ItemMatch) -> None:
        """A match of whatever kind."""
        before = self._by_path.get(one.path)
        if before is None:
            self._by_path[one.path] = one
            return
        better, other = (one, before) if one.score > before.score else (before, one)
        if other.sure and other.item and not better.item:
            better = ItemMatch(other.path, other.matched, better.score, other.item, other.advice)
        self._by_path[one.path] = better
