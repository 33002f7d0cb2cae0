"""Our JSON against protobuf's own."""

import json

import pytest
from google.protobuf import json_format
from google.protobuf.message import Message
from hypothesis import given
from hypothesis import strategies as st

from eco2.scan.v1 import scan_pb2, scan_service_pb2
from eco2.vision.v1 import classification_pb2
from mesh.errors import InvalidArgument
from mesh.grpc.status import to_status
from mesh.locale import Locale
from mesh.reasons import Reason
from scan_svc.progress.json_writer import JsonWriter

EVERYTHING = scan_pb2.Scan(
    scan_id="0197a1b2-0000-7000-8000-000000000001",
    state="STATE_FAILED",
    version=20003,
    progress={"percent": 0, "stage": "rules", "message": '규정 "찾는" 중\n', "expected_wait": {"seconds": 3}},
    location={"latitude": 37.5, "longitude": 0.0},
    create_time={"seconds": 1_800_000_000, "nanos": 120_000_000},
    classification={
        "category": {"major": "재활용폐기물"},
        "mixed": False,
        "confidence": 0.9,
        "candidates": [{"confidence": 0.5}, {}],
    },
    rules=[{"rule_id": "metal", "steps": ["비워요", ""], "exclusions": [{"item": "a", "instead": "b"}]}],
    places=[{"place_id": "p", "distance_meters": 0, "is_sample": True}],
    reward={"outcome": "OUTCOME_GRANTED", "character": {}, "already_owned": False},
    error=to_status(InvalidArgument(Reason.PHOTO_UNREADABLE, detail="truncated", retry_after=1.5), *Locale),
    stages=[{"stage": "vision", "duration": {"nanos": 5_000_000}, "usage": {"cost_micro_usd": 12}}],
)


@pytest.mark.parametrize(
    "message",
    [
        EVERYTHING,
        scan_pb2.Scan(),
        scan_service_pb2.WatchScanResponse(type="TYPE_UPDATE", scan=EVERYTHING),
        scan_service_pb2.UploadTicket(headers={"If-None-Match": "*", "a": ""}),
    ],
    ids=["everything", "nothing", "event", "map"],
)
def test_it_is_what_protobuf_writes(message: Message) -> None:
    writer = JsonWriter((scan_service_pb2.WatchScanResponse, scan_pb2.Scan), remembered=100)
    expected = json_format.MessageToDict(message, preserving_proto_field_name=True)
    assert json.loads(writer.write(message)) == expected
    assert json.loads(writer.write(message)) == expected, "from memory"


def test_a_part_that_has_changed_is_written_anew() -> None:
    """What is remembered is found by what it says, not by whose it is."""
    writer = JsonWriter((scan_pb2.Scan,), remembered=100)
    scan = scan_pb2.Scan()
    scan.CopyFrom(EVERYTHING)
    writer.write(scan)
    scan.classification.category.middle = "금속류"
    scan.rules[0].steps[1] = "헹궈요"
    assert json.loads(writer.write(scan)) == json_format.MessageToDict(scan, preserving_proto_field_name=True)


@given(st.floats(-1e6, 1e6, width=32))
def test_floats_come_back_as_they_were(value: float) -> None:
    message = classification_pb2.Candidate(confidence=value)
    assert json_format.Parse(JsonWriter((), remembered=0).write(message), classification_pb2.Candidate()) == message
