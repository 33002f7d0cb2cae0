"""Requests that hold too much are refused by their lengths, at any depth, and the refusal doesn't grow with them."""

import time
from collections.abc import Iterator

import pytest
from _pytest.mark import ParameterSet
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from eco2.character.v1 import character_service_pb2
from eco2.rules.v1 import rules_service_pb2
from eco2.scan.v1 import event_stream_service_pb2, operations_service_pb2, scan_service_pb2
from eco2.vision.v1 import vision_service_pb2
from mesh.errors import MOST_VIOLATIONS, InvalidArgument
from mesh.grpc.status import MOST_BYTES, to_status, wire_bytes
from mesh.locale import Locale
from mesh.reasons import Reason
from mesh.validation.rules import admit

MODULES = (
    character_service_pb2,
    event_stream_service_pb2,
    operations_service_pb2,
    rules_service_pb2,
    scan_service_pb2,
    vision_service_pb2,
)
REQUESTS = [
    method.input_type
    for module in MODULES
    for service in module.DESCRIPTOR.services_by_name.values()
    for method in service.methods
]
MEGABYTE = 1_000_000


def fields_of(message: Descriptor, above: tuple[FieldDescriptor, ...] = ()) -> Iterator[tuple[FieldDescriptor, ...]]:
    """Every field of a message, with those on the way to it."""
    for field in message.fields:
        yield (*above, field)
        if field.message_type and len(above) < 4:
            yield from fields_of(field.message_type, (*above, field))


def holder(request: Message, way: tuple[FieldDescriptor, ...]) -> Message:
    """The message in a request that has the last field of a way."""
    for field in way[:-1]:
        value = getattr(request, field.name)
        request = value.add() if field.is_repeated else value
    return request


def every(kind: str) -> list[ParameterSet]:
    """Ways to every list or every text that a request of ours may hold."""
    found = []
    for request in REQUESTS:
        for way in fields_of(request):
            field = way[-1]
            if (kind == "list" and field.is_repeated) or (kind == "text" and field.type == FieldDescriptor.TYPE_STRING):
                path = ".".join([request.name, *(each.name for each in way)])
                found.append(pytest.param(request, way, id=path))
    return found


def refused(request: Message) -> InvalidArgument:
    """How a request is refused: within a few milliseconds of CPU, and in little space."""
    began = time.thread_time()
    with pytest.raises(InvalidArgument) as caught:
        admit(request)
    assert time.thread_time() - began < 0.1  # it was 11 s
    assert caught.value.reason is Reason.INVALID_FIELD
    assert len(caught.value.violations) <= MOST_VIOLATIONS
    for locales in ((Locale.KO,), tuple(Locale)):
        assert wire_bytes(to_status(caught.value, *locales)) <= MOST_BYTES
    return caught.value


@pytest.mark.parametrize(("request_type", "way"), every("list"))
def test_a_list_is_measured_before_its_items(request_type: Descriptor, way: tuple[FieldDescriptor, ...]) -> None:
    """340,000 empty tags once took 13 s, 1.3 GB and 43 MB of details."""
    request = GetMessageClass(request_type)()
    inner, field = holder(request, way), way[-1]
    if field.message_type:
        for _ in range(100_000):
            getattr(inner, field.name).add()
    else:
        getattr(inner, field.name).extend([""] * 340_000)
    (violation,) = refused(request).violations
    assert violation.field.split(".")[-1] == field.name
    assert violation.rule == "repeated.max_items"


@pytest.mark.parametrize(("request_type", "way"), every("text"))
def test_a_text_is_measured_before_it_is_read(request_type: Descriptor, way: tuple[FieldDescriptor, ...]) -> None:
    """Patterns and Unicode's forms cost by the letter, and more for some letters."""
    for letters in ("\x00", "가", "a\u0301\u0316", "\U0001f600"):
        request = GetMessageClass(request_type)()
        inner, field = holder(request, way), way[-1]
        text = letters * (MEGABYTE // len(letters.encode()))
        if field.is_repeated:
            getattr(inner, field.name).append(text)
        else:
            setattr(inner, field.name, text)
        rules = {each.field.split(".")[-1].split("[")[0]: each.rule for each in refused(request).violations}
        assert rules[field.name] == "string.max_len"


def test_requests_hold_no_maps() -> None:
    """Their keys would be texts that nobody composes and limits one by one."""
    assert not [
        way
        for request in REQUESTS
        for way in fields_of(request)
        if way[-1].message_type and way[-1].message_type.GetOptions().map_entry
    ]


def test_lists_in_lists_are_counted_together() -> None:
    """A hundred lists of a hundred are still too many."""
    request = rules_service_pb2.ComposeAnswerRequest(classification={"category": {"major": "종이"}})
    for _ in range(5):
        rule = request.rules.add()
        rule.steps.extend(["step"] * 100)
        rule.hazards.extend(["hazard"] * 100)
        rule.applied_tags.extend(["tag"] * 100)
        for _ in range(100):
            rule.exclusions.add()
    assert refused(request).violations[0].rule == "repeated.max_items"


def test_what_breaks_many_rules_is_told_in_part() -> None:
    """Sixteen tell what is wrong; how many more there are is said in both languages."""
    request = rules_service_pb2.ComposeAnswerRequest(rules=[{}], classification={"category": {"major": "종이"}})
    for _ in range(50):
        request.classification.candidates.add(category={"major": "x" * 41, "middle": "x" * 41})
    error = refused(request)
    assert (len(error.violations), error.unlisted) == (16, 50 * 2 - 16)


def test_unknown_fields_cost_next_to_nothing() -> None:
    """A newer client may send them; a hostile one may send a megabyte of them."""
    request = scan_service_pb2.GetScanRequest.FromString(b"\x9a\x06\x00" * (MEGABYTE // 3))
    refused(request)


def test_nesting_without_end_is_not_followed() -> None:
    """What can't be decoded is None, and refused like anything else."""
    with pytest.raises(InvalidArgument):
        admit(None)


def test_a_usual_request_passes() -> None:
    """As long as the proto allows, decomposed."""
    admit(
        scan_service_pb2.CreateScanRequest(
            image_url="https://example.com/" + "a" * 2000, user_input="각" * 500, region="각" * 100
        )
    )
