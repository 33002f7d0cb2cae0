"""Scans as a mobile client makes them: JSON over REST, the photo straight to storage, progress as it happens."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from secrets import token_hex
from types import TracebackType
from typing import Self, TypeVar
from urllib.parse import quote

from google.protobuf import empty_pb2
from google.protobuf.message import Message
from google.type import latlng_pb2

from eco2.scan.v1 import scan_pb2, scan_service_pb2
from local.cli.api.http import Http
from local.cli.api.watch import Events, follow
from mesh.locale import Locale

_ANSWER_SECONDS = 90.0  # a model may write it

_WatchEvent = scan_service_pb2.WatchScanResponse

R = TypeVar("R", bound=Message)


@dataclass(frozen=True, slots=True)
class Question:
    """What the user sends with the photo.

    Attributes:
        text: What they ask or say about it.
        location: Latitude and longitude, WGS 84.
        region: Such as "서울특별시/마포구".
        building: The code of the building that they have joined.
    """

    text: str = ""
    location: tuple[float, float] | None = None
    region: str = ""
    building: str = ""


class ScanClient:
    """A signed-in user's client. Threads may share it. Use it in a `with` block.

    Args:
        base_url: Of the edge.
        token: The user's bearer token.
        locale: Language of texts and errors.

    Raises:
        Misuse: The base URL is no HTTP address.
    """

    def __init__(self, base_url: str, token: str, locale: Locale) -> None:
        self._http = Http(base_url, locale, token)
        self._locale = locale

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._http.__exit__(kind, error, at)

    def create(
        self,
        question: Question,
        *,
        photo: bytes = b"",
        content_type: str = "",
        image_url: str = "",
        request_id: str = "",
    ) -> scan_service_pb2.CreateScanResponse:
        """Creates a scan, of a photo to upload or of one at an address.

        Raises:
            ApiError: It was refused.
            Disconnected: The edge can't be reached.
        """
        request = scan_service_pb2.CreateScanRequest(
            user_input=question.text,
            region=question.region,
            building=question.building,
            locale=self._locale,
            request_id=request_id or token_hex(16),
        )
        if image_url:
            request.image_url = image_url
        else:
            digest = hashlib.sha256(photo).hexdigest()
            request.upload.MergeFrom(
                scan_service_pb2.Upload(content_type=content_type, size_bytes=len(photo), sha256=digest)
            )
        if question.location is not None:
            latitude, longitude = question.location
            request.location.CopyFrom(latlng_pb2.LatLng(latitude=latitude, longitude=longitude))
        return self._http.call("POST", "/v1/scans", scan_service_pb2.CreateScanResponse(), request)

    def upload(self, created: scan_service_pb2.CreateScanResponse, photo: bytes) -> scan_pb2.Scan:
        """Uploads a created scan's photo, and starts it; returns the scan, queued.

        Raises:
            ApiError: One of the two steps was refused.
            Disconnected: The storage or the edge can't be reached.
        """
        ticket = created.upload
        self._http.upload(ticket.method, ticket.url, dict(ticket.headers), photo)
        return self._act(created.scan.scan_id, "start", scan_service_pb2.StartScanRequest(), scan_pb2.Scan())

    def scan(self, photo: bytes, content_type: str, question: Question) -> scan_pb2.Scan:
        """Creates a scan, uploads the photo and starts it; returns the scan, queued."""
        return self.upload(self.create(question, photo=photo, content_type=content_type), photo)

    def follow(self, scan_id: str) -> Iterator[scan_pb2.Scan]:
        """Every state of the scan until its end; see `local.cli.api.watch.follow`."""
        return follow(lambda version: self._watch(scan_id, version))

    def get(self, scan_id: str) -> scan_pb2.Scan:
        """The scan as it is now."""
        return self._http.call("GET", _path(scan_id), scan_pb2.Scan())

    def history(self, page_size: int) -> list[scan_pb2.Scan]:
        """The user's latest scans, newest first."""
        return list(self.page(page_size).scans)

    def page(self, page_size: int, page_token: str = "") -> scan_service_pb2.ListScansResponse:
        """A page of the user's scans, newest first."""
        query = {"page_size": page_size, "page_token": page_token}
        return self._http.call("GET", "/v1/scans", scan_service_pb2.ListScansResponse(), query=query)

    def answer(self, scan_id: str, reply: str, *, may_learn: bool = False) -> scan_service_pb2.AnswerQuestionResponse:
        """Replies to a finished scan's answer."""
        request = scan_service_pb2.AnswerQuestionRequest(reply=reply, may_learn=may_learn, request_id=token_hex(16))
        path, answered = f"{_path(scan_id)}:answer", scan_service_pb2.AnswerQuestionResponse()
        return self._http.call("POST", path, answered, request, seconds=_ANSWER_SECONDS)

    def cancel(self, scan_id: str) -> scan_pb2.Scan:
        """Stops a scan; returns it as it is now."""
        return self._act(scan_id, "cancel", scan_service_pb2.CancelScanRequest(), scan_pb2.Scan())

    def delete(self, scan_id: str) -> None:
        """Removes a scan with its photo and results."""
        self._http.call("DELETE", _path(scan_id), empty_pb2.Empty())

    def schedule(self, region: str = "", building: str = "", date: str = "") -> scan_service_pb2.GetScheduleResponse:
        """What of the user's recent scans can go out on an evening; by default this one."""
        query = {"region": region, "building": building, "date": date}
        return self._http.call("GET", "/v1/me/schedule", scan_service_pb2.GetScheduleResponse(), query=query)

    def put_out(self, scan_id: str) -> None:
        """Says that what a scan shows was put out."""
        self._act(scan_id, "putOut", scan_service_pb2.MarkPutOutRequest(), empty_pb2.Empty())

    def accuracy(self, provider: str = "") -> scan_service_pb2.GetAccuracyResponse:
        """How often each class was right, by what users replied."""
        query = {"provider": provider}
        return self._http.call("GET", "/v1/accuracy", scan_service_pb2.GetAccuracyResponse(), query=query)

    def _act(self, scan_id: str, verb: str, request: Message, reply: R) -> R:
        return self._http.call("POST", f"{_path(scan_id)}:{verb}", reply, request)

    def _watch(self, scan_id: str, after_version: int) -> Events:
        return self._http.stream(f"{_path(scan_id)}:watch", _WatchEvent, {"after_version": after_version})


def _path(scan_id: str) -> str:
    return f"/v1/scans/{quote(scan_id, safe='')}"
