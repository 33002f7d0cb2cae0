"""The API as a mobile client uses it: JSON over REST, the photo straight to storage, progress as Server-Sent Events."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

import httpx2
from google.protobuf import empty_pb2, json_format
from google.protobuf.message import Message
from google.type import latlng_pb2

from eco2.auth.v1 import auth_service_pb2
from eco2.scan.v1 import scan_pb2, scan_service_pb2
from eco2.scan.v1.export_pb2 import Export
from local.cli.api.errors import ApiError
from local.cli.api.watch import Events, follow
from local.errors import Disconnected, Misuse
from local.files import open_private
from mesh.locale import Locale

_TIMEOUT = httpx2.Timeout(10.0)
_UPLOAD_TIMEOUT = httpx2.Timeout(60.0)
_SILENCE = httpx2.Timeout(10.0, read=45.0)  # three heartbeats

M = TypeVar("M", bound=Message)


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
    """A signed-in user's client. Use it in a `with` block.

    Args:
        base_url: Of the edge.
        token: The user's bearer token.
        locale: Language of texts and errors.
        transport: Carries the requests; for tests.

    Raises:
        Misuse: The base URL is no HTTP address.
    """

    def __init__(
        self, base_url: str, token: str, locale: Locale, transport: httpx2.BaseTransport | None = None
    ) -> None:
        headers = {"Authorization": f"Bearer {token}", "Accept-Language": locale}
        self._http = httpx2.Client(base_url=_address(base_url), headers=headers, timeout=_TIMEOUT, transport=transport)
        # Storage must not see the token: the presigned address is all it needs.
        self._storage = httpx2.Client(timeout=_UPLOAD_TIMEOUT, transport=transport)
        self._locale = locale

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._http.close()
        self._storage.close()

    def scan(self, photo: bytes, content_type: str, question: Question) -> scan_pb2.Scan:
        """Creates a scan, uploads the photo and starts it.

        Returns:
            The scan, queued.

        Raises:
            ApiError: One of the three steps was refused.
            Disconnected: The edge or the storage can't be reached.
        """
        upload = scan_service_pb2.Upload(
            content_type=content_type, size_bytes=len(photo), sha256=hashlib.sha256(photo).hexdigest()
        )
        request = scan_service_pb2.CreateScanRequest(
            upload=upload,
            user_input=question.text,
            region=question.region,
            building=question.building,
            locale=self._locale,
        )
        if question.location is not None:
            latitude, longitude = question.location
            request.location.CopyFrom(latlng_pb2.LatLng(latitude=latitude, longitude=longitude))
        created = self._call("POST", "/v1/scans", scan_service_pb2.CreateScanResponse(), request)
        self._put(created.upload, photo)
        return self._call(
            "POST", f"/v1/scans/{created.scan.scan_id}:start", scan_pb2.Scan(), scan_service_pb2.StartScanRequest()
        )

    def follow(self, scan_id: str) -> Iterator[scan_pb2.Scan]:
        """Every state of the scan until its end; see `local.cli.api.watch.follow`."""
        return follow(lambda version: self._watch(scan_id, version))

    def history(self, page_size: int) -> list[scan_pb2.Scan]:
        """The user's latest scans, newest first."""
        path = f"/v1/scans?page_size={page_size}"
        return list(self._call("GET", path, scan_service_pb2.ListScansResponse()).scans)

    def schedule(self, region: str = "", building: str = "") -> scan_service_pb2.GetScheduleResponse:
        """What of the user's recent scans can go out this evening."""
        asked = {"region": region, "building": building}
        parameters = httpx2.QueryParams({name: value for name, value in asked.items() if value})
        path = f"/v1/me/schedule?{parameters}".rstrip("?")
        return self._call("GET", path, scan_service_pb2.GetScheduleResponse())

    def put_out(self, scan_id: str) -> None:
        """Says that what a scan shows was put out."""
        request = scan_service_pb2.MarkPutOutRequest()
        self._call("POST", f"/v1/scans/{scan_id}:putOut", empty_pb2.Empty(), request)

    def accuracy(self, provider: str = "") -> list[scan_service_pb2.ClassAccuracy]:
        """How often each class was right, by what users replied."""
        parameters = httpx2.QueryParams({"provider": provider} if provider else {})
        path = f"/v1/accuracy?{parameters}".rstrip("?")
        return list(self._call("GET", path, scan_service_pb2.GetAccuracyResponse()).classes)

    def begin_export(self) -> Export:
        """Begins to put all that is kept of the user into one file."""
        return self._call("POST", "/v1/me:export", Export(), auth_service_pb2.ExportMeRequest())

    def export(self, export_id: str) -> Export:
        """How far that is."""
        return self._call("GET", f"/v1/exports/{export_id}", Export())

    def fetch(self, address: str, file: Path) -> None:
        """Puts what is at a presigned address into a file, readable by its owner alone."""
        with _connected(), self._storage.stream("GET", address) as response:
            if response.is_error:
                raise ApiError.from_json(response.read(), response.status_code, self._locale)
            with open_private(file) as content:
                for piece in response.iter_bytes():
                    content.write(piece)

    def delete_account(self) -> auth_service_pb2.DeleteMeResponse:
        """Closes the user's account and erases all that is kept of them."""
        return self._call("DELETE", "/v1/me", auth_service_pb2.DeleteMeResponse())

    def _call(self, method: str, path: str, reply: M, request: Message | None = None) -> M:
        body = None if request is None else json_format.MessageToDict(request, preserving_proto_field_name=True)
        with _connected():
            response = self._http.request(method, path, json=body)
        if response.is_error:
            raise ApiError.from_json(response.content, response.status_code, self._locale)
        return _parsed(response.content, reply)

    def _put(self, ticket: scan_service_pb2.UploadTicket, photo: bytes) -> None:
        with _connected():
            response = self._storage.request(ticket.method, ticket.url, headers=dict(ticket.headers), content=photo)
        # An earlier try uploaded the photo and its reply was lost; StartScan checks the photo.
        already = response.status_code == httpx2.codes.PRECONDITION_FAILED
        if response.is_error and not already:
            raise ApiError.from_json(response.content, response.status_code, self._locale)

    def _watch(self, scan_id: str, after_version: int) -> Events:
        path, headers = f"/v1/scans/{scan_id}:watch", {"Accept": "text/event-stream"}
        parameters = {"after_version": after_version}
        with (
            _connected(),
            self._http.stream("GET", path, params=parameters, headers=headers, timeout=_SILENCE) as response,
        ):
            if response.is_error:
                raise ApiError.from_json(response.read(), response.status_code, self._locale)
            for event in httpx2.EventSource(response):
                if not event.data:  # it only says how soon to reconnect
                    continue
                yield _parsed(event.data, scan_service_pb2.WatchScanResponse())


def _address(text: str) -> httpx2.URL:
    try:
        address = httpx2.URL(text)
    except httpx2.InvalidURL as error:
        raise Misuse(f"ECO2_REST_URL isn't an address: {error}") from None
    if address.scheme not in ("http", "https") or not address.host:
        raise Misuse(f"ECO2_REST_URL isn't an address such as http://127.0.0.1:8080: {text}")
    return address


def _parsed(content: bytes | str, reply: M) -> M:
    try:
        return json_format.Parse(content, reply, ignore_unknown_fields=True)
    except (json_format.ParseError, UnicodeDecodeError):
        raise Disconnected("what answers isn't Eco²") from None


@contextmanager
def _connected() -> Iterator[None]:
    try:
        yield
    except httpx2.TransportError as error:
        raise Disconnected(str(error) or type(error).__name__) from error
