"""Scans that there are, and those that are uploaded by hand."""

from collections.abc import AsyncIterator
from uuid import uuid4

from eco2_client._async.api import AsyncApi
from eco2_client.models import (
    AnswerQuestionResponse,
    ClassAccuracy,
    CreateScanResponse,
    CreateWatchTicketResponse,
    GetAccuracyResponse,
    GetScheduleResponse,
    ListScansResponse,
    Scan,
)
from eco2_client.requests import Location, Request, given, latlng, segment
from eco2_client.structs import Message


class AsyncScans:
    """`client.scans`. Each call may also raise Unauthenticated, Unavailable, Disconnected and TimedOut."""

    def __init__(self, api: AsyncApi) -> None:
        self._api = api

    async def get(self, scan_id: str, *, wait: float = 0, after_version: int = 0) -> Scan:
        """A scan as it is now; or, with `wait`, as soon as it has changed.

        Args:
            scan_id: Which.
            wait: For how many seconds to wait for a version after `after_version`; at most 30.
            after_version: The last version seen.

        Raises:
            NotFound: There is none, or it isn't the caller's.
        """
        query = given(wait=f"{wait:g}s", after_version=after_version) if wait else {}
        return await self._api.call(Request("GET", _path(scan_id), Scan, query=query))

    async def list(self, *, page_size: int = 20) -> AsyncIterator[Scan]:
        """The user's scans, newest first. Pages are fetched as they are needed.

        Args:
            page_size: How many to fetch at a time, at most 100.
        """
        token = ""
        while True:
            page = await self.page(token, page_size=page_size)
            for scan in page.scans:
                yield scan
            if not (token := page.next_page_token):
                return

    async def page(self, page_token: str = "", *, page_size: int = 20) -> ListScansResponse:
        """One page of the user's scans.

        Args:
            page_token: `next_page_token` of the page before; empty for the first.
            page_size: How many at most, up to 100.

        Raises:
            InvalidArgument: INVALID_PAGE_TOKEN.
        """
        query = given(page_token=page_token, page_size=page_size)
        return await self._api.call(Request("GET", "/v1/scans", ListScansResponse, query=query))

    async def cancel(self, scan_id: str) -> Scan:
        """Stops a scan.

        Raises:
            NotFound: There is none.
            FailedPrecondition: SCAN_STATE: it has finished otherwise.
        """
        return await self._api.call(Request("POST", f"{_path(scan_id)}:cancel", Scan, body={}))

    async def delete(self, scan_id: str) -> None:
        """Removes a scan with its photo and results.

        Raises:
            NotFound: There is none.
        """
        await self._api.call(Request("DELETE", _path(scan_id), Message, removes=True))

    async def answer(
        self, scan_id: str, reply: str, *, may_learn: bool = False, request_id: str = ""
    ) -> AnswerQuestionResponse:
        """Replies to a finished scan: settles what its answer leaves open, or says that it is wrong.

        Args:
            scan_id: Which.
            reply: One of `scan.answer.choices`, or the user's own words, such as "아니요, 건전지예요".
            may_learn: The user's consent that we keep the photo's digest with what the reply says, to learn from it.
            request_id: Makes the call happen once; by default each call is a reply of its own.

        Raises:
            NotFound: There is none.
            FailedPrecondition: SCAN_STATE: it hasn't succeeded.
            AlreadyExists: REQUEST_ID_REUSED: the id came with another reply.
        """
        body = {"reply": reply, "may_learn": may_learn, "request_id": request_id or str(uuid4())}
        return await self._api.call(Request("POST", f"{_path(scan_id)}:answer", AnswerQuestionResponse, body=body))

    async def put_out(self, scan_id: str) -> None:
        """Says that what a scan shows was put out: `schedule` leaves it out from now on.

        Raises:
            NotFound: There is none.
        """
        await self._api.call(Request("POST", f"{_path(scan_id)}:putOut", Message, body={}))

    async def watch_ticket(self, scan_id: str) -> CreateWatchTicketResponse:
        """The address at which a browser's EventSource, which sends no token, may watch a scan: a secret.

        Args:
            scan_id: Which; whether there is such a scan is told by the watch.
        """
        request = Request("POST", f"{_path(scan_id)}:watchTicket", CreateWatchTicketResponse, body={})
        return await self._api.call(request)

    async def schedule(self, *, region: str = "", building: str = "", date: str = "") -> GetScheduleResponse:
        """What of the user's recent scans goes out this evening.

        Args:
            region: Where the user lives, such as "서울특별시/마포구"; by default where each scan was made.
            building: Code of the user's building.
            date: The day whose evening is meant, YYYY-MM-DD; by default today's, in Korea.
        """
        query = given(region=region, building=building, date=date)
        return await self._api.call(Request("GET", "/v1/me/schedule", GetScheduleResponse, query=query))

    async def accuracy(self, *, provider: str = "") -> tuple[ClassAccuracy, ...]:
        """How often the classifiers were right, by what all users replied.

        Args:
            provider: Only of this classifier, such as "offline".
        """
        query = given(provider=provider)
        return (await self._api.call(Request("GET", "/v1/accuracy", GetAccuracyResponse, query=query))).classes

    async def create(
        self, *, content_type: str, size_bytes: int, sha256: str = "", location: Location | None = None,
        region: str = "", building: str = "", question: str = "", callback_url: str = "", request_id: str = "",
    ) -> CreateScanResponse:  # fmt: skip
        """Announces a photo that somebody else uploads, such as a phone: the reply says where. Then call `start`.

        Args:
            content_type: Media type of the photo.
            size_bytes: Its exact size.
            sha256: Of it, in hex: then storage refuses anything else.
            location: Latitude and longitude of the user.
            region: The user's region.
            building: Code of the user's building.
            question: What the user asks or says about it.
            callback_url: Where to POST a webhook once the scan has ended.
            request_id: Makes the call happen once; by default each call is a scan of its own.

        Raises:
            InvalidArgument: `fields` says what is wrong.
            ResourceExhausted: SCAN_BACKLOG, RATE_LIMIT.
        """
        body = given(
            upload=given(content_type=content_type, size_bytes=size_bytes, sha256=sha256), location=latlng(location),
            region=region, building=building, user_input=question, callback_url=callback_url,
            request_id=request_id or str(uuid4()), locale=self._api.http.locale,
        )  # fmt: skip
        return await self._api.call(Request("POST", "/v1/scans", CreateScanResponse, body=body))

    async def start(self, scan_id: str) -> Scan:
        """Starts a scan whose photo was uploaded.

        Raises:
            NotFound: There is none.
            FailedPrecondition: PHOTO_NOT_UPLOADED, PHOTO_MISMATCH, SCAN_STATE.
            ResourceExhausted: SCAN_BACKLOG.
        """
        return await self._api.call(Request("POST", f"{_path(scan_id)}:start", Scan, body={}))


def _path(scan_id: str) -> str:
    return f"/v1/scans/{segment(scan_id)}"
