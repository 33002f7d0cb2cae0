"""From a photo to its scan's events: announced, uploaded, started, watched."""

import hashlib
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

from eco2_client._async.http import AsyncHttp, AsyncTokens
from eco2_client._async.runtime import Stream, closing, in_thread
from eco2_client._async.uploading import Announced, uploaded
from eco2_client._async.watching import AsyncWatch
from eco2_client.errors import Disconnected, TimedOut
from eco2_client.events import Accepted, Finished, ScanEvent, ScanReader
from eco2_client.models import CreateScanResponse, Scan
from eco2_client.photos import is_address, load
from eco2_client.requests import Request, segment
from eco2_client.retries import Attempts
from eco2_client.scan_order import ScanOrder
from eco2_client.watched import SCANS


class AsyncScanStream:
    """A scan's events, one after the other, or its result. The scan begins with the first event that is asked for.

    It may be left at any time; the scan goes on.
    """

    def __init__(self, events: Stream[ScanEvent]) -> None:
        self._events = events

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> ScanEvent:
        return await self._events.__anext__()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Stops watching."""
        await self._events.aclose()

    async def result(self) -> Scan:
        """The scan when it has succeeded; events that weren't asked for are passed over.

        Raises:
            ScanFailed: It ended otherwise.
            ApiError, Disconnected, TimedOut, PhotoRefused, UploadRefused: It doesn't come that far.
        """
        async with closing(self._events) as events:
            async for event in events:
                if isinstance(event, Finished):
                    return event.scan
        raise RuntimeError("this scan's events were read to their end already")


class AsyncScanner:
    """Makes scans.

    Args:
        http: The API.
        tokens: Who brings access tokens.
    """

    def __init__(self, http: AsyncHttp, tokens: AsyncTokens) -> None:
        self._http = http
        self._tokens = tokens

    async def scan(self, order: ScanOrder, seconds: float) -> Stream[ScanEvent]:
        """The events of a new scan."""
        attempts = self._http.attempts(seconds)
        scan = await self._accepted(order, attempts)
        yield Accepted(scan)
        async with closing(self.watch(scan.scan_id, attempts.left())) as events:
            async for event in events:
                yield event

    async def watch(self, scan_id: str, seconds: float) -> Stream[ScanEvent]:
        """The events of a scan that there is."""
        reader = ScanReader()
        async with closing(AsyncWatch(self._http, self._tokens, SCANS, scan_id, seconds).snapshots()) as snapshots:
            async for snapshot in snapshots:
                for event in reader.read(snapshot.of, ended=snapshot.ended):
                    yield event

    async def _accepted(self, order: ScanOrder, attempts: Attempts) -> Scan:
        """The scan once it is queued."""
        if is_address(order.photo):
            body = {**order.fields, "image_url": order.photo}
            return (await AsyncScanSteps(self._http, self._tokens, body).announce(attempts)).of
        photo = await in_thread(load, order.photo, order.max_side, self._http.locale)
        upload = {
            "content_type": photo.content_type,
            "size_bytes": len(photo.content),
            "sha256": hashlib.sha256(photo.content).hexdigest(),
        }
        steps = AsyncScanSteps(self._http, self._tokens, {**order.fields, "upload": upload})
        return await uploaded(self._http, steps, photo.content, attempts)


class AsyncScanSteps:
    """What stands before and after the upload of a photo.

    Args:
        http: The API.
        tokens: Who brings access tokens.
        body: Of CreateScan. Its request_id makes it the same scan each time.
    """

    def __init__(self, http: AsyncHttp, tokens: AsyncTokens, body: Mapping[str, Any]) -> None:
        self._http = http
        self._tokens = tokens
        self._body = body

    async def announce(self, attempts: Attempts) -> Announced[Scan]:
        """The scan, and where to put its photo while that is missing."""
        request = Request("POST", "/v1/scans", CreateScanResponse, body=self._body)
        created = await self._http.call(request, self._tokens, attempts.left())
        scan = _scan_of(created)
        late = TimedOut("the photo wasn't uploaded in the time given", scan.scan_id)
        return Announced(scan, created.upload, late)

    async def start(self, of: Scan, attempts: Attempts) -> Scan:
        """Queues it."""
        request = Request("POST", f"/v1/scans/{segment(of.scan_id)}:start", Scan, body={})
        return await self._http.call(request, self._tokens, attempts.left())


def _scan_of(created: CreateScanResponse) -> Scan:
    if created.scan is None:
        raise Disconnected("what answers isn't Eco²")
    return created.scan
