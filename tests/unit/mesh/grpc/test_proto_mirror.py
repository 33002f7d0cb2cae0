"""Mirrors: nothing a peer says is lost on the way through."""

from datetime import UTC, datetime, timedelta

import pytest
from google.protobuf.message import Message
from google.type import latlng_pb2

from eco2.character.v1 import character_pb2
from eco2.jobs.v1 import message_pb2
from eco2.rules.v1 import disposal_pb2, rules_service_pb2
from eco2.vision.v1 import classification_pb2
from mesh.grpc.proto_mirror import from_proto, mismatches, to_proto
from scan_svc.mirrors import character, places, rules, vision
from scan_svc.reminders import messages
from scan_svc.reminders.subscriptions import Channel

PAIRS: list[tuple[type, type[Message]]] = [
    (vision.Category, classification_pb2.Category),
    (vision.Candidate, classification_pb2.Candidate),
    (vision.Classification, classification_pb2.Classification),
    (vision.BoundingBox, classification_pb2.BoundingBox),
    (vision.VideoFrame, classification_pb2.VideoFrame),
    (vision.DetectedObject, classification_pb2.DetectedObject),
    (vision.Sighting, classification_pb2.Sighting),
    (vision.ModelAttempt, classification_pb2.ModelAttempt),
    (vision.Usage, classification_pb2.Usage),
    (rules.Exclusion, disposal_pb2.Exclusion),
    (rules.TakeApartStep, disposal_pb2.TakeApartStep),
    (rules.Evening, disposal_pb2.Evening),
    (rules.DisposalRule, disposal_pb2.DisposalRule),
    (rules.Answer, disposal_pb2.Answer),
    (places.Opening, disposal_pb2.Opening),
    (places.MapLink, disposal_pb2.MapLink),
    (places.Place, disposal_pb2.Place),
    (rules.AppliedRegion, disposal_pb2.AppliedRegion),
    (rules.EveningPlan, disposal_pb2.EveningPlan),
    (rules.Collection, rules_service_pb2.Collection),
    (rules.CollectionDays, rules_service_pb2.ListCollectionsResponse),
    (messages.MessageSpec, message_pb2.MessageSpec),
    (messages.MessageResult, message_pb2.MessageResult),
    (messages.Delivery, message_pb2.MessageResult.Delivery),
    (places.LatLng, latlng_pb2.LatLng),
    (character.Character, character_pb2.Character),
    (character.Reward, character_pb2.Reward),
]


@pytest.mark.parametrize(("mirror", "message"), PAIRS, ids=lambda pair: pair.__name__)
def test_mirror_and_message_have_the_same_fields(mirror: type, message: type[Message]) -> None:
    """A field added to a proto must be carried on, or left out on purpose."""
    assert mismatches(mirror, message) == set()


def test_nested_messages_repeated_fields_and_enums_come_back_as_they_were() -> None:
    """Results are stored as dataclasses and shown as protos."""
    place = places.Place(
        "p1", "수거함", "battery_box", "서울", places.LatLng(37.5, 126.9), 120, None, ("전지",), is_sample=True
    )
    reward = character.Reward(
        character.RewardOutcome.GRANTED, character.Character("metally", "메탈리"), "middle", False
    )
    assert from_proto(to_proto(place, disposal_pb2.Place), places.Place) == place
    assert from_proto(to_proto(reward, character_pb2.Reward), character.Reward) == reward


def test_repeated_enums_come_back_as_they_were() -> None:
    """None of them, and several."""
    for channels in ((), (Channel.WEBHOOK, Channel.PUSH)):
        spec = messages.MessageSpec("a", channels, datetime(2026, 12, 1, 10, tzinfo=UTC))
        assert from_proto(to_proto(spec, message_pb2.MessageSpec), messages.MessageSpec) == spec


def test_moments_come_back_in_utc_and_an_absent_one_stays_absent() -> None:
    """A place's hours end at some moment, or at none."""
    now = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
    opening = places.Opening(places.OpeningState.OPEN, checked_time=now)
    assert from_proto(to_proto(opening, disposal_pb2.Opening), places.Opening) == opening


def test_absence_is_kept_apart_from_zero() -> None:
    """ "We can't tell" and "no" are different answers."""
    unknown = from_proto(classification_pb2.Classification(), vision.Classification)
    no = from_proto(classification_pb2.Classification(mixed=False), vision.Classification)
    assert (unknown.mixed, no.mixed) == (None, False)


def test_durations_come_back_as_they_were() -> None:
    """Where in a video a frame is."""
    frame = vision.VideoFrame(3, timedelta(seconds=12, milliseconds=480), "https://cdn/x.jpg")
    assert from_proto(to_proto(frame, classification_pb2.VideoFrame), vision.VideoFrame) == frame
