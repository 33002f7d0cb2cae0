"""Regions of Korea: found by code, by name or by a place in them, each with what it changes about the rules."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from types import MappingProxyType
from typing import Self

from mesh.locale import Text
from rules_svc.rulebook.boundaries import Boundaries
from rules_svc.rulebook.buildings import Absence, Bin, BinKind, JoinedBuilding
from rules_svc.rulebook.gazetteer import FormerRegion, Region, RegionNames
from rules_svc.rulebook.overlays import Overlay

NATION = "대한민국"

# Farther from every centre than this is taken for outside Korea; the widest counties reach some 50 km from theirs.
_REACH_KM = 60.0
_KM_PER_DEGREE = 111.2


class Level(StrEnum):
    """How wide a region is."""

    NATION = "NATION"
    PROVINCE = "PROVINCE"
    CITY = "CITY"
    DISTRICT = "DISTRICT"


@dataclass(frozen=True, slots=True)
class ResolvedRegion:
    """The region that a user's words were resolved to.

    Attributes:
        region: The region; None if it wasn't recognised, or nothing was said.
        said: The user's words, unchanged.
        several: The regions of that name, if there are several and no location decides between them.
        building: The building that the user has joined, which is in this region; None if none, or it isn't known.
        absent: Why it isn't known; None if it is, or there is none.
    """

    region: Region | None = None
    said: str = ""
    several: tuple[Region, ...] = ()
    building: JoinedBuilding | None = None
    absent: Absence | None = None


@dataclass(frozen=True, slots=True)
class Regions:
    """The gazetteer and what each region changes.

    Attributes:
        overlays: By region's key, one for each source; only regions about which something is known.
        nation: What holds everywhere else.
        bins: What each kind of bin takes that a building may have.
    """

    overlays: Mapping[str, tuple[Overlay, ...]]
    nation: Overlay
    bins: Mapping[BinKind, Bin]
    _by_code: Mapping[str, Region]
    _by_key: Mapping[str, Region]
    _former: Mapping[str, tuple[Region, ...]]
    _names: RegionNames
    _centres: tuple[Region, ...] = field(repr=False)
    _boundaries: Boundaries = field(repr=False)

    @classmethod
    def of(
        cls,
        gazetteer: Sequence[Region],
        overlays: Iterable[Overlay],
        nation: Overlay,
        former: Sequence[FormerRegion] = (),
        boundaries: Boundaries | None = None,
        bins: Mapping[BinKind, Bin] = MappingProxyType({}),
    ) -> Self:
        """The regions with these overlays.

        Raises:
            ValueError: A code or key occurs twice, or an overlay's or outline's region doesn't exist.
            KeyError: The successor of a former region doesn't exist.
        """
        by_code = {region.code: region for region in gazetteer}
        by_key = {region.key: region for region in gazetteer}
        if not len(by_code) == len(by_key) == len(gazetteer):
            raise ValueError("a region stands in the gazetteer twice")
        by_overlay = _by_region(overlays)
        if strangers := by_overlay.keys() - by_key.keys():
            raise ValueError(f"no such region: {strangers}")
        outlines = boundaries or Boundaries()
        if homeless := outlines.codes - by_code.keys():
            raise ValueError(f"no such region: {homeless}")
        divided = {key for region in gazetteer for key in region.lineage[1:]}
        return cls(
            overlays=MappingProxyType(by_overlay),
            nation=nation,
            bins=bins,
            _by_code=MappingProxyType(by_code),
            _by_key=MappingProxyType(by_key),
            _former={one.code: tuple(by_key[key] for key in one.now) for one in former},
            _names=RegionNames.of(MappingProxyType(by_key), former),
            _centres=tuple(region for region in gazetteer if region.key not in divided),
            _boundaries=outlines,
        )

    def __iter__(self) -> Iterator[Region]:
        return iter(self._by_key.values())

    def find(self, said: str, location: tuple[float, float] | None = None) -> ResolvedRegion:
        """Resolves a user's words for where they live.

        Args:
            said: A name from the province down ("서울특별시/마포구", "서울 마포", "Seoul Mapo-gu"), a name alone
                ("마포구"), or a code of two, five or ten digits. What follows the district, such as a 동, is ignored.
                May be empty.
            location: Latitude and longitude; decides between regions of one name, and where nothing was recognised.
        """
        words = self._names.words(said)
        candidates = self._of_code(words[0]) if len(words) == 1 and words[0].isdecimal() else self._names.find(words)
        if len(candidates) > 1 and location is not None:
            candidates = [min(candidates, key=lambda region: _kilometres(region, location))]
        if len(candidates) == 1:
            return ResolvedRegion(candidates[0], said)
        if candidates:
            return ResolvedRegion(None, said, tuple(candidates))
        return ResolvedRegion(self.around(*location) if location is not None else None, said)

    def around(self, latitude: float, longitude: float) -> Region | None:
        """The district around a place; off the coast the one whose centre is nearest. None outside Korea."""
        code = self._boundaries.containing(latitude, longitude)
        if code is not None:
            return self._by_code[code]
        region = min(self._centres, key=lambda one: _kilometres(one, (latitude, longitude)))
        return region if _kilometres(region, (latitude, longitude)) <= _REACH_KM else None

    def known_of(self, region: Region | None) -> tuple[Overlay, ...]:
        """What is known about a region and the wider ones around it, narrowest first."""
        lineage = region.lineage if region else ()
        return tuple(overlay for key in lineage for overlay in self.overlays.get(key, ()))

    def of_key(self, key: str) -> Region | None:
        """The region with a key; None for the nation."""
        return self._by_key.get(key)

    def level(self, key: str) -> Level:
        """How wide the region with a key is."""
        if key == NATION:
            return Level.NATION
        return (Level.PROVINCE, Level.CITY, Level.DISTRICT)[key.count("/")]

    def name(self, key: str) -> Text:
        """What people read: "서울특별시 마포구", "Mapo-gu, Seoul"."""
        if key == NATION:
            return Text(NATION, "Korea (nationwide)")
        english = [self._by_key[one].english for one in self._by_key[key].lineage]
        return Text(key.replace("/", " "), ", ".join(dict.fromkeys(english)))

    def _of_code(self, digits: str) -> list[Region]:
        codes = (digits[:5], digits[:4] + "0", digits[:2]) if len(digits) >= 5 else (digits,)
        for code in codes:
            if found := [self._by_code[code]] if code in self._by_code else self._former.get(code):
                return list(found)
        return []


def _by_region(overlays: Iterable[Overlay]) -> dict[str, tuple[Overlay, ...]]:
    """Overlays by their region, in the order given; each with the telephone number that any of them names."""
    found: dict[str, tuple[Overlay, ...]] = {}
    for overlay in overlays:
        found[overlay.key] = (*found.get(overlay.key, ()), overlay)
    phones = {key: next((one.phone for one in known if one.phone), "") for key, known in found.items()}
    return {key: tuple(replace(one, phone=phones[key]) for one in known) for key, known in found.items()}


def _kilometres(region: Region, place: tuple[float, float]) -> float:
    """Distance on a flat map, exact to a percent within Korea."""
    north = region.latitude - place[0]
    east = (region.longitude - place[1]) * math.cos(math.radians(place[0]))
    return math.hypot(north, east) * _KM_PER_DEGREE
