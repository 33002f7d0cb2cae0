"""Encoded snapshots: however they are put together, they say what the scan says."""

from datetime import UTC, datetime
from typing import Any

from msgspec.structs import replace

from eco2.scan.v1 import scan_pb2
from mesh.errors import NotFound
from mesh.reasons import Reason
from scan_svc import scan_proto
from scan_svc.mirrors.places import LatLng
from scan_svc.mirrors.rules import Answer, DisposalRule
from scan_svc.mirrors.vision import Category, Classification, Usage
from scan_svc.progress.encoder import SnapshotEncoder
from scan_svc.results import Results
from scan_svc.scans import Failure, Photo, Scan, StageRun, State, Step

_CATEGORY = Category("재활용폐기물", "금속류")
_NOW = datetime(2026, 11, 21, 12, 30, 0, 250_000, tzinfo=UTC)

_NEW = Scan(
    scan_id="01a1fdff-a749-7256-a8de-64f9f9d62c81",
    user_id="mina",
    state=State.QUEUED,
    version=1,
    photo=Photo("https://cdn.example/photos/1.jpg"),
    location=LatLng(37.5, 126.9),
    created_at=_NOW,
    started_at=_NOW,
)


def _next(scan: Scan, **changes: Any) -> Scan:
    return replace(scan, version=scan.version + 1, **changes)


_CLASSIFIED = _next(
    _NEW,
    state=State.RUNNING,
    percent=60,
    step=Step.RULES,
    results=Results(vision=Classification(_CATEGORY, "알루미늄캔", confidence=0.9)),
    stages=(StageRun("vision", 1, 1200, Usage("gpt", 10, 20, 30)),),
)
_RULED = _next(
    _CLASSIFIED,
    results=Results(
        vision=_CLASSIFIED.results.vision,
        rules=(DisposalRule("metal", _CATEGORY, title="금속류"), DisposalRule("can", _CATEGORY, title="캔")),
    ),
    stages=(*_CLASSIFIED.stages, StageRun("rules", 2, 3)),
)
_ANSWERED = _next(
    _RULED,
    results=Results(
        vision=_RULED.results.vision, rules=_RULED.results.rules, answer=Answer("헹구세요.", rule_ids=("metal",))
    ),
)
_FAILED = _next(
    _ANSWERED, state=State.FAILED, finished_at=_NOW, error=Failure.of(NotFound(Reason.PHOTO_NOT_FOUND, object_key="x"))
)
_VERSIONS = (_NEW, _CLASSIFIED, _RULED, _ANSWERED, _FAILED)


def test_a_body_says_what_the_scan_says() -> None:
    """At every version, by the same maker, though most parts were made for an earlier one."""
    bodies = SnapshotEncoder()
    for scan in _VERSIONS:
        said = scan_pb2.Scan.FromString(bodies(scan))
        expected = scan_proto.scan(scan, scan.locale)
        expected.progress.message = ""
        assert said == expected


def test_a_part_that_changed_is_made_anew() -> None:
    """Somebody answered a question: another classification stands where the first one stood."""
    bodies = SnapshotEncoder()
    bodies(_CLASSIFIED)
    other = _next(_CLASSIFIED, results=Results(vision=Classification(Category("음식물류폐기물"))))
    assert scan_pb2.Scan.FromString(bodies(other)).classification.category.major == "음식물류폐기물"


def test_it_keeps_no_more_than_it_may() -> None:
    """Many scans, whose parts come and go at the same addresses."""
    bodies = SnapshotEncoder()
    for number in range(6_000):
        scan = _next(_NEW, stages=(StageRun("vision", number, number),))
        assert scan_pb2.Scan.FromString(bodies(scan)).stages[0].attempts == number
