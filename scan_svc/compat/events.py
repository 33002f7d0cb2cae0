"""A scan's progress as older clients read it: Server-Sent Events of one line, without ids or names."""

from collections.abc import AsyncGenerator, AsyncIterator, Callable

import msgspec

from eco2.scan.v1.scan_pb2 import Scan
from scan_svc.compat.wire import status
from scan_svc.progress.snapshots import Snapshot
from scan_svc.progress.watchers import EventKind, WatchEvent
from scan_svc.scans import State

CONTENT_TYPE = "text/event-stream"

_HEARTBEAT = b": heartbeat\n\n"


async def frames(changes: AsyncIterator[WatchEvent], last: Callable[[], None]) -> AsyncGenerator[bytes, None]:
    """The events of a watch as text; what tells nothing new to an older client is left out.

    Args:
        changes: The events.
        last: Called before the last frame.
    """
    told = b""
    async for change in changes:
        if change.last:
            last()
        if change.kind is EventKind.HEARTBEAT:
            yield _HEARTBEAT
        elif change.scan and not _is_early(change.kind, change.scan):
            frame = b"data: %s\n\n" % _progress(change.scan)
            if frame != told:
                told = frame
                yield frame


def _is_early(kind: EventKind, scan: Snapshot) -> bool:
    """Whether a scan has succeeded and its reward may follow: to an older client the end is the end of everything."""
    return scan.state is State.SUCCEEDED and kind is not EventKind.TERMINAL


def _progress(snapshot: Snapshot) -> bytes:
    """A `TaskProgress` in JSON."""
    progress = Scan.FromString(snapshot.body).progress
    waiting = "upload" if snapshot.state is State.AWAITING_UPLOAD else "queue"
    told = {"step": progress.stage or waiting, "status": status(snapshot.state), "progress": progress.percent}
    return msgspec.json.encode(told)
