"""How waste is collected: by streams, each with a day, an hour and a place that every region decides for itself."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from mesh.locale import Text
from rules_svc.collection import evenings


class Stream(StrEnum):
    """How waste is collected: each stream has days, hours and a container of its own."""

    GENERAL = "general"
    NONBURNABLE = "nonburnable"
    FOOD = "food"
    RECYCLABLE = "recyclable"
    PAPER = "paper"
    CLEAR_PET = "clear_pet"
    PLASTIC = "plastic"
    FILM = "film"
    FOAM = "foam"
    GLASS = "glass"
    METAL = "metal"
    BOX = "box"
    HANDOVER = "handover"
    SHOP = "shop"
    BULKY = "bulky"
    BOOKED = "booked"
    CONSTRUCTION = "construction"

    @property
    def recyclable(self) -> bool:
        """Whether it is collected with the recyclables unless a region says otherwise."""
        return self in _RECYCLABLES

    @property
    def by_evening(self) -> bool:
        """Whether it is put out on certain evenings, as the bins and bags at the house are."""
        return self in _BY_EVENING


_RECYCLABLES = frozenset(
    {Stream.PAPER, Stream.CLEAR_PET, Stream.PLASTIC, Stream.FILM, Stream.FOAM, Stream.GLASS, Stream.METAL}
)
# What people call them, in the order in which they are told.
NAMES: Mapping[Stream, Text] = MappingProxyType(
    {
        Stream.GENERAL: Text("일반쓰레기", "general waste"),
        Stream.NONBURNABLE: Text("불연성 쓰레기", "non-burnable waste"),
        Stream.FOOD: Text("음식물쓰레기", "food waste"),
        Stream.RECYCLABLE: Text("재활용품", "recyclables"),
        Stream.PAPER: Text("종이", "paper"),
        Stream.CLEAR_PET: Text("투명 페트병", "clear PET bottles"),
        Stream.PLASTIC: Text("플라스틱", "plastic"),
        Stream.FILM: Text("비닐", "plastic film"),
        Stream.FOAM: Text("스티로폼", "foam"),
        Stream.GLASS: Text("유리", "glass"),
        Stream.METAL: Text("캔·고철", "metal"),
    }
)
_BY_EVENING = _RECYCLABLES | {Stream.GENERAL, Stream.NONBURNABLE, Stream.FOOD, Stream.RECYCLABLE}
# Days without hours: hours are never made up.
_HOURS_UNKNOWN = Text(
    "시간은 자료에 없어요. 보통 해가 진 뒤이니 주민센터에 물어보세요.",
    "The hours aren't known, usually after dark: ask the community centre (주민센터).",
)


@dataclass(frozen=True, slots=True)
class Collection:
    """How a region collects one stream.

    Attributes:
        when: Days and hours, as people read them.
        hours: The same as `evenings` reads them; empty if the days aren't known, or depend on the neighbourhood.
        times_as_of: The date of the times of day in `hours`, if another source than the overlay's tells them.
        place: Where it is put out.
        container: The bag or bin it goes in, in place of the rule's own.
        fee: What it costs, in place of the rule's own.
        differs: Whether it is only the usual practice, since every district decides for itself.
    """

    when: Text | None = None
    hours: str = ""
    times_as_of: str = ""
    place: Text | None = None
    container: Text | None = None
    fee: Text | None = None
    differs: bool = False

    @property
    def told(self) -> Text | None:
        """Days and hours as people read them; days whose hours aren't known say so."""
        if self.when is None or not self.hours or ":" in self.hours or self.hours == evenings.ALWAYS:
            return self.when
        return Text(f"{self.when.ko} {_HOURS_UNKNOWN.ko}", f"{self.when.en} {_HOURS_UNKNOWN.en}")

    def __post_init__(self) -> None:
        """Raises:
        ValueError: The hours can't be read.
        """
        if self.hours:
            evenings.read(self.hours)
