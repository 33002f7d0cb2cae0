"""Names in a JSON body that no field has."""

import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, struct_pb2
from google.protobuf.descriptor import Descriptor
from google.type import latlng_pb2

from eco2.rules.v1 import rules_service_pb2
from eco2.scan.v1 import scan_service_pb2
from mesh.errors import InvalidArgument
from mesh.validation.body_names import ignored_fields

CREATE_SCAN = scan_service_pb2.CreateScanRequest.DESCRIPTOR
MATCH_RULES = rules_service_pb2.MatchRulesRequest.DESCRIPTOR


def refused(request: Descriptor, listed: str) -> list[str]:
    """The fields that a refusal names."""
    with pytest.raises(InvalidArgument) as raised:
        ignored_fields(request, listed)
    return [violation.field for violation in raised.value.violations]


@pytest.mark.parametrize("listed", ["", "upload,upload.size_bytes,upload.sizeBytes", "location.latitude,requestId"])
def test_both_spellings_of_a_field_are_known(listed: str) -> None:
    """The transcoder reads both, too."""
    assert ignored_fields(CREATE_SCAN, listed) == ""


@pytest.mark.parametrize(
    ("listed", "named"),
    [
        ("location,location.lat,location.lng", ["location.lat", "location.lng"]),
        ("image_url,Image_url", ["Image_url"]),
        ("user_input.text", ["user_input.text"]),
        ("a,a.b,a[0].c", ["a"]),
        ("%40type,a%2Eb", ["%40type", "a%2Eb"]),
        (",".join(f"x{number}" for number in range(64)), [f"x{number}" for number in range(16)]),
    ],
    ids=["inside", "case", "in a text", "topmost", "strange", "many"],
)
def test_each_unknown_name_is_a_violation(listed: str, named: list[str]) -> None:
    """Where it stands, and so many that a reply stays small."""
    assert refused(CREATE_SCAN, listed) == named


def test_a_name_inside_a_list_is_told_with_its_place() -> None:
    """Repeated fields are looked into by the type of their items."""
    assert refused(message_with_a_map(), "places,places[3].latitude,places[3].lat") == ["places[3].lat"]


def test_the_keys_of_a_map_are_free_and_its_values_are_not() -> None:
    """Keys are the caller's; so is what stands in a type with a JSON form of its own."""
    assert ignored_fields(message_with_a_map(), "named.anything.latitude,extra.any.thing,free.key") == ""
    assert refused(message_with_a_map(), "named.anything.lat") == ["named.anything.lat"]


def test_older_paths_are_told_instead() -> None:
    """Their clients send what nobody reads any more."""
    assert ignored_fields(CREATE_SCAN, "~image_url,device.os,theme") == "device.os, theme"
    assert ignored_fields(MATCH_RULES, "~") == ""


def message_with_a_map() -> Descriptor:
    """No request of ours has these kinds of fields; one may come."""
    file = descriptor_pb2.FileDescriptorProto(
        name="test/map.proto",
        package="test",
        dependency=["google/type/latlng.proto", "google/protobuf/struct.proto"],
        syntax="proto3",
    )
    message = file.message_type.add(name="Request")
    kinds = descriptor_pb2.FieldDescriptorProto
    for number, (name, label, kind) in enumerate(
        [
            ("places", kinds.LABEL_REPEATED, ".google.type.LatLng"),
            ("named", kinds.LABEL_REPEATED, ".test.Request.NamedEntry"),
            ("free", kinds.LABEL_REPEATED, ".test.Request.FreeEntry"),
            ("extra", kinds.LABEL_OPTIONAL, ".google.protobuf.Struct"),
        ],
        start=1,
    ):
        message.field.add(name=name, number=number, label=label, type=kinds.TYPE_MESSAGE, type_name=kind)
    for name, value in (("NamedEntry", ".google.type.LatLng"), ("FreeEntry", "")):
        entry = message.nested_type.add(name=name)
        entry.options.map_entry = True
        entry.field.add(name="key", number=1, label=kinds.LABEL_OPTIONAL, type=kinds.TYPE_STRING)
        of_value = {"type": kinds.TYPE_MESSAGE, "type_name": value} if value else {"type": kinds.TYPE_STRING}
        entry.field.add(name="value", number=2, label=kinds.LABEL_OPTIONAL, **of_value)
    pool = descriptor_pool.DescriptorPool()
    for one in (latlng_pb2.DESCRIPTOR, struct_pb2.DESCRIPTOR):
        pool.AddSerializedFile(one.serialized_pb)
    pool.Add(file)
    return pool.FindMessageTypeByName("test.Request")
