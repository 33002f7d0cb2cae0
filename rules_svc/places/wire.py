"""FindPlaces' protos to the domain and back."""

from datetime import datetime
from types import MappingProxyType

from google.type import latlng_pb2

from eco2.rules.v1 import disposal_pb2, rules_service_pb2
from mesh.errors import FieldViolation, InvalidArgument
from mesh.locale import Locale
from mesh.reasons import Reason
from mesh.validation.normalization import composed
from rules_svc.places.opening_hours import Opening, opening
from rules_svc.places.opening_hours_text import opening_phrase
from rules_svc.places.places import Location, NearbyPlace
from rules_svc.rulebook.taxonomy import Taxonomy

DEFAULT_RADIUS_METERS = 3000
DEFAULT_PLACES = 5
_UNKNOWN_MATERIAL = MappingProxyType(
    {Locale.KO: "분류표에 없는 분류예요", Locale.EN: "must be a major or middle category"}
)


def to_materials(request: rules_service_pb2.FindPlacesRequest, taxonomy: Taxonomy) -> tuple[str, ...]:
    """The materials asked for.

    Raises:
        InvalidArgument: One isn't a major or middle category; an empty result would be misleading.
    """
    materials = tuple(composed(material) for material in request.materials)
    known = taxonomy.materials()
    violations = [
        FieldViolation(f"materials[{index}]", "materials.known", _UNKNOWN_MATERIAL)
        for index, material in enumerate(materials)
        if material not in known
    ]
    if violations:
        fields = ", ".join(violation.field for violation in violations)
        raise InvalidArgument(Reason.INVALID_FIELD, violations=violations, fields=fields)
    return materials


def to_location(location: latlng_pb2.LatLng) -> Location:
    """The user's location."""
    return Location(location.latitude, location.longitude)


def to_radius(request: rules_service_pb2.FindPlacesRequest) -> int:
    """How far, in metres."""
    return request.radius_meters if request.HasField("radius_meters") else DEFAULT_RADIUS_METERS


def to_limit(request: rules_service_pb2.FindPlacesRequest) -> int:
    """How many."""
    return request.limit if request.HasField("limit") else DEFAULT_PLACES


def from_nearby(nearby: NearbyPlace, now: datetime, locale: Locale) -> disposal_pb2.Place:
    """A place, how far it is and whether it is open, in one language."""
    place = nearby.place
    links = place.map_links(place.name[locale])
    return disposal_pb2.Place(
        place_id=place.place_id,
        name=place.name[locale],
        kind=place.kind,
        address=place.address[locale],
        location=latlng_pb2.LatLng(latitude=place.location.latitude, longitude=place.location.longitude),
        distance_meters=round(nearby.distance_meters),
        walking_minutes=nearby.walking_minutes,
        materials=place.materials,
        opening_hours=place.opening_hours[locale],
        is_sample=place.is_sample,
        source=place.source,
        opening=_from_opening(opening(place.hours, now), locale),
        map_links=[disposal_pb2.MapLink(provider=link.provider, uri=link.uri) for link in links],
        phone=place.phone,
    )


def _from_opening(found: Opening, locale: Locale) -> disposal_pb2.Opening:
    message = disposal_pb2.Opening(
        state=disposal_pb2.Opening.State.Value(f"STATE_{found.state}"),
        text=opening_phrase(found)[locale],
        may_differ_on_holidays=found.may_differ_on_holidays,
    )
    message.checked_time.FromDatetime(found.checked_at)
    if found.changes_at is not None:
        message.next_change_time.FromDatetime(found.changes_at)
    return message
