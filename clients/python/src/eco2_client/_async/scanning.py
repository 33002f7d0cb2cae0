"""From a photo to its scan's events: announced, uploaded, started, watched."""

import hashlib
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

from eco2_client._async.http import AsyncHttp, AsyncTokens
from eco2_client._async.runtime import Stream, closing, in_thread
from eco2_client._async.watching import AsyncWatch
from eco2_client.errors import Disconnected, Eco2Error, FailedPrecondition, TimedOut, UploadRefused
from eco2_client.events import Accepted, Finished, ScanEvent, ScanReader
from eco2_client.models import CreateScanResponse, Reason, Scan
from eco2_client.photos import is_address, load
from eco2_client.requests import Request, segment
from eco2_client.retries import Attempts
from eco2_client.scan_order import ScanOrder

_MOST_REFUSALS = 4


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
        async with closing(AsyncWatch(self._http, self._tokens, scan_id, seconds).snapshots()) as snapshots:
            async for snapshot in snapshots:
                for event in reader.read(snapshot.scan, ended=snapshot.ended):
                    yield event

    async def _accepted(self, order: ScanOrder, attempts: Attempts) -> Scan:
        """The scan once it is queued."""
        if is_address(order.photo):
            return _scan_of(await self._announce({**order.fields, "image_url": order.photo}, attempts))
        photo = await in_thread(load, order.photo, order.max_side, self._http.locale)
        upload = {
            "content_type": photo.content_type,
            "size_bytes": len(photo.content),
            "sha256": hashlib.sha256(photo.content).hexdigest(),
        }
        return await self._uploaded({**order.fields, "upload": upload}, photo.content, attempts)

    async def _uploaded(self, body: Mapping[str, Any], photo: bytes, attempts: Attempts) -> Scan:
        """The scan with its photo in storage, started. What fails is tried with a fresh address for the same scan."""
        refused = 0
        while True:
            created = await self._announce(body, attempts)
            scan = _scan_of(created)
            if created.upload is None:
                return scan  # a repetition of what was started before
            try:
                await self._http.upload(created.upload, photo, attempts)
                return await self._start(scan.scan_id, attempts)
            except TimedOut:
                raise TimedOut("the photo wasn't uploaded in the time given", scan.scan_id) from None
            except Eco2Error as error:
                refused += isinstance(error, UploadRefused)
                if refused > _MOST_REFUSALS:
                    raise
                await self._http.clock.sleep(attempts.pause_after(_lost(error)))

    async def _announce(self, body: Mapping[str, Any], attempts: Attempts) -> CreateScanResponse:
        """The scan, and where to put its photo while that is missing. Its request_id makes it the same each time."""
        request = Request("POST", "/v1/scans", CreateScanResponse, body=body)
        return await self._http.call(request, self._tokens, attempts.left())

    async def _start(self, scan_id: str, attempts: Attempts) -> Scan:
        request = Request("POST", f"/v1/scans/{segment(scan_id)}:start", Scan, body={})
        return await self._http.call(request, self._tokens, attempts.left())


def _scan_of(created: CreateScanResponse) -> Scan:
    if created.scan is None:
        raise Disconnected("what answers isn't Eco²")
    return created.scan


def _lost(error: Eco2Error) -> Eco2Error:
    """Storage may lose what it has taken, as when its disk does: then the photo is uploaded again."""
    if isinstance(error, FailedPrecondition) and error.reason == Reason.PHOTO_NOT_UPLOADED:
        return Disconnected("object storage has lost the photo")
    return error
