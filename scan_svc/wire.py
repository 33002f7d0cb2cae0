"""Protos of Scan, to domain and back."""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any

from google.protobuf import json_format
from google.protobuf.timestamp_pb2 import Timestamp
from google.type import latlng_pb2

from eco2.character.v1 import character_pb2
from eco2.rules.v1 import disposal_pb2
from eco2.scan.v1 import scan_pb2, scan_service_pb2
from eco2.vision.v1 import classification_pb2
from mesh.identity import Caller
from mesh.locale import Locale
from mesh.mirror import to_proto
from mesh.status import to_status
from scan_svc.lifecycle import Created
from scan_svc.messages import message
from scan_svc.progress import Snapshot
from scan_svc.reply_work import Replied
from scan_svc.results import Answer, Classification, DisposalRule, LatLng, Place, Reward
from scan_svc.scans import NewScan, Photo, Scan, StageRun, State, Step
from scan_svc.watchers import Event

_STATES = MappingProxyType({state: scan_pb2.Scan.State.Value(f"STATE_{state}") for state in State})

Part = Classification | DisposalRule | Answer | Place | Reward | StageRun

# GetScan's `wait`: at most, and what of the caller's deadline is kept for the reply.
_LONGEST_WAIT = 30.0
_REPLY_SECONDS = 0.5

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


def new_scan(
    request: scan_service_pb2.CreateScanRequest, scan_id: str, user_id: str, locale: Locale, photo: Photo
) -> NewScan:
    """What a CreateScanRequest asks for."""
    place = request.location
    return NewScan(
        scan_id=scan_id,
        user_id=user_id,
        request_id=request.request_id,
        payload_hash=_payload_hash(request),
        photo=photo,
        uploaded=request.HasField("upload"),
        user_input=request.user_input,
        location=LatLng(place.latitude, place.longitude) if request.HasField("location") else None,
        region=request.region,
        locale=locale,
        callback_url=request.callback_url,
    )


def scan(value: Scan, locale: Locale) -> scan_pb2.Scan:
    """A scan, its progress message and error in the reader's language."""
    wire = _unread(value)
    wire.progress.message = message(value.state, value.step, locale)
    return wire


def shown(snapshot: Snapshot, locale: Locale, expected_wait: float | None = None) -> scan_pb2.Scan:
    """A snapshot as a reader sees it, with the seconds it is expected to wait if that is known."""
    wire = scan_pb2.Scan.FromString(snapshot.body)
    wire.progress.message = message(snapshot.state, snapshot.step, locale)
    if expected_wait is not None:
        wire.progress.expected_wait.FromMilliseconds(round(expected_wait * 1000))
    return wire


def waiting_time(request: scan_service_pb2.GetScanRequest, seconds_left: float | None) -> float:
    """How many seconds a GetScanRequest may wait: what it asks for, within our limit and its deadline."""
    asked = min(request.wait.ToNanoseconds() / 1e9, _LONGEST_WAIT)
    return asked if seconds_left is None else max(0.0, min(asked, seconds_left - _REPLY_SECONDS))


def scan_as_json(value: Scan) -> dict[str, Any]:
    """A scan as REST clients see it, in its own language."""
    return json_format.MessageToDict(scan(value, value.locale), preserving_proto_field_name=True)


def create_scan_response(created: Created, who: Caller) -> scan_service_pb2.CreateScanResponse:
    """The reply to CreateScan."""
    value, ticket = created.scan, created.ticket
    response = scan_service_pb2.CreateScanResponse(
        scan=scan(value, who.reads(value.locale)),
        image_url=value.photo.image_url,
        status_url=f"/v1/scans/{value.scan_id}",
        webhook_secret=created.webhook_secret,
    )
    if ticket:
        response.upload.CopyFrom(
            scan_service_pb2.UploadTicket(
                url=ticket.url, method="PUT", headers=ticket.headers, expire_time=_timestamp(ticket.expires_at)
            )
        )
    return response


def answer_question_response(replied: Replied, who: Caller) -> scan_service_pb2.AnswerQuestionResponse:
    """The reply to AnswerQuestion."""
    return scan_service_pb2.AnswerQuestionResponse(
        scan=scan(replied.scan, who.reads(replied.scan.locale)),
        understood=replied.understood,
        message=replied.message,
    )


def watch_event(event: Event, who: Caller) -> scan_service_pb2.WatchScanResponse:
    """One event of a watch."""
    return scan_service_pb2.WatchScanResponse(
        type=scan_service_pb2.WatchScanResponse.Type.Value(f"TYPE_{event.kind}"),
        scan=shown(event.scan, who.reads(event.scan.locale)) if event.scan else None,
    )


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
        locale=value.locale,
        create_time=_timestamp(value.created_at),
        start_time=_timestamp(value.started_at),
        finish_time=_timestamp(value.finished_at),
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
            return scan_pb2.Scan(rules=[to_proto(part, disposal_pb2.DisposalRule)])
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


def _timestamp(moment: datetime | None) -> Timestamp | None:
    # A third of what FromDatetime takes.
    return Timestamp(seconds=int(moment.timestamp()), nanos=moment.microsecond * 1000) if moment else None


def _payload_hash(request: scan_service_pb2.CreateScanRequest) -> bytes:
    """Tells a repeated request from another one under the same request_id."""
    content = scan_service_pb2.CreateScanRequest()
    content.CopyFrom(request)
    content.ClearField("request_id")
    return hashlib.sha256(content.SerializeToString(deterministic=True)).digest()
