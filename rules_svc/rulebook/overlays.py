"""What a region changes about the national rules."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from mesh.locale import Text
from rules_svc.collection.freshness import advice
from rules_svc.collection.streams import Collection, Stream
from rules_svc.rulebook.effects import Effect
from rules_svc.rulebook.taxonomy import Path

_OFFICE = Text("구청이나 주민센터", "your district office or community centre")


class Grade(StrEnum):
    """How near to the municipality its source is."""

    OWN = "A"
    PUBLIC = "B"
    REPORTED = "C"


@dataclass(frozen=True, slots=True)
class Overlay:
    """What one source says that a region does differently from the national rule.

    Attributes:
        key: The region, such as "서울특별시/마포구"; "대한민국" for the nation.
        as_of: The date of its source, ISO 8601 to the year, the month or the day; empty if the source has no date.
        source: Where it comes from.
        verified: Whether somebody checked it with the district.
        grade: How near to the municipality the source is.
        collections: How it collects, by stream.
        differently: What it does differently from the national rule.
        phone: Of the municipality's department for waste; empty if unknown.
    """

    key: str
    as_of: str
    source: Text
    verified: bool
    grade: Grade
    collections: Mapping[Stream, Collection]
    differently: tuple[Effect, ...] = ()
    phone: str = ""

    def collection(self, stream: Stream | None) -> Collection | None:
        """How it collects a stream, or else the recyclables; None if the source has neither."""
        if stream is None:
            return None
        own = self.collections.get(stream)
        return own or (self.collections.get(Stream.RECYCLABLE) if stream.recyclable else None)

    def concerns(self, stream: Stream | None, path: Path) -> bool:
        """Whether it changes anything for a stream or a category."""
        return self.collection(stream) is not None or any(effect.reaches(path) for effect in self.differently)

    def advice(self, today: date) -> Text | None:
        """How old it is and whom to ask; None if it was verified."""
        return None if self.verified else advice(self.as_of, self._office(), today)

    def _office(self) -> Text:
        """Who knows: the municipality's office, with its telephone number."""
        province, *below = self.key.split("/")
        if not below and not self.phone:
            return _OFFICE if province == "대한민국" else Text(f"{province}청", "the provincial or city office")
        number = f"({self.phone})" if self.phone else ""
        return Text(f"{self.key.rsplit('/', 1)[-1]}청{number}", f"the district or city office {number}".rstrip())
