"""A scan as `eco2.scan.v1.Scan`: what every reader is sent, and what snapshots keep."""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any

from google.protobuf import json_format
from google.protobuf.timestamp_pb2 import Timestamp
from google.type import latlng_pb2

from eco2.character.v1 import character_pb2
from eco2.rules.v1 import disposal_pb2
from eco2.scan.v1 import scan_pb2
from eco2.vision.v1 import classification_pb2
from mesh.grpc.proto_mirror import to_proto
from mesh.grpc.status import to_status
from mesh.locale import Locale
from scan_svc.messages import message
from scan_svc.mirrors.character import Reward
from scan_svc.mirrors.places import Place
from scan_svc.mirrors.rules import Answer, DisposalRule
from scan_svc.mirrors.vision import Classification
from scan_svc.scans import Scan, StageRun, State, Step

_STATES = MappingProxyType({state: scan_pb2.Scan.State.Value(f"STATE_{state}") for state in State})

Part = Classification | DisposalRule | Answer | Place | Reward | StageRun

_STAGES: Mapping[Step, str] = MappingProxyType(
    {
        Step.FETCH: "vision",
        Step.PREPARE: "vision",
        Step.CLASSIFY: "vision",
        Step.RULES: "rules",
        Step.ANSWER: "answer",
        Step.PLACES: "places",
        Step.REWARD: "reward",
        Step.DONE: "done",
    }
)


def canonical(identifier: str) -> str:
    """A UUID of a request as we write it: iPhones write them in capitals."""
    return identifier.lower()


def scan(value: Scan, locale: Locale) -> scan_pb2.Scan:
    """A scan, its progress message and error in the reader's language."""
    wire = _unread(value)
    wire.progress.message = message(value.state, value.step, locale)
    return wire


def scan_as_json(value: Scan) -> dict[str, Any]:
    """A scan as REST clients see it, in its own language."""
    return json_format.MessageToDict(scan(value, value.locale), preserving_proto_field_name=True)


def _unread(value: Scan) -> scan_pb2.Scan:
    wire = head(value)
    for part in parts(value):
        wire.MergeFrom(part_of_scan(part))
    return wire


def head(value: Scan) -> scan_pb2.Scan:
    """What of a scan changes from version to version, and what is small."""
    return scan_pb2.Scan(
        scan_id=value.scan_id,
        state=_STATES[value.state],
        version=value.version,
        progress=scan_pb2.ScanProgress(percent=value.percent, stage=_STAGES.get(value.step, "")),
        image_url=value.photo.image_url,
        user_input=value.user_input,
        location=to_proto(value.location, latlng_pb2.LatLng) if value.location else None,
        region=value.region,
        building=value.building,
        locale=value.locale,
        create_time=timestamp(value.created_at),
        start_time=timestamp(value.started_at),
        finish_time=timestamp(value.finished_at),
        answer_draft=value.answer_draft,
        error=to_status(value.error.error(), *Locale) if value.error else None,
    )


def parts(value: Scan) -> tuple[Part, ...]:
    """What of a scan stays as it is once it is there: its results, and the stages behind it."""
    found = value.results
    once = (found.vision, found.answer, found.reward)
    return (*(part for part in once if part), *(found.rules or ()), *(found.places or ()), *value.stages)


def part_of_scan(part: Part) -> scan_pb2.Scan:
    """A message with one part alone; merged, the messages of all parts and the head are the scan."""
    match part:
        case Classification():
            return scan_pb2.Scan(classification=to_proto(part, classification_pb2.Classification))
        case DisposalRule():
            rule = to_proto(part, disposal_pb2.DisposalRule)
            return scan_pb2.Scan(object_rules=[rule]) if part.object_id else scan_pb2.Scan(rules=[rule])
        case Answer():
            return scan_pb2.Scan(answer=to_proto(part, disposal_pb2.Answer))
        case Place():
            return scan_pb2.Scan(places=[to_proto(part, disposal_pb2.Place)])
        case Reward():
            return scan_pb2.Scan(reward=to_proto(part, character_pb2.Reward))
        case StageRun():
            return scan_pb2.Scan(stages=[_stage_run(part)])


def _stage_run(run: StageRun) -> scan_pb2.StageRun:
    wire = scan_pb2.StageRun(stage=run.stage, attempts=run.attempts)
    wire.duration.FromMilliseconds(run.duration_ms)
    if run.usage:
        wire.usage.CopyFrom(to_proto(run.usage, classification_pb2.Usage))
    return wire


def timestamp(moment: datetime | None) -> Timestamp | None:
    """A moment as protobuf writes it."""
    # A third of what FromDatetime takes.
    return Timestamp(seconds=int(moment.timestamp()), nanos=moment.microsecond * 1000) if moment else None
