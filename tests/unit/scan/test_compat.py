"""Scans in the shapes of older clients."""

from datetime import UTC, datetime
from typing import Any

import pytest
from google.protobuf import json_format
from msgspec.structs import replace

from buf.validate import validate_pb2
from eco2.compat.v1 import compat_service_pb2 as pb
from eco2.scan.v1 import scan_service_pb2
from mesh.errors import InvalidArgument
from mesh.grpc.identity import Caller
from mesh.locale import Locale
from mesh.reasons import TEXTS, Reason
from scan_svc import messages
from scan_svc.compat import events, wire
from scan_svc.mirrors.character import Character, Reward, RewardOutcome
from scan_svc.mirrors.rules import Answer, DisposalRule
from scan_svc.mirrors.vision import Category, Classification
from scan_svc.progress.encoder import SnapshotEncoder
from scan_svc.progress.snapshots import Snapshot
from scan_svc.progress.watchers import EventKind, WatchEvent
from scan_svc.results import Results
from scan_svc.scans import Failure, Photo, Scan, State, Step
from scan_svc.uploads import LARGEST_BYTES

_CREATED, _STARTED, _FINISHED = (datetime(2026, 11, 29, 12, minute, tzinfo=UTC) for minute in range(3))
_KNOWN_AT = datetime(2026, 11, 29, 12, 1, 30, tzinfo=UTC)
_CAN = Category("재활용폐기물", "금속류", "알루미늄캔")
_WAITING = Scan(
    scan_id="01a1fdff-a749-7256-a8de-64f9f9d62c81",
    user_id="mina",
    state=State.AWAITING_UPLOAD,
    version=1,
    photo=Photo("https://cdn.example/photos/1.jpg"),
    created_at=_CREATED,
)
_RUNNING = replace(_WAITING, state=State.RUNNING, step=Step.RULES, percent=60, started_at=_STARTED)
_RESULTS = Results(
    vision=Classification(_CAN, "알루미늄캔", confidence=0.75),
    rules=(DisposalRule("metal", _CAN, steps=("비워요", "눌러요")), DisposalRule("other", _CAN, steps=("…",))),
    answer=Answer("비우고 내놓아요."),
    reward=Reward(RewardOutcome.GRANTED, Character("metally", "메탈리")),
)
_DONE = replace(_RUNNING, state=State.SUCCEEDED, step=Step.DONE, percent=100, results=_RESULTS, finished_at=_FINISHED)
_FAILED = replace(
    _RUNNING,
    state=State.FAILED,
    finished_at=_FINISHED,
    error=Failure.of(InvalidArgument(Reason.PHOTO_UNREADABLE)),
)


def _nothing() -> None: ...


def snapshot(scan: Scan, at: datetime | None = _KNOWN_AT) -> Snapshot:
    """What Redis holds of a scan."""
    body, known = SnapshotEncoder()(scan), at.timestamp() if at else 0.0
    return Snapshot(
        scan.scan_id, scan.user_id, scan.version, scan.state, scan.step, scan.locale, body, queued_at=0.0, at=known
    )


def status_of(scan: Scan, language: str = "ko") -> dict[str, Any]:
    """Its status as an older client reads it."""
    told = wire.waste_status(snapshot(scan), Caller("mina", language))
    return json_format.MessageToDict(told, preserving_proto_field_name=True)


@pytest.mark.parametrize(
    ("state", "word"),
    [
        (State.AWAITING_UPLOAD, "pending"),
        (State.QUEUED, "processing"),
        (State.RUNNING, "processing"),
        (State.SUCCEEDED, "completed"),
        (State.FAILED, "failed"),
        (State.CANCELLED, "failed"),
        (State.EXPIRED, "failed"),
    ],
)
def test_every_state_is_one_of_four_words(state: State, word: str) -> None:
    """Whoever wrote an older client knows no others."""
    assert status_of(replace(_WAITING, state=state))["status"] == word


def test_a_status_has_exactly_these_names() -> None:
    """`progress` even when it is 0, `result` only when there is one."""
    usual = {"job_id", "status", "progress", "message", "updated_at"}
    assert {*status_of(_WAITING)} == {*status_of(_RUNNING)} == {*status_of(_FAILED)} == usual
    assert status_of(_WAITING)["progress"] == 0
    assert {*status_of(_DONE)} == {*usual, "result"}


def test_a_result_is_what_the_scan_found_out() -> None:
    """By the first rule, which is the one to follow."""
    assert status_of(_DONE)["result"] == {
        "job_id": _DONE.scan_id,
        "waste_type": "금속류",
        "confidence": 0.75,
        "feedback": "비우고 내놓아요.",
        "category": "재활용폐기물/금속류/알루미늄캔",
        "display_name": "알루미늄캔",
        "disposal_steps": ["비워요", "눌러요"],
        "image_url": "https://cdn.example/photos/1.jpg",
        "character": "메탈리",
    }


