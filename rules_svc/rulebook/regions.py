"""Regions of Korea: found by code, by name or by the nearest centre, each with what it changes about the rules."""

import math
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Self

from mesh.locale import Text
from rules_svc.rulebook.collection import Collection, Stream
from rules_svc.rulebook.effects import Effect
from rules_svc.rulebook.taxonomy import Path

NATION = "대한민국"

# Farther from every centre than this is taken for outside Korea; the widest counties reach some 50 km from theirs.
_REACH_KM = 60.0
_KM_PER_DEGREE = 111.2
_PROVINCES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "충청북도": ("충북",),
        "충청남도": ("충남",),
        "전남광주통합특별시": (
            "전남광주",
            "전남광주시",
            "전남",
            "전라남도",
            "광주",
            "광주시",
            "광주광역시",
            "gwangju",
            "jeonnam",
            "jeollanam-do",
        ),
        "전북특별자치도": ("전북", "전북도", "전북자치도", "전라북도"),
        "경상북도": ("경북",),
        "경상남도": ("경남",),
        "강원특별자치도": ("강원자치도",),
        "제주특별자치도": ("제주자치도",),
    }
)
_SHORT = MappingProxyType(
    {"인천광역시": ("인천시",), "경상북도": ("경북",), "전라북도": ("전북",), "강원도": ("강원",)}
)
_TITLES = re.compile(r"(통합특별시|특별자치시|특별자치도|특별시|광역시|도|시|군|구)$")
_ENGLISH_TITLES = re.compile(r"[- ](si|gun|gu|do)$")
_SEPARATORS = re.compile(r"[/,>()\s]+")
# What may follow a region in one word with it: another region, or a part of an address.
_TITLED = re.compile(r".(?:시|도|군|구)$")
_ADDRESS = re.compile(r"\d|(?:[동읍면리가로길]|구청|시청|군청)$")
# What Korean speech puts behind a name: "마포구예요", "마포구에 살아요".
_ENDING = re.compile(r"(이에요|예요|이요|요|입니다|에서|에|은|는|이야|야)[.!]?$")


class Level(StrEnum):
    """How wide a region is."""

    NATION = "NATION"
    PROVINCE = "PROVINCE"
    CITY = "CITY"
    DISTRICT = "DISTRICT"


@dataclass(frozen=True, slots=True)
class Overlay:
    """What a region changes about the national rule.

    Attributes:
        key: The region, such as "서울특별시/마포구"; "대한민국" for the nation.
        as_of: The day its source speaks of, ISO 8601; empty if the source has no date.
        source: Where it comes from.
        verified: Whether somebody checked it with the district.
        collections: How it collects, by stream.
        advice: Whom to ask; None if it was verified.
        differently: What it treats otherwise than the national rule.
    """

    key: str
    as_of: str
    source: Text
    verified: bool
    collections: Mapping[Stream, Collection]
    advice: Text | None = None
    differently: tuple[Effect, ...] = ()

    def collection(self, stream: Stream | None) -> Collection | None:
        """How it collects a stream, or else the recyclables it belongs to; None if it doesn't say."""
        if stream is None:
            return None
        own = self.collections.get(stream)
        return own or (self.collections.get(Stream.RECYCLABLE) if stream.recyclable else None)

    def concerns(self, stream: Stream | None, path: Path) -> bool:
        """Whether it says anything about a stream, or treats a category differently."""
        return self.collection(stream) is not None or any(effect.reaches(path) for effect in self.differently)


