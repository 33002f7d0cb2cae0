"""One photo scanned as a mobile client would, on whatever stack a client leads to."""

import time
from collections.abc import Callable
from secrets import token_hex
from typing import TypeVar

from eco2.scan.v1 import scan_pb2
from local.cli.api.errors import ApiError
from local.cli.api.rest import Question, ScanClient
from local.cli.scans.sources import Source, content_type

# Who scans many photos may be told to come again.
_WAITS, _LONGEST_WAIT = 5, 60

_pause = time.sleep

Report = Callable[[scan_pb2.Scan], object]
T = TypeVar("T")


def run(client: ScanClient, source: Source, question: Question, report: Report) -> scan_pb2.Scan:
    """Scans a photo, and follows it to its end.

    Args:
        client: Of whoever scans it.
        source: The photo.
        question: What goes with it.
        report: Told every state.

    Returns:
        The scan in its terminal state.

    Raises:
        Misuse, OSError: It can't be read.
        ApiError: The API refused it.
        Disconnected: The stack can't be reached.
    """
    last = queued = begin(client, source, question)
    report(last)
    for last in client.follow(queued.scan_id):
        report(last)
    return last


def begin(client: ScanClient, source: Source, question: Question) -> scan_pb2.Scan:
    """Scans a photo as far as the queue; as `run`."""
    request_id = token_hex(16)  # the same at each try: a scan that was made isn't made again
    if source.file is None:
        return _patiently(lambda: client.create(question, image_url=source.text, request_id=request_id)).scan
    photo, kind = source.read(), content_type(source.file)
    created = _patiently(lambda: client.create(question, photo=photo, content_type=kind, request_id=request_id))
    return _patiently(lambda: client.upload(created, photo))


def _patiently(call: Callable[[], T]) -> T:
    """Calls again as often as it is told when, within reason."""
    for _ in range(_WAITS):
        try:
            return call()
        except ApiError as refused:
            if not 0 < refused.failure.wait <= _LONGEST_WAIT:
                raise
            _pause(refused.failure.wait)
    return call()
