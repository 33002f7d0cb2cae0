"""What readers of a scan are sent: made once for each version and language."""

from datetime import UTC, datetime

from msgspec.structs import replace

from eco2.scan.v1 import scan_pb2, scan_service_pb2
from mesh.grpc.identity import Caller
from mesh.locale import Locale
from scan_svc import scan_proto
from scan_svc.progress import wire
from scan_svc.progress.encoder import SnapshotEncoder
from scan_svc.progress.snapshots import Snapshot
from scan_svc.progress.watchers import EventKind, WatchEvent
from scan_svc.scans import Photo, Scan, State, Step

_SCAN = Scan(
    scan_id="01a1fdff-a749-7256-a8de-64f9f9d62c81",
    user_id="mina",
    state=State.RUNNING,
    version=7,
    photo=Photo(""),
    step=Step.CLASSIFY,
    created_at=datetime(2026, 11, 29, tzinfo=UTC),
)
_KOREAN, _ENGLISH = Caller("mina", "ko"), Caller("mina", "en")
_encode = SnapshotEncoder()


def _snapshot(scan: Scan) -> Snapshot:
    return Snapshot(scan.scan_id, scan.user_id, scan.version, scan.state, scan.step, Locale.KO, _encode(scan), 0.0, 0.0)


def test_readers_of_one_version_are_sent_the_same_bytes() -> None:
    """Whoever asks, and however often."""
    once = wire.shown(_snapshot(_SCAN), _KOREAN)
    assert wire.shown(_snapshot(_SCAN), Caller("mina", "ko-KR,ko;q=0.9")) is once
    assert scan_pb2.Scan.FromString(once) == scan_proto.scan(_SCAN, Locale.KO)


def test_each_language_and_each_version_has_its_own() -> None:
    """Korean and English; and what came later."""
    later = replace(_SCAN, version=8, percent=50)
    for scan in (_SCAN, later):
        for who, locale in ((_KOREAN, Locale.KO), (_ENGLISH, Locale.EN)):
            assert scan_pb2.Scan.FromString(wire.shown(_snapshot(scan), who)) == scan_proto.scan(scan, locale)


def test_the_wait_of_a_queued_scan_is_told_anew_each_time() -> None:
    """It changes while the version stays."""
    queued = _snapshot(replace(_SCAN, state=State.QUEUED, step=Step.QUEUE))
    waits = [scan_pb2.Scan.FromString(wire.shown(queued, _KOREAN, wait)).progress.expected_wait for wait in (3.0, 2.5)]
    assert [wait.ToMilliseconds() for wait in waits] == [3000, 2500]


def test_watchers_of_one_scan_are_sent_the_same_bytes() -> None:
    """An event is made once for all of a language; its kind is told."""
    update = WatchEvent(EventKind.UPDATE, _snapshot(_SCAN))
    once = wire.watch_event(update, _KOREAN)
    assert wire.watch_event(update, _KOREAN) is once
    sent = scan_service_pb2.WatchScanResponse.FromString(once)
    assert (sent.type, sent.scan) == (sent.TYPE_UPDATE, scan_proto.scan(_SCAN, Locale.KO))
    heartbeat = scan_service_pb2.WatchScanResponse.FromString(
        wire.watch_event(WatchEvent(EventKind.HEARTBEAT), _KOREAN)
    )
    assert heartbeat == scan_service_pb2.WatchScanResponse(type=scan_service_pb2.WatchScanResponse.TYPE_HEARTBEAT)
