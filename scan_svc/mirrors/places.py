"""Places that take waste, field by field as in the protos of Rules."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class LatLng:
    """Mirror of `google.type.LatLng`: WGS 84 degrees."""

    latitude: float
    longitude: float


class OpeningState(StrEnum):
    """Mirror of `eco2.rules.v1.Opening.State`."""

    UNSPECIFIED = "UNSPECIFIED"
    OPEN = "OPEN"
    CLOSED = "CLOSED"
    UNKNOWN = "UNKNOWN"


@dataclass(frozen=True, slots=True)
class Opening:
    """Mirror of `eco2.rules.v1.Opening`."""

    state: OpeningState
    text: str = ""
    checked_time: datetime | None = None
    next_change_time: datetime | None = None
    may_differ_on_holidays: bool = False


@dataclass(frozen=True, slots=True)
class MapLink:
    """Mirror of `eco2.rules.v1.MapLink`."""

    provider: str
    uri: str


@dataclass(frozen=True, slots=True)
class Place:
    """Mirror of `eco2.rules.v1.Place`."""

    place_id: str
    name: str
    kind: str
    address: str
    location: LatLng
    distance_meters: int | None = None
    walking_minutes: int | None = None
    materials: tuple[str, ...] = ()
    opening_hours: str = ""
    is_sample: bool = False
    source: str = ""
    opening: Opening | None = None
    map_links: tuple[MapLink, ...] = ()
    phone: str = ""
