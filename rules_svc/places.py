"""Places that take waste."""

import math
from dataclasses import dataclass
from enum import StrEnum

from rules_svc.taxonomy import Text

# Streets aren't straight: in a town a walk is about 1.3 times the distance as the crow flies. 4 km/h is an easy pace.
_DETOUR = 1.3
_METERS_A_MINUTE = 4000 / 60


class Kind(StrEnum):
    """What sort of place it is."""

    BATTERY_BOX = "battery_box"
    LAMP_BOX = "lamp_box"
    CLOTHING_BIN = "clothing_bin"
    MEDICINE_BOX = "medicine_box"
    EWASTE_BOX = "ewaste_box"
    CARTON_BOX = "carton_box"
    DEPOSIT_BOTTLE_RETURN = "deposit_bottle_return"
    PET_RETURN_MACHINE = "pet_return_machine"
    ZERO_WASTE_SHOP = "zero_waste_shop"
    RECYCLING_CENTRE = "recycling_centre"


@dataclass(frozen=True, slots=True)
class Location:
    """A point on the earth, WGS 84, in degrees."""

    latitude: float
    longitude: float


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
    """

    place_id: str
    kind: Kind
    name: Text
    address: Text
    location: Location
    materials: tuple[str, ...]
    opening_hours: Text
    is_sample: bool


@dataclass(frozen=True, slots=True)
class NearbyPlace:
    """A place and its great-circle distance from where somebody is."""

    place: Place
    distance_meters: float

    @property
    def walking_minutes(self) -> int:
        """An estimate: the distance, 1.3 times for detours, at 4 km/h, rounded up; at least one minute."""
        return max(1, math.ceil(self.distance_meters * _DETOUR / _METERS_A_MINUTE))
