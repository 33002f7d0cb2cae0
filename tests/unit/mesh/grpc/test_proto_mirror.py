"""Mirrors: nothing a peer says is lost on the way through."""

from datetime import UTC, datetime

import pytest
from google.protobuf.message import Message
from google.type import latlng_pb2

from eco2.character.v1 import character_pb2
from eco2.rules.v1 import disposal_pb2
from eco2.vision.v1 import classification_pb2
from mesh.grpc.proto_mirror import from_proto, mismatches, to_proto
from scan_svc import results

PAIRS: list[tuple[type, type[Message]]] = [
    (results.Category, classification_pb2.Category),
    (results.Candidate, classification_pb2.Candidate),
    (results.Classification, classification_pb2.Classification),
    (results.Sighting, classification_pb2.Sighting),
    (results.ModelAttempt, classification_pb2.ModelAttempt),
    (results.Usage, classification_pb2.Usage),
    (results.Exclusion, disposal_pb2.Exclusion),
    (results.DisposalRule, disposal_pb2.DisposalRule),
    (results.Answer, disposal_pb2.Answer),
    (results.Opening, disposal_pb2.Opening),
    (results.MapLink, disposal_pb2.MapLink),
    (results.Place, disposal_pb2.Place),
    (results.AppliedRegion, disposal_pb2.AppliedRegion),
    (results.EveningPlan, disposal_pb2.EveningPlan),
    (results.LatLng, latlng_pb2.LatLng),
    (results.Character, character_pb2.Character),
    (results.Reward, character_pb2.Reward),
]


@pytest.mark.parametrize(("mirror", "message"), PAIRS, ids=lambda pair: pair.__name__)
def test_mirror_and_message_have_the_same_fields(mirror: type, message: type[Message]) -> None:
    """A field added to a proto must be carried on, or left out on purpose."""
    assert mismatches(mirror, message) == set()


def test_nested_messages_repeated_fields_and_enums_come_back_as_they_were() -> None:
    """Results are stored as dataclasses and shown as protos."""
    place = results.Place(
        "p1", "수거함", "battery_box", "서울", results.LatLng(37.5, 126.9), 120, None, ("전지",), is_sample=True
    )
    reward = results.Reward(results.RewardOutcome.GRANTED, results.Character("metally", "메탈리"), "middle", False)
    assert from_proto(to_proto(place, disposal_pb2.Place), results.Place) == place
    assert from_proto(to_proto(reward, character_pb2.Reward), results.Reward) == reward


def test_moments_come_back_in_utc_and_an_absent_one_stays_absent() -> None:
    """A place's hours end at some moment, or at none."""
    now = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
    opening = results.Opening(results.OpeningState.OPEN, checked_time=now)
    assert from_proto(to_proto(opening, disposal_pb2.Opening), results.Opening) == opening


def test_absence_is_kept_apart_from_zero() -> None:
    """ "We can't tell" and "no" are different answers."""
    unknown = from_proto(classification_pb2.Classification(), results.Classification)
    no = from_proto(classification_pb2.Classification(mixed=False), results.Classification)
    assert (unknown.mixed, no.mixed) == (None, False)
