"""Protos of BuildingService to the domain and back."""

from collections.abc import Sequence
from types import MappingProxyType

from google.protobuf.timestamp_pb2 import Timestamp

from eco2.rules.v1 import building_pb2
from mesh.errors import FieldViolation, InvalidArgument
from mesh.locale import Locale, Text
from mesh.reasons import Reason
from rules_svc.buildings.store import Building
from rules_svc.collection.house_hours import HouseHours
from rules_svc.collection.streams import Stream
from rules_svc.rulebook.buildings import BinKind, HouseBin, HouseCollection, HouseRules
from rules_svc.rulebook.regions import Level, Regions

_CollectionKind = building_pb2.BuildingCollection.Kind
_BinKind = building_pb2.BuildingBin.Kind
_KIND = "KIND_"
_INVISIBLE = dict.fromkeys((0x115F, 0x1160, 0x3164, 0xFFA0))
_NO_NAME = MappingProxyType({Locale.KO: "보이는 글자가 있어야 해요", Locale.EN: "must have a letter that can be seen"})
_NO_REGION = MappingProxyType(
    {Locale.KO: "시·군·구를 알 수 있게 적어 주세요", Locale.EN: "must name one city, county or district"}
)
_TWICE = MappingProxyType({Locale.KO: "같은 종류가 두 번 있어요", Locale.EN: "has a kind twice"})


def to_house_rules(building: building_pb2.Building) -> HouseRules:
    """What a manager says.

    Raises:
        InvalidArgument: Nobody can see the name, or a kind is there twice.
    """
    name = building.name.strip()
    # Letters that nobody sees, such as Hangul fillers, are no name.
    if not name.translate(_INVISIBLE):
        raise _invalid("name", "name.visible", _NO_NAME)
    _demand_single("collections", [one.kind for one in building.collections])
    _demand_single("bins", [one.kind for one in building.bins])
    return HouseRules(
        name=name,
        place=_to_text(building, "place"),
        collections=tuple(_to_collection(one) for one in building.collections),
        bins=tuple(HouseBin(BinKind(_key(_BinKind.Name(one.kind))), _to_text(one, "place")) for one in building.bins),
        notice=_to_text(building, "notice"),
    )


def to_district(building: building_pb2.Building, regions: Regions) -> str:
    """The code of the district that a building is in.

    Raises:
        InvalidArgument: It isn't one city, county or district.
    """
    region = regions.find(building.region).region
    if region is None or regions.level(region.key) is Level.PROVINCE:
        raise _invalid("region", "region.known", _NO_REGION)
    return region.code


def to_version(etag: str) -> int:
    """The version that an etag names; -1, which none has, if it isn't ours."""
    return int(etag) if etag.isascii() and etag.isdecimal() and len(etag) < 10 else -1


def from_building(building: Building, user_id: str, regions: Regions, locale: Locale) -> building_pb2.Building:
    """A building, as one user may see it."""
    says, district = building.says or HouseRules(""), regions.find(building.region).region
    response = building_pb2.Building(
        code=building.code,
        name=says.name,
        region=building.region,
        region_name=regions.name(district.key)[locale] if district else "",
        place=_from_text(says.place),
        collections=[_from_collection(one) for one in says.collections],
        bins=[
            building_pb2.BuildingBin(kind=_BinKind.Value(_KIND + one.kind.upper()), place=_from_text(one.place))
            for one in says.bins
        ],
        notice=_from_text(says.notice),
        etag=str(building.version),
        yours=building.manager == user_id,
    )
    response.update_time.CopyFrom(_timestamp(building))
    return response


def _to_collection(one: building_pb2.BuildingCollection) -> HouseCollection:
    # google.type.DayOfWeek counts Monday as 1.
    days = tuple(sorted({day - 1 for day in one.days}))
    hours = HouseHours(days, one.open_time, one.close_time)
    return HouseCollection(Stream(_key(_CollectionKind.Name(one.kind))), hours, _to_text(one, "place"))


def _from_collection(one: HouseCollection) -> building_pb2.BuildingCollection:
    return building_pb2.BuildingCollection(
        kind=_CollectionKind.Value(_KIND + one.stream.upper()),
        days=[day + 1 for day in one.hours.days],
        open_time=one.hours.opens,
        close_time=one.hours.closes,
        place=_from_text(one.place),
    )


def _to_text(
    message: building_pb2.Building | building_pb2.BuildingCollection | building_pb2.BuildingBin, field: str
) -> Text | None:
    if not message.HasField(field):  # type: ignore[arg-type]  # each has those that are asked for
        return None
    text: building_pb2.BuildingText = getattr(message, field)
    return Text(text.ko.strip(), text.en.strip())


def _from_text(text: Text | None) -> building_pb2.BuildingText | None:
    return building_pb2.BuildingText(ko=text.ko, en=text.en) if text else None


def _timestamp(building: Building) -> Timestamp:
    timestamp = Timestamp()
    timestamp.FromDatetime(building.updated_at)
    return timestamp


def _key(name: str) -> str:
    return name.removeprefix(_KIND).lower()


def _demand_single(field: str, kinds: Sequence[int]) -> None:
    if len(set(kinds)) < len(kinds):
        raise _invalid(field, "kind.unique", _TWICE)


def _invalid(field: str, rule: str, text: MappingProxyType[Locale, str]) -> InvalidArgument:
    path = f"building.{field}"
    return InvalidArgument(Reason.INVALID_FIELD, violations=[FieldViolation(path, rule, text)], fields=path)
