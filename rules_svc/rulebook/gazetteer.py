"""The districts of Korea, and how people name them: old and new names, short ones, in Korean and English."""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Self

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
    {
        "인천광역시": ("인천시",),
        "경상북도": ("경북",),
        "전라북도": ("전북",),
        "전라남도": ("전남",),
        "강원도": ("강원",),
    }
)
_TITLES = re.compile(r"(통합특별시|특별자치시|특별자치도|특별시|광역시|도|시|군|구)$")
_ENGLISH_TITLES = re.compile(r"[- ](si|gun|gu|do)$")
# A hyphen separates Korean names; in English it belongs to one: Mapo-gu.
_SEPARATORS = re.compile(r"[/,>()_\s]+|(?<=[가-힣])-(?=[가-힣])")
_COUNTRY = re.compile(r"^대한민국(?=.)")
# What stands beside names in English addresses: Seoul Special City, Mapo District.
_ENGLISH_WORDS = frozenset(
    {"special", "metropolitan", "self-governing", "city", "district", "county", "province", "republic", "of", "korea"}
)
# What may follow a region in one word with it: another region, or a part of an address.
_TITLED = re.compile(r".(?:시|도|군|구)$")
_ADDRESS = re.compile(r"\d|(?:[동읍면리가로길]|구청|시청|군청)$")
# Particles and endings behind a name: "마포구예요", "마포구에 살아요".
_ENDING = re.compile(r"(이에요|예요|이요|요|입니다|에서|에|은|는|이야|야)[.!]?$")


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
        names = {name, english, _ENGLISH_TITLES.sub("", english), *_PROVINCES.get(name, ())}
        if len(short) > 1:  # 중구 without its title would be 중, which is ambiguous
            names |= {short} if "/" in self.key else {short, short + name[-1]}  # 서울시, 강원도
        return frozenset(names)


@dataclass(frozen=True, slots=True)
class FormerRegion:
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
class RegionNames:
    """Finds regions by their names."""

    _by_key: Mapping[str, Region]
    _by_alias: Mapping[str, tuple[Region, ...]]
    _former: Mapping[tuple[str, ...], tuple[Region, ...]]

    @classmethod
    def of(cls, by_key: Mapping[str, Region], former: Sequence[FormerRegion]) -> Self:
        """The names of these regions, and of those that a reform replaced by them."""
        by_alias = defaultdict[str, list[Region]](list)
        for region in by_key.values():
            for alias in region.aliases:
                by_alias[alias].append(region)
        aliases = {alias: tuple(found) for alias, found in by_alias.items()}
        return cls(by_key, MappingProxyType(aliases), _former_names(former, by_key))

    def words(self, text: str) -> list[str]:
        """A text's words, folded; regions that are written in one word are separated."""
        folded = unicodedata.normalize("NFC", text).casefold()
        words = [_COUNTRY.sub("", word) for word in _SEPARATORS.split(folded) if word]
        named = [word for word in words if word not in _ENGLISH_WORDS]
        return [part for word in named for part in self._parts(word)]

    def find(self, words: Sequence[str]) -> list[Region]:
        """The regions that these words name; the longest match wins, and words around it are ignored."""
        for start in range(len(words)):
            for end in range(len(words), start, -1):
                *around, last = words[start:end]
                # English puts the district first.
                found = self._called(last, around) or self._called(words[start], words[start + 1 : end])
                found = found or list(self._former.get(tuple(words[start:end]), ()))
                if found:
                    provinces = [region for region in found if "/" not in region.key]
                    # 광주 is the city of that name, unless another one has just this name: 광주시 in 경기도.
                    namesake = any(region.key.endswith(f"/{words[start]}") for region in found)
                    return found if namesake else provinces or found
        return []

    def _parts(self, word: str) -> list[str]:
        """The regions that are written in one word, and what follows them: 경기도성남시분당구정자동."""
        if word.isascii() or self._knows(word) or self._knows(_ENDING.sub("", word)):
            return [word]
        for length in range(len(word) - 1, 1, -1):
            first, rest = word[:length], word[length:]
            if self._knows(first):
                parts = self._parts(rest)
                if not _TITLED.search(first) and not self._follows(first, parts[0]):
                    continue
                if len(parts) > 1 or self._knows(rest) or _ADDRESS.search(rest) or _ENDING.fullmatch(rest):
                    return [first, *parts]
        return [word]

    def _knows(self, name: str) -> bool:
        return name in self._by_alias or (name,) in self._former

    def _follows(self, wider: str, name: str) -> bool:
        """Whether a name behind another one without a blank is a region's: with its title, or within the other."""
        return self._knows(name) and bool(_TITLED.search(name) or self._called(name, (wider,)))

    def _called(self, name: str, around: Sequence[str]) -> list[Region]:
        """The regions of a name that lie within others."""
        called = self._by_alias.get(name) or self._by_alias.get(_ENDING.sub("", name), ())
        return [region for region in called if self._within(region, around)]

    def _within(self, region: Region, around: Sequence[str]) -> bool:
        """Whether each word names one of the regions around it."""
        names = [self._by_key[key].aliases for key in region.lineage[1:]]
        return all(any(word in aliases for aliases in names) for word in around)


def _former_names(
    former: Sequence[FormerRegion], by_key: Mapping[str, Region]
) -> Mapping[tuple[str, ...], tuple[Region, ...]]:
    """What former regions were called, word by word: by their last name alone only if no region has it now."""
    called = defaultdict[tuple[str, ...], dict[str, Region]](dict)
    for one in former:
        province, *below = one.key.split("/")
        now = {key: by_key[key] for key in one.now}
        short = _TITLES.sub("", province)
        for above in (
            {province, short, *_SHORT.get(province, ()), *_PROVINCES.get(province, ())} if below else set[str]()
        ):
            for names in {tuple(below), (*below[:-1], _TITLES.sub("", below[-1]))}:
                if len(names[-1]) > 1:
                    called[(above, *names)].update(now)
                    called[(*names, above)].update(now)
        if not below:
            called[(province,)].update(now)
    return MappingProxyType({words: tuple(found.values()) for words, found in called.items()})
