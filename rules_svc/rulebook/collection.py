"""How waste is collected: by streams, each with a day, an hour and a place that every region decides for itself."""

from dataclasses import dataclass
from enum import StrEnum

from mesh.locale import Text
from rules_svc.rulebook import evenings


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
_BY_EVENING = _RECYCLABLES | {Stream.GENERAL, Stream.NONBURNABLE, Stream.FOOD, Stream.RECYCLABLE}


@dataclass(frozen=True, slots=True)
class Collection:
    """How a region collects one stream.

    Attributes:
        when: Days and hours, as people read them.
        hours: The same as `evenings` reads them; empty if the days aren't known, or depend on the neighbourhood.
        place: Where it is put out.
        container: The bag or bin it goes in, in place of the rule's own.
        fee: What it costs, in place of the rule's own.
        differs: Whether it is only the usual practice, since every district decides for itself.
    """

    when: Text | None = None
    hours: str = ""
    place: Text | None = None
    container: Text | None = None
    fee: Text | None = None
    differs: bool = False

    def __post_init__(self) -> None:
        """Raises:
        ValueError: The hours can't be read.
        """
        if self.hours:
            evenings.read(self.hours)
