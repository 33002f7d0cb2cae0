"""Requests to watch a scan or to wait for its change, and the responses."""

from functools import lru_cache

from eco2.scan.v1 import scan_pb2, scan_service_pb2
from mesh.grpc.encoded import Encoded
from mesh.grpc.identity import Caller
from scan_svc.messages import message
from scan_svc.progress.snapshots import Snapshot
from scan_svc.progress.watchers import EventKind, WatchEvent

# GetScan's `wait`: at most, and what of the caller's deadline is kept for the reply.
_LONGEST_WAIT = 30.0
_REPLY_SECONDS = 0.5
# How many replies are kept, and how many events, those used last: a few kilobytes each. By what they say, so that none
# is ever out of date.
_KEPT = 1024


def shown(snapshot: Snapshot, who: Caller, expected_wait: float | None = None) -> Encoded:
    """A snapshot as a reader sees it, with the seconds it is expected to wait if that is known."""
    said = line(snapshot, who)
    if expected_wait is None:
        return _encoded(snapshot.body, said)
    wire = _scan(snapshot.body, said)
    wire.progress.expected_wait.FromMilliseconds(round(expected_wait * 1000))
    return Encoded(wire.SerializeToString())


def waiting_time(request: scan_service_pb2.GetScanRequest, seconds_left: float | None) -> float:
    """How many seconds a GetScanRequest may wait: what it asks for, within our limit and its deadline."""
    asked = min(request.wait.ToNanoseconds() / 1e9, _LONGEST_WAIT)
    return asked if seconds_left is None else max(0.0, min(asked, seconds_left - _REPLY_SECONDS))


def watch_event(event: WatchEvent, who: Caller) -> Encoded:
    """One event of a watch, made once for all who watch."""
    if event.scan is None:
        return _encoded_event(event.kind, b"", "")
    return _encoded_event(event.kind, event.scan.body, line(event.scan, who))


def line(scan: Snapshot, who: Caller) -> str:
    """What a reader is told about where a scan is: the one thing that depends on who reads."""
    return message(scan.state, scan.step, who.reads(scan.locale))


def event_message(kind: EventKind, body: bytes, said: str) -> scan_service_pb2.WatchScanResponse:
    """One event of a watch.

    Args:
        kind: Of which kind.
        body: The snapshot's; empty if there is none.
        said: What the reader is told about where the scan is.
    """
    number = scan_service_pb2.WatchScanResponse.Type.Value(f"TYPE_{kind}")
    return scan_service_pb2.WatchScanResponse(type=number, scan=_scan(body, said) if body else None)


@lru_cache(_KEPT)
def _encoded_event(kind: EventKind, body: bytes, said: str) -> Encoded:
    return Encoded(event_message(kind, body, said).SerializeToString())


@lru_cache(_KEPT)
def _encoded(body: bytes, said: str) -> Encoded:
    return Encoded(_scan(body, said).SerializeToString())


def _scan(body: bytes, said: str) -> scan_pb2.Scan:
    wire = scan_pb2.Scan.FromString(body)
    wire.progress.message = said
    return wire
