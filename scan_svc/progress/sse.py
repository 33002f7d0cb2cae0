"""WatchScan as Server-Sent Events. The contract stands in `event_stream_service.proto`."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from functools import lru_cache
from typing import Any

from google.api.httpbody_pb2 import HttpBody

from eco2.scan.v1 import event_stream_service_pb2 as pb
from eco2.scan.v1 import event_stream_service_pb2_grpc, scan_pb2
from eco2.scan.v1.scan_service_pb2 import WatchScanResponse
from mesh.errors import Unauthenticated
from mesh.grpc.encoded import Encoded
from mesh.grpc.identity import caller
from mesh.reasons import Reason
from scan_svc import scan_proto
from scan_svc.progress import wire
from scan_svc.progress.json_writer import JsonWriter
from scan_svc.progress.watchers import EventKind, Watchers

LAST_EVENT_HEADER = "last-event-id"
# The scan that the edge has found in a ticket; absent with a token, which is good for all scans of its user.
TICKET_HEADER = "eco2-watch-scan-id"

CONTENT_TYPE = "text/event-stream"
_VERSION_LIMIT = 2**32
_VERSION_DIGITS = 10
_CHANGING = (WatchScanResponse, scan_pb2.Scan, scan_pb2.ScanProgress)
_REMEMBERED = 4096  # parts of scans, of a kilobyte or less
_KEPT = 1024  # whole events, of a few kilobytes
# How long a client waits before it reconnects.
RETRY = b"retry: 1000\n\n"


class EventStreamServicer(event_stream_service_pb2_grpc.EventStreamServiceServicer):
    """The watch that clients of Server-Sent Events understand.

    Args:
        watchers: Who watches.
    """

    def __init__(self, watchers: Watchers) -> None:
        self._watchers = watchers
        # From one change of a scan to the next most of it stays as it was.
        self._json = JsonWriter(_CHANGING, _REMEMBERED)
        self._frame = lru_cache(_KEPT)(self._written)

    async def StreamEvents(self, request: pb.StreamEventsRequest, context: Any) -> AsyncGenerator[Encoded, None]:
        """The scan's progress until its end, as text."""
        who, scan_id = caller(context), scan_proto.canonical(request.scan_id)
        if ticket(context) not in (None, scan_id):
            raise Unauthenticated(Reason.UNAUTHENTICATED)
        seen = max(request.after_version, last_event(context))
        watch = self._watchers.watch(scan_id, who.user_id, seen, seconds=context.time_remaining())
        opening = RETRY
        async with aclosing(watch) as events:
            async for event in events:
                if event.last:
                    context.last()
                if event.scan is None:
                    yield self._frame(opening, event.kind, 0, b"", "")
                else:
                    yield self._frame(
                        opening, event.kind, event.scan.version, event.scan.body, wire.line(event.scan, who)
                    )
                opening = b""

    def _written(self, opening: bytes, kind: EventKind, version: int, body: bytes, said: str) -> Encoded:
        """One event as text, made once for all who watch."""
        message = wire.event_message(kind, body, said)
        text = frame(kind, version if body else None, self._json.write(message))
        return Encoded(HttpBody(content_type=CONTENT_TYPE, data=opening + text).SerializeToString())


def frame(kind: EventKind, version: int | None, data: bytes) -> bytes:
    """One event as text; a heartbeat is a comment."""
    if kind is EventKind.HEARTBEAT:
        return b": heartbeat\n\n"
    number = b"" if version is None else b"id: %d\n" % version
    return number + b"event: %s\ndata: %s\n\n" % (kind.lower().encode(), data)


def ticket(context: Any) -> str | None:
    """The scan that the caller's ticket is for; None without a ticket."""
    return next((value for key, value in context.invocation_metadata() or () if key == TICKET_HEADER), None)


def last_event(context: Any) -> int:
    """The version a client that reconnects has seen; 0 if it names none that is ours."""
    for key, value in context.invocation_metadata() or ():
        if key != LAST_EVENT_HEADER or not value.isascii() or not value.isdigit() or len(value) > _VERSION_DIGITS:
            continue  # Python takes no text of thousands of digits for a number
        if int(value) < _VERSION_LIMIT:
            return int(value)
    return 0
