"""Requests to watch a scan or to wait for its change, and the responses."""

from eco2.scan.v1 import scan_pb2, scan_service_pb2
from mesh.grpc.identity import Caller
from mesh.locale import Locale
from scan_svc.messages import message
from scan_svc.progress.snapshots import Snapshot
from scan_svc.progress.watchers import WatchEvent

# GetScan's `wait`: at most, and what of the caller's deadline is kept for the reply.
_LONGEST_WAIT = 30.0
_REPLY_SECONDS = 0.5


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


def watch_event(event: WatchEvent, who: Caller) -> scan_service_pb2.WatchScanResponse:
    """One event of a watch."""
    return scan_service_pb2.WatchScanResponse(
        type=scan_service_pb2.WatchScanResponse.Type.Value(f"TYPE_{event.kind}"),
        scan=shown(event.scan, who.reads(event.scan.locale)) if event.scan else None,
    )
