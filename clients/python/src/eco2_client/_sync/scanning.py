# Written by `make gen` from _async/. Don't edit it.
"""From a photo to its scan's events: announced, uploaded, started, watched."""

import hashlib
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

from eco2_client._sync.http import Http, Tokens
from eco2_client._sync.runtime import Stream, closing, in_thread
from eco2_client._sync.uploading import Announced, uploaded
from eco2_client._sync.watching import Watch
from eco2_client.errors import Disconnected, TimedOut
from eco2_client.events import Accepted, Finished, ScanEvent, ScanReader
from eco2_client.models import CreateScanResponse, Scan
from eco2_client.photos import is_address, load
from eco2_client.requests import Request, segment
from eco2_client.retries import Attempts
from eco2_client.scan_order import ScanOrder
from eco2_client.watched import SCANS


class ScanStream:
    """A scan's events, one after the other, or its result. The scan begins with the first event that is asked for.

    It may be left at any time; the scan goes on.
    """

    def __init__(self, events: Stream[ScanEvent]) -> None:
        self._events = events

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> ScanEvent:
        return self._events.__next__()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Stops watching."""
        self._events.close()

    def result(self) -> Scan:
        """The scan when it has succeeded; events that weren't asked for are passed over.

        Raises:
            ScanFailed: It ended otherwise.
            ApiError, Disconnected, TimedOut, PhotoRefused, UploadRefused: It doesn't come that far.
        """
        with closing(self._events) as events:
            for event in events:
                if isinstance(event, Finished):
                    return event.scan
        raise RuntimeError("this scan's events were read to their end already")


class Scanner:
    """Makes scans.

    Args:
        http: The API.
        tokens: Who brings access tokens.
    """

    def __init__(self, http: Http, tokens: Tokens) -> None:
        self._http = http
        self._tokens = tokens

    def scan(self, order: ScanOrder, seconds: float) -> Stream[ScanEvent]:
        """The events of a new scan."""
        attempts = self._http.attempts(seconds)
        scan = self._accepted(order, attempts)
        yield Accepted(scan)
        with closing(self.watch(scan.scan_id, attempts.left())) as events:
            for event in events:
                yield event

    def watch(self, scan_id: str, seconds: float) -> Stream[ScanEvent]:
        """The events of a scan that there is."""
        reader = ScanReader()
        with closing(Watch(self._http, self._tokens, SCANS, scan_id, seconds).snapshots()) as snapshots:
            for snapshot in snapshots:
                for event in reader.read(snapshot.of, ended=snapshot.ended):
                    yield event

    def _accepted(self, order: ScanOrder, attempts: Attempts) -> Scan:
        """The scan once it is queued."""
        if is_address(order.photo):
            body = {**order.fields, "image_url": order.photo}
            return (ScanSteps(self._http, self._tokens, body).announce(attempts)).of
        photo = in_thread(load, order.photo, order.max_side, self._http.locale)
        upload = {
            "content_type": photo.content_type,
            "size_bytes": len(photo.content),
            "sha256": hashlib.sha256(photo.content).hexdigest(),
        }
        steps = ScanSteps(self._http, self._tokens, {**order.fields, "upload": upload})
        return uploaded(self._http, steps, photo.content, attempts)


class ScanSteps:
    """What stands before and after the upload of a photo.

    Args:
        http: The API.
        tokens: Who brings access tokens.
        body: Of CreateScan. Its request_id makes it the same scan each time.
    """

    def __init__(self, http: Http, tokens: Tokens, body: Mapping[str, Any]) -> None:
        self._http = http
        self._tokens = tokens
        self._body = body

    def announce(self, attempts: Attempts) -> Announced[Scan]:
        """The scan, and where to put its photo while that is missing."""
        request = Request("POST", "/v1/scans", CreateScanResponse, body=self._body)
        created = self._http.call(request, self._tokens, attempts.left())
        scan = _scan_of(created)
        late = TimedOut("the photo wasn't uploaded in the time given", scan.scan_id)
        return Announced(scan, created.upload, late)

    def start(self, of: Scan, attempts: Attempts) -> Scan:
        """Queues it."""
        request = Request("POST", f"/v1/scans/{segment(of.scan_id)}:start", Scan, body={})
        return self._http.call(request, self._tokens, attempts.left())


def _scan_of(created: CreateScanResponse) -> Scan:
    if created.scan is None:
        raise Disconnected("what answers isn't Eco²")
    return created.scan