@dataclass(frozen=True, slots=True)
class Region:
    """One administrative district.

    Attributes:
        code: Its standard code: two digits for a province, five below.
        key: Its Korean name from the province down, such as "서울특별시/마포구".
        english: The last part of it in English, such as "Mapo-gu".
        latitude: Of its centre, roughly its town hall, WGS 84.
        longitude: Likewise.
    """

    code: str
    key: str
    english: str
    latitude: float
    longitude: float

    @property
    def lineage(self) -> tuple[str, ...]:
        """Its key and those of the wider regions around it, narrowest first."""
        parts = self.key.split("/")
        return tuple("/".join(parts[:length]) for length in range(len(parts), 0, -1))

    @property
    def aliases(self) -> frozenset[str]:
        """What its last part is called, folded: with and without its title, in both languages."""
        name, english = self.key.rsplit("/", 1)[-1], self.english.casefold()
        short = _TITLES.sub("", name)
        told = {name, english, _ENGLISH_TITLES.sub("", english), *_PROVINCES.get(name, ())}
        if len(short) > 1:  # 중구 without its title would be any 중
            told |= {short} if "/" in self.key else {short, short + name[-1]}  # 서울시, 강원도
        return frozenset(told)


@dataclass(frozen=True, slots=True)
class Former:
    """A region as it was before a reform.

    Attributes:
        code: Its code then.
        key: Its name then, from the province down.
        now: What it is now; several if it was divided.
    """

    code: str
    key: str
    now: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """What became of a person's word for where they live.

    Attributes:
        region: The region; None if it wasn't recognised, or nothing was said.
        said: What was said, as it was said.
        several: The regions of that name, if there are several and nothing decides between them.
    """

    region: Region | None = None
    said: str = ""
    several: tuple[Region, ...] = ()


