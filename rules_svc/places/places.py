"""Places that take waste."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import quote

from mesh.locale import Text

# In a town a walk is about 1.3 times the straight distance; 4 km/h is an easy pace.
_DETOUR = 1.3
_METERS_A_MINUTE = 4000 / 60
_EARTH_METERS = 6371008.8

SAMPLE = "sample"
# Two places of one kind from two sources that are nearer than this are one place.
SAME_PLACE_METERS = 50.0


class PlaceKind(StrEnum):
    """What sort of place it is."""

    BATTERY_BOX = "battery_box"
    LAMP_BOX = "lamp_box"
    CLOTHING_BIN = "clothing_bin"
    MEDICINE_BOX = "medicine_box"
    EWASTE_BOX = "ewaste_box"
    CARTON_BOX = "carton_box"
    DEPOSIT_BOTTLE_RETURN = "deposit_bottle_return"
    PET_RETURN_MACHINE = "pet_return_machine"
    COMPENSATION_SITE = "compensation_site"
    ZERO_WASTE_SHOP = "zero_waste_shop"
    RECYCLING_CENTRE = "recycling_centre"


@dataclass(frozen=True, slots=True)
class Location:
    """A point on the earth, WGS 84, in degrees."""

    latitude: float
    longitude: float

    def meters_to(self, other: "Location") -> float:
        """Great-circle distance, by the haversine formula on a sphere; off by at most 0.5 %."""
        here, there = math.radians(self.latitude), math.radians(other.latitude)
        half = math.sin((there - here) / 2) ** 2
        half += math.cos(here) * math.cos(there) * math.sin(math.radians(other.longitude - self.longitude) / 2) ** 2
        return 2 * _EARTH_METERS * math.asin(min(1.0, math.sqrt(half)))


@dataclass(frozen=True, slots=True)
class MapLink:
    """Where to look at a place on a map: whose map, and what to open."""

    provider: str
    uri: str


@dataclass(frozen=True, slots=True)
class Place:
    """A place that takes waste.

    Attributes:
        place_id: Stable id.
        kind: What sort of place it is.
        name: What it is called.
        address: Postal address.
        location: Where it is.
        materials: Middle (or major) categories it takes.
        opening_hours: As a person would read them; empty when unknown.
        is_sample: Whether it is invented.
        source: Where it is from: "sample", the name of an imported data set, or "kakao".
        hours: The same for `hours.opening`; empty when unknown.
        phone: Phone number; empty when unknown.
        page: Address of its own page on Kakao's map; empty if it has none.
    """

    place_id: str
    kind: PlaceKind
    name: Text
    address: Text
    location: Location
    materials: tuple[str, ...]
    opening_hours: Text
    is_sample: bool
    source: str = SAMPLE
    hours: str = ""
    phone: str = ""
    page: str = ""

    def map_links(self, name: str) -> tuple[MapLink, ...]:
        """Maps that show it.

        Args:
            name: What the pin is called there.
        """
        at = f"{self.location.latitude:.6f},{self.location.longitude:.6f}"
        label = quote(name, safe="")
        latitude, longitude = at.split(",")
        return (
            MapLink("kakao", self.page or f"https://map.kakao.com/link/map/{label},{at}"),
            MapLink(
                "openstreetmap",
                f"https://www.openstreetmap.org/?mlat={latitude}&mlon={longitude}#map=18/{latitude}/{longitude}",
            ),
            MapLink("geo", f"geo:{at}?q={at}({label})"),
        )


@dataclass(frozen=True, slots=True)
class NearbyPlace:
    """A place and its great-circle distance from the user."""

    place: Place
    distance_meters: float

    @property
    def walking_minutes(self) -> int:
        """An estimate: the distance, 1.3 times for detours, at 4 km/h, rounded up; at least one minute."""
        return max(1, math.ceil(self.distance_meters * _DETOUR / _METERS_A_MINUTE))


def merged(ours: Sequence[NearbyPlace], theirs: Iterable[NearbyPlace], limit: int) -> list[NearbyPlace]:
    """Both lists, nearest first; of two of one kind within 50 m the first list's, since it has more details.

    A sample place never replaces a real one.
    """
    known = [nearby.place for nearby in ours if not nearby.place.is_sample]
    added = []
    for nearby in theirs:
        if not any(_same(nearby.place, place) for place in known):
            known.append(nearby.place)
            added.append(nearby)
    return sorted([*ours, *added], key=lambda nearby: (nearby.distance_meters, nearby.place.place_id))[:limit]


def _same(one: Place, other: Place) -> bool:
    return one.kind is other.kind and one.location.meters_to(other.location) <= SAME_PLACE_METERS
