"""Validation: what the protos demand, told in both languages."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

from buf.validate import validate_pb2
from eco2.character.v1 import character_service_pb2
from eco2.rules.v1 import disposal_pb2, rules_service_pb2
from eco2.scan.v1 import operations_service_pb2, scan_service_pb2
from eco2.vision.v1 import classification_pb2, vision_service_pb2
from mesh.errors import InvalidArgument
from mesh.locale import Locale
from mesh.reasons import Reason
from mesh.validation.rules import KOREAN, admit

SEOUL = {"latitude": 37.5, "longitude": 127.0}
MODULES = (
    character_service_pb2,
    classification_pb2,
    disposal_pb2,
    operations_service_pb2,
    rules_service_pb2,
    scan_service_pb2,
    vision_service_pb2,
)


def rules_of(field: FieldDescriptor) -> Iterator[str]:
    """Ids of the rules a field carries, as protovalidate reports them."""
    rules = field.GetOptions().Extensions[validate_pb2.field]
    yield from (rule.id for rule in rules.cel)
    if rules.required:
        yield "required"
    kind = rules.WhichOneof("type")
    if kind:
        names = {name.name for name, _ in getattr(rules, kind).ListFields()} - {"items"}
        if {"gte", "lte"} <= names:
            names = names - {"gte", "lte"} | {"gte_lte"}
        yield from (f"{kind}.{name}" for name in names)


def all_rules() -> set[str]:
    messages: list[Descriptor] = [m for module in MODULES for m in module.DESCRIPTOR.message_types_by_name.values()]
    return {rule for message in messages for field in message.fields for rule in rules_of(field)}


def test_every_rule_has_a_korean_text() -> None:
    """A rule added to a proto would otherwise be told in English to everybody."""
    assert all_rules() <= set(KOREAN)


@pytest.mark.parametrize(
    ("request_message", "field", "rule"),
    [
        (scan_service_pb2.CreateScanRequest(), "source", "required"),
        (
            scan_service_pb2.CreateScanRequest(image_url="https://example.com", location={"longitude": 126.9}),
            "location",
            "location.complete",
        ),
        (
            scan_service_pb2.CreateScanRequest(upload={"content_type": "image/gif", "size_bytes": 1}),
            "upload.content_type",
            "string.in",
        ),
        (
            scan_service_pb2.CreateScanRequest(upload={"content_type": "image/png", "size_bytes": 1 << 30}),
            "upload.size_bytes",
            "uint32.lte",
        ),
        (scan_service_pb2.GetScanRequest(scan_id="1"), "scan_id", "string.uuid"),
        (scan_service_pb2.GetScanRequest(), "scan_id", "string.uuid"),
        (rules_service_pb2.MatchRulesRequest(category={"major": "종이"}, tags=["a", ""]), "tags[1]", "string.min_len"),
    ],
)
def test_a_bad_field_is_named_with_its_rule(request_message: object, field: str, rule: str) -> None:
    """A client must be able to point at the input that was wrong."""
    with pytest.raises(InvalidArgument) as caught:
        admit(request_message)
    assert caught.value.reason is Reason.INVALID_FIELD
    assert [(violation.field, violation.rule) for violation in caught.value.violations] == [(field, rule)]
    assert caught.value.violations[0].text[Locale.KO] == KOREAN[rule]


CATEGORY = {"major": "종이"}
SOURCE = {"image_url": "https://example.com/photo.jpg"}


@pytest.mark.parametrize(
    ("request_message", "field"),
    [
        (scan_service_pb2.CreateScanRequest(**SOURCE, user_input="a\0b"), "user_input"),
        (scan_service_pb2.CreateScanRequest(**SOURCE, region="a\0b"), "region"),
        (scan_service_pb2.CreateScanRequest(**SOURCE, request_id="a\0b"), "request_id"),
        (rules_service_pb2.MatchRulesRequest(category={"major": "a\0b"}), "category.major"),
        (rules_service_pb2.MatchRulesRequest(category=CATEGORY, tags=["a\0b"]), "tags[0]"),
        (rules_service_pb2.MatchRulesRequest(category=CATEGORY, region="a\0b"), "region"),
        (rules_service_pb2.FindPlacesRequest(location=SEOUL, materials=["a\0b"]), "materials[0]"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_nul_character_is_refused(request_message: object, field: str) -> None:
    """PostgreSQL can't store one: what got through would be a fault of ours."""
    with pytest.raises(InvalidArgument) as caught:
        admit(request_message)
    assert caught.value.reason is Reason.INVALID_FIELD
    assert [(violation.field, violation.rule) for violation in caught.value.violations] == [(field, "string.pattern")]


NAN, INFINITY = float("nan"), float("inf")
NO_PLACE = [{}, {"latitude": 37.5}, {"longitude": 127.0}, {"latitude": 0.0, "longitude": 0.0}, {"latitude": -0.0}]
FOREIGN = [
    {"latitude": NAN, "longitude": 127.0},
    {"latitude": 37.5, "longitude": NAN},
    {"latitude": INFINITY, "longitude": 127.0},
    {"latitude": 127.0, "longitude": 37.5},
    {"latitude": 37.5, "longitude": 181.0},
]
AT = {
    "CreateScan": lambda place: scan_service_pb2.CreateScanRequest(**SOURCE, location=place),
    "MatchRules": lambda place: rules_service_pb2.MatchRulesRequest(category=CATEGORY, location=place),
    "FindPlaces": lambda place: rules_service_pb2.FindPlacesRequest(location=place),
}


@pytest.mark.parametrize("request_at", AT.values(), ids=AT)
@pytest.mark.parametrize("place", [*NO_PLACE, *FOREIGN], ids=str)
def test_a_location_that_says_nothing_is_refused(request_at: Callable[[Any], Message], place: dict[str, float]) -> None:
    """A client that misspells a half of it must not be told of places in the Gulf of Guinea."""
    with pytest.raises(InvalidArgument) as caught:
        admit(request_at(place))
    assert {violation.field for violation in caught.value.violations} == {"location"}


@pytest.mark.parametrize("request_at", AT.values(), ids=AT)
def test_a_location_is_taken(request_at: Callable[[Any], Message]) -> None:
    """Both halves, or none where it isn't needed."""
    admit(request_at(SEOUL))


def test_places_are_nowhere_without_a_location() -> None:
    """`GET /v1/places` alone."""
    with pytest.raises(InvalidArgument) as caught:
        admit(rules_service_pb2.FindPlacesRequest())
    assert [violation.field for violation in caught.value.violations] == ["location"]


LOCALES = ["en-001", "ko-Kore-KR", "ja-JP", "en_US@calendar=japanese", "en_US.UTF-8", "zh-Hant-TW", "EN", "*", "한국어"]


@pytest.mark.parametrize("locale", LOCALES)
def test_no_locale_is_refused(locale: str) -> None:
    """What a phone calls its language isn't the user's fault."""
    admit(scan_service_pb2.CreateScanRequest(**SOURCE, locale=locale))
    admit(rules_service_pb2.GetTaxonomyRequest(locale=locale))
    admit(character_service_pb2.ListCharactersRequest(locale=locale))


def test_free_text_may_have_several_lines() -> None:
    """Nothing but NUL is refused."""
    admit(scan_service_pb2.CreateScanRequest(**SOURCE, user_input="첫 줄\n둘째 줄\r\n\t😀\n"))
