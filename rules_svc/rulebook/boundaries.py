"""Outlines of the districts, simplified to some 100 m: in which one a place lies."""

from array import array
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Self, TypeAlias

# Outlines are kept in ten-thousandths of a degree, some ten metres.
_UNITS_PER_DEGREE = 10_000
# Edges are looked up by stripes of latitude of this height, so that a look-up tries a few districts and a dozen edges.
_STRIPE = 100

# x and y of the first corner, then the way to each next one; the last corner leads back to the first.
Ring: TypeAlias = Sequence[int]


@dataclass(frozen=True, slots=True)
class _Slice:
    """What lies of a district in one stripe: its edges, x and y of both ends one after another."""

    code: str
    west: int
    east: int
    edges: "array[int]"

    def surrounds(self, x: float, y: float) -> bool:
        """Whether a ray to the east crosses the outline an odd number of times."""
        inside = False
        ends = iter(self.edges)
        for x0, y0, x1, y1 in zip(ends, ends, ends, ends, strict=True):
            if (y0 > y) != (y1 > y) and x < x0 + (y - y0) * (x1 - x0) / (y1 - y0):
                inside = not inside
        return inside


@dataclass(frozen=True, slots=True)
class Boundaries:
    """Outlines of districts. Holes are rings too: a place inside of two rings is outside.

    Attributes:
        codes: Codes of the districts that have an outline.
    """

    codes: frozenset[str] = frozenset()
    _stripes: Mapping[int, Sequence[_Slice]] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, rings: Mapping[str, Sequence[Ring]]) -> Self:
        """The boundaries that these rings, by the districts' codes, enclose.

        Raises:
            ValueError: A ring has fewer than three corners, or half of one.
        """
        stripes = defaultdict[int, list[_Slice]](list)
        for code, of_one in rings.items():
            for stripe, edges in _by_stripe(of_one).items():
                stripes[stripe].append(_Slice(code, min(edges[::2]), max(edges[::2]), edges))
        return cls(frozenset(rings), MappingProxyType(dict(stripes)))

    def containing(self, latitude: float, longitude: float) -> str | None:
        """The code of the district around a place; None at sea, abroad, and on islets below half a square kilometre."""
        x, y = longitude * _UNITS_PER_DEGREE, latitude * _UNITS_PER_DEGREE
        for one in self._stripes.get(int(y // _STRIPE), ()):
            if one.west <= x <= one.east and one.surrounds(x, y):
                return one.code
        return None


def _by_stripe(rings: Sequence[Ring]) -> Mapping[int, "array[int]"]:
    """Edges by the stripes that they touch."""
    stripes: defaultdict[int, array[int]] = defaultdict(lambda: array("i"))
    for ring in rings:
        corners = _corners(ring)
        if len(corners) < 3:
            raise ValueError("an outline of fewer than three corners")
        for (x0, y0), (x1, y1) in zip(corners, [*corners[1:], corners[0]], strict=True):
            for stripe in range(min(y0, y1) // _STRIPE, max(y0, y1) // _STRIPE + 1):
                stripes[stripe].extend((x0, y0, x1, y1))
    return stripes


def _corners(ring: Ring) -> list[tuple[int, int]]:
    x = y = 0
    corners = []
    for east, north in zip(ring[::2], ring[1::2], strict=True):
        x, y = x + east, y + north
        corners.append((x, y))
    return corners