@dataclass(frozen=True, slots=True)
class Regions:
    """The gazetteer and what each region changes.

    Attributes:
        overlays: By region's key; only regions about which something is known.
        nation: What holds everywhere else.
    """

    overlays: Mapping[str, Overlay]
    nation: Overlay
    _by_code: Mapping[str, Region]
    _by_key: Mapping[str, Region]
    _by_alias: Mapping[str, tuple[Region, ...]]
    _former: Mapping[str, tuple[Region, ...]]
    _former_names: Mapping[tuple[str, ...], tuple[Region, ...]]
    _centres: tuple[Region, ...] = field(repr=False)

    @classmethod
    def of(
        cls, gazetteer: Sequence[Region], overlays: Iterable[Overlay], nation: Overlay, former: Sequence[Former] = ()
    ) -> Self:
        """The regions with these overlays.

        Raises:
            ValueError: A code or key stands there twice, or an overlay is of no region.
            KeyError: What a former region is now doesn't exist.
        """
        by_code = {region.code: region for region in gazetteer}
        by_key = {region.key: region for region in gazetteer}
        if not len(by_code) == len(by_key) == len(gazetteer):
            raise ValueError("a region stands in the gazetteer twice")
        by_overlay = {overlay.key: overlay for overlay in overlays}
        if strangers := by_overlay.keys() - by_key.keys():
            raise ValueError(f"no such region: {strangers}")
        by_alias = defaultdict[str, list[Region]](list)
        for region in gazetteer:
            for alias in region.aliases:
                by_alias[alias].append(region)
        divided = {key for region in gazetteer for key in region.lineage[1:]}
        return cls(
            overlays=MappingProxyType(by_overlay),
            nation=nation,
            _by_code=MappingProxyType(by_code),
            _by_key=MappingProxyType(by_key),
            _by_alias=MappingProxyType({alias: tuple(found) for alias, found in by_alias.items()}),
            _former={one.code: tuple(by_key[key] for key in one.now) for one in former},
            _former_names=_names_of(former, by_key),
            _centres=tuple(region for region in gazetteer if region.key not in divided),
        )

    def __iter__(self) -> Iterator[Region]:
        return iter(self._by_key.values())

    def find(self, said: str, location: tuple[float, float] | None = None) -> Whereabouts:
        """The region a person means.

        Args:
            said: A name from the province down ("서울특별시/마포구", "서울 마포", "Seoul Mapo-gu"), a name alone
                ("마포구"), or a code of two, five or ten digits. What follows the district, such as a 동, is ignored.
                May be empty.
            location: Latitude and longitude; decides between regions of one name, and where nothing was recognised.
        """
        words = [part for word in _words(said) for part in self._parts(word)]
        candidates = self._of_code(words[0]) if len(words) == 1 and words[0].isdecimal() else self._named(words)
        if len(candidates) > 1 and location is not None:
            candidates = [min(candidates, key=lambda region: _kilometres(region, location))]
        if len(candidates) == 1:
            return Whereabouts(candidates[0], said)
        if candidates:
            return Whereabouts(None, said, tuple(candidates))
        return Whereabouts(self.nearest(*location) if location is not None else None, said)

    def nearest(self, latitude: float, longitude: float) -> Region | None:
        """The district whose centre is nearest: near a border that may be the neighbour. None outside Korea."""
        region = min(self._centres, key=lambda one: _kilometres(one, (latitude, longitude)))
        return region if _kilometres(region, (latitude, longitude)) <= _REACH_KM else None

    def known_of(self, region: Region | None) -> tuple[Overlay, ...]:
        """What is known about a region and the wider ones around it, narrowest first."""
        return tuple(self.overlays[key] for key in region.lineage if key in self.overlays) if region else ()

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

    def _parts(self, word: str) -> list[str]:
        """The regions that are written in one word, and what follows them: 경기도성남시분당구정자동."""
        if word.isascii() or self._knows(word) or self._knows(_ENDING.sub("", word)):
            return [word]
        for length in range(len(word) - 1, 1, -1):
            first, rest = word[:length], word[length:]
            if self._knows(first):
                parts = self._parts(rest)
                if not _TITLED.search(first) and not (self._knows(parts[0]) and _TITLED.search(parts[0])):
                    continue
                if len(parts) > 1 or self._knows(rest) or _ADDRESS.search(rest) or _ENDING.fullmatch(rest):
                    return [first, *parts]
        return [word]

    def _knows(self, name: str) -> bool:
        return name in self._by_alias or (name,) in self._former_names

    def _named(self, words: Sequence[str]) -> list[Region]:
        """The regions that these words name; as many words as possible, so that what stands around is ignored."""
        for start in range(len(words)):
            for end in range(len(words), start, -1):
                *around, last = words[start:end]
                # English puts the district first.
                found = self._called(last, around) or self._called(words[start], words[start + 1 : end])
                found = found or list(self._former_names.get(tuple(words[start:end]), ()))
                if found:
                    provinces = [region for region in found if "/" not in region.key]
                    # 광주 is the city of that name, unless another one has just this name: 광주시 in 경기도.
                    namesake = any(region.key.endswith(f"/{words[start]}") for region in found)
                    return found if namesake else provinces or found
        return []

    def _called(self, name: str, around: Sequence[str]) -> list[Region]:
        """The regions of a name that lie within others."""
        called = self._by_alias.get(name) or self._by_alias.get(_ENDING.sub("", name), ())
        return [region for region in called if self._within(region, around)]

    def _within(self, region: Region, around: Sequence[str]) -> bool:
        """Whether each word names one of the regions around it."""
        names = [self._by_key[key].aliases for key in region.lineage[1:]]
        return all(any(word in aliases for aliases in names) for word in around)


def _words(said: str) -> list[str]:
    folded = unicodedata.normalize("NFC", said).casefold()
    return [word for word in _SEPARATORS.split(folded) if word]


def _names_of(former: Sequence[Former], by_key: Mapping[str, Region]) -> Mapping[tuple[str, ...], tuple[Region, ...]]:
    """What former regions were called, word by word: by their last name alone only if no region has it now."""
    called = defaultdict[tuple[str, ...], dict[str, Region]](dict)
    for one in former:
        province, *below = one.key.split("/")
        now = {key: by_key[key] for key in one.now}
        short = _TITLES.sub("", province)
        for above in {province, short, *_SHORT.get(province, ())} if below else set[str]():
            called[(above, *below)].update(now)
            called[(*below, above)].update(now)
        if not below:
            called[(province,)].update(now)
    return MappingProxyType({words: tuple(found.values()) for words, found in called.items()})


def _kilometres(region: Region, place: tuple[float, float]) -> float:
    """Distance on a flat map, exact to a percent within Korea."""
    north = region.latitude - place[0]
    east = (region.longitude - place[1]) * math.cos(math.radians(place[0]))
    return math.hypot(north, east) * _KM_PER_DEGREE