@pytest.mark.parametrize(("provider", "confidence"), [("user", 1.0), ("offline", 0.0)])
def test_confidence_is_always_a_number(provider: str, confidence: float) -> None:
    """The user's own words are as sure as can be; what nobody has said isn't."""
    found = Classification(Category("미분류"), provider=provider)
    result = wire.waste_result(snapshot(replace(_DONE, results=Results(vision=found))))
    assert (result.waste_type, result.HasField("confidence"), result.confidence) == ("미분류", True, confidence)


@pytest.mark.parametrize("language", Locale)
def test_the_message_is_where_it_is_or_why_it_failed(language: Locale) -> None:
    """In the reader's language; an older client shows nothing else of a failure."""
    assert status_of(_RUNNING, language)["message"] == messages.STEPS[Step.RULES][language]
    assert status_of(_FAILED, language)["message"] == TEXTS[Reason.PHOTO_UNREADABLE][language]
    cancelled = replace(_RUNNING, state=State.CANCELLED)
    assert status_of(cancelled, language)["message"] == messages.ENDINGS[State.CANCELLED][language]


def test_the_time_is_that_of_the_end_or_when_it_was_known() -> None:
    """Where neither is known, of what is known to have happened last."""
    reader = Caller("mina", "ko")
    for scan, at, expected in (
        (_DONE, _KNOWN_AT, _FINISHED),
        (_RUNNING, _KNOWN_AT, _KNOWN_AT),
        (_RUNNING, None, _STARTED),
        (_WAITING, None, _CREATED),
    ):
        assert wire.waste_status(snapshot(scan, at), reader).updated_at.ToDatetime(UTC) == expected


async def test_a_stream_tells_each_change_once_and_the_end_last() -> None:
    """An answer that grows is no change to an older client, nor is success before the reward has had its time."""

    async def watched() -> Any:
        for scan, kind in (
            (_WAITING, EventKind.SNAPSHOT),
            (None, EventKind.HEARTBEAT),
            (_RUNNING, EventKind.UPDATE),
            (replace(_RUNNING, version=2, answer_draft="비우고"), EventKind.UPDATE),
            (replace(_RUNNING, version=3, state=State.QUEUED, step=Step.RETRY), EventKind.UPDATE),
            (replace(_DONE, results=Results()), EventKind.UPDATE),
            (_DONE, EventKind.TERMINAL),
        ):
            yield WatchEvent(kind, snapshot(scan) if scan else None)

    assert [frame async for frame in events.frames(watched(), _nothing)] == [
        b'data: {"step":"upload","status":"pending","progress":0}\n\n',
        b": heartbeat\n\n",
        b'data: {"step":"rules","status":"processing","progress":60}\n\n',
        b'data: {"step":"queue","status":"processing","progress":60}\n\n',
        b'data: {"step":"done","status":"completed","progress":100}\n\n',
    ]


@pytest.mark.parametrize("kind", [EventKind.RECONNECT, EventKind.TERMINAL])
async def test_a_stream_of_a_server_that_leaves_ends_without_a_word(kind: EventKind) -> None:
    """An older client takes an end it wasn't told for a cut, and opens another one; a failure is told."""

    async def watched() -> Any:
        yield WatchEvent(kind, snapshot(_FAILED) if kind is EventKind.TERMINAL else None)

    told = [frame async for frame in events.frames(watched(), _nothing)]
    failed = b'data: {"step":"rules","status":"failed","progress":60}\n\n'
    assert told == ([failed] if kind is EventKind.TERMINAL else [])


async def test_an_event_is_a_task_progress() -> None:
    """As the protos, and so the description, say."""

    async def watched() -> Any:
        yield WatchEvent(EventKind.SNAPSHOT, snapshot(_WAITING))

    async for frame in events.frames(watched(), _nothing):
        told = json_format.Parse(frame.removeprefix(b"data: "), pb.TaskProgress())
        assert told == pb.TaskProgress(step="upload", status="pending", progress=0)


def test_an_upload_may_have_the_size_that_could_be_announced() -> None:
    """One limit, whether it is told before or found out later."""
    (rules,) = (
        field.GetOptions().Extensions[validate_pb2.field]
        for field in scan_service_pb2.Upload.DESCRIPTOR.fields
        if field.name == "size_bytes"
    )
    assert rules.uint32.lte == LARGEST_BYTES
