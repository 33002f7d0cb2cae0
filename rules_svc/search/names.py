"""Names of items and categories, as they are compared; each leads to one thing."""

from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass

from rules_svc.rulebook.items import Item
from rules_svc.rulebook.rulebook import Rulebook
from rules_svc.rulebook.taxonomy import Node, Path
from rules_svc.search.phrases import LONGEST, folded
from rules_svc.search.question_words import singular


@dataclass(frozen=True, slots=True)
class Name:
    """One name of an item or a category.

    Attributes:
        text: As it is written in the data.
        path: The category.
        squeezed: Its letters without spaces.
        words: Its words, English ones in the singular.
        item: The item so called; None for a name of the category itself.
        dangerous: Whether nothing may change how a thing so called is disposed of.
    """

    text: str
    path: Path
    squeezed: str
    words: tuple[str, ...]
    item: Item | None = None
    dangerous: bool = False


def all_names(book: Rulebook) -> list[Name]:
    """Every name in a rule book; of an item's own category, those that the item has as well are left out.

    Raises:
        ValueError: Two items share a name, or an item has the name of a category that isn't its own.
    """
    dangerous = frozenset(node.path for node in book.taxonomy if book.match(node.path, ())[0].fixed)
    of_items = [name for item in book.items for name in _names_of_item(item, dangerous)]
    taken = {name.squeezed for name in of_items}
    of_categories = [name for node in book.taxonomy for name in _names_of_category(node, taken, dangerous)]
    owners: dict[str, Name] = {}
    for name in of_items:
        owners.setdefault(name.squeezed, name)
    shared = [
        f"{name.text} ({'/'.join(owner.path)}, {'/'.join(name.path)})"
        for name in (*of_items, *of_categories)
        if (owner := owners.get(name.squeezed))
        and owner.item is not name.item
        and (name.item or owner.path != name.path)
    ]
    if shared:
        raise ValueError(f"names of two things: {'; '.join(shared)}")
    return [*of_items, *(name for name in of_categories if name.squeezed not in owners)]


def _names_of_category(node: Node, taken: Set[str], dangerous: Set[Path]) -> Iterator[Name]:
    """What people read, its key, synonyms, and those parts of the key that no item is called; each once."""
    parts = [part for part in node.path[-1].split("·") if "".join(folded(part).split()) not in taken]
    texts = [node.name.ko, node.path[-1], *parts, node.name.en]
    return _names([*texts, *node.synonyms.ko, *node.synonyms.en], node.path, node.path in dangerous)


def _names_of_item(item: Item, dangerous: Set[Path]) -> Iterator[Name]:
    return _names([item.name.ko, item.name.en, *item.also.ko, *item.also.en], item.path, item.path in dangerous, item)


def _names(texts: Sequence[str], path: Path, dangerous: bool, item: Item | None = None) -> Iterator[Name]:
    """The names among the texts, each once, however it is written."""
    seen = set[str]()
    for text in texts:
        words = tuple(singular(word) for word in folded(text).split())
        squeezed = "".join(words)[:LONGEST]
        if squeezed and squeezed not in seen:
            seen.add(squeezed)
            yield Name(text, path, squeezed, words, item, dangerous)
