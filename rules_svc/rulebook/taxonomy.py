"""The taxonomy of the Korean separate-discharge guide: a tree of majors, middles and minors."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Self, TypeAlias

from mesh.errors import NotFound
from mesh.locale import Locale, Text
from mesh.reasons import Reason
from rules_svc.search.compounds import Compounds

# Keys from the major down. A major without middles has its minors right below it.
Path: TypeAlias = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Synonyms:
    """Other names of a category, in both languages: `synonyms[locale]`."""

    ko: tuple[str, ...] = ()
    en: tuple[str, ...] = ()

    def __getitem__(self, locale: Locale) -> tuple[str, ...]:
        return self.ko if locale is Locale.KO else self.en


@dataclass(frozen=True, slots=True)
class Node:
    """A category and everything below it.

    Attributes:
        path: Its keys.
        name: What people read.
        synonyms: What else people call it; each belongs to this category alone.
        children: The categories below.
        former: Paths that it had in earlier editions, or whose things it took over.
    """

    path: Path
    name: Text
    synonyms: Synonyms = Synonyms()
    children: tuple["Node", ...] = ()
    former: tuple[Path, ...] = ()

    def walk(self) -> Iterator["Node"]:
        """This node, then those below, depth first in the guide's order."""
        yield self
        for child in self.children:
            yield from child.walk()


@dataclass(frozen=True, slots=True)
class Category:
    """A path spelt by levels; a level that doesn't apply is empty."""

    major: str
    middle: str = ""
    minor: str = ""


@dataclass(frozen=True, slots=True)
class Taxonomy:
    """Every category there is.

    Attributes:
        majors: The roots, in the guide's order.
        compounds: Rules for names of several words.
    """

    majors: tuple[Node, ...]
    _nodes: Mapping[Path, Node]
    _today: Mapping[Path, Path] = field(default_factory=dict)
    compounds: Compounds = field(default_factory=Compounds)

    @classmethod
    def of(cls, majors: Sequence[Node]) -> Self:
        """The taxonomy with these roots.

        Raises:
            ValueError: A category occurs twice, or one has a path as its former one that another has.
        """
        nodes = [node for major in majors for node in major.walk()]
        by_path = {node.path: node for node in nodes}
        if len(by_path) != len(nodes):
            raise ValueError("a category stands in the taxonomy twice")
        former = [(path, node.path) for node in nodes for path in node.former]
        today = dict(former)
        if len(today) != len(former) or not by_path.keys().isdisjoint(today):
            raise ValueError("a former category stands in the taxonomy twice")
        return cls(tuple(majors), MappingProxyType(by_path), MappingProxyType(today))

    def __iter__(self) -> Iterator[Node]:
        return iter(self._nodes.values())

    def __contains__(self, path: object) -> bool:
        return path in self._nodes

    def __getitem__(self, path: Path) -> Node:
        """The node at a path.

        Raises:
            NotFound: There is none.
        """
        node = self._nodes.get(path)
        if node is None:
            raise NotFound(Reason.CATEGORY_UNKNOWN, category="/".join(path))
        return node

    def today(self, path: Path) -> Path:
        """Where the things of a category are today: scans are stored with the paths of their own time."""
        return self._today.get(path, path)

    def category(self, path: Path) -> Category:
        """The levels of a path: below a major without middles stand minors."""
        if len(path) == 2 and not self._has_middles(path[0]):
            return Category(path[0], minor=path[1])
        return Category(*path)

    def materials(self) -> frozenset[str]:
        """Names of majors and middles: what a place can say it takes."""
        middles = (node.path for node in self if len(node.path) == 2 and node.children)
        return frozenset(path[-1] for path in [*middles, *(major.path for major in self.majors)])

    def _has_middles(self, major: str) -> bool:
        return any(child.children for child in self._nodes[(major,)].children)


def lineage(path: Path) -> tuple[Path, ...]:
    """A path and the wider ones around it, narrowest first."""
    return tuple(path[:length] for length in range(len(path), 0, -1))


def within(path: Path, scope: Path) -> bool:
    """Whether a path is the scope or stands below it."""
    return path[: len(scope)] == scope
