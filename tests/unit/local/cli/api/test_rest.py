"""The mobile client, against a scripted edge and storage."""

import hashlib
import json
from collections.abc import Callable, Iterator

import httpx2
import pytest
from google.protobuf import json_format

from eco2.scan.v1 import scan_pb2
from local.cli.api.errors import ApiError
from local.cli.api.rest import Question, ScanClient
from local.errors import Disconnected
from mesh.errors import FailedPrecondition
from mesh.grpc.status import to_status
from mesh.locale import Locale
from mesh.reasons import Reason

PHOTO = b"\x89PNG photo"
SCAN_ID = "01980000-0000-7000-8000-000000000000"
TICKET = {
    "url": "https://storage.test/photos/a1?signature=s",
    "method": "PUT",
    "headers": {"content-type": "image/png", "x-amz-checksum-sha256": "c="},
}
REFUSAL = json_format.MessageToJson(to_status(FailedPrecondition(Reason.PHOTO_NOT_UPLOADED), Locale.KO, Locale.EN))
SSE = (
    'data: {"type":"TYPE_SNAPSHOT","scan":{"version":1,"state":"STATE_QUEUED"}}\n\n'
    'data: {"type":"TYPE_HEARTBEAT"}\n\n'
    'data: {"type":"TYPE_TERMINAL","scan":{"version":2,"state":"STATE_SUCCEEDED","unknown_field":1}}\n\n'
)


class Server:
    """Answers as the edge and the storage do, and keeps what it was asked."""

    def __init__(self) -> None:
        self.requests: list[httpx2.Request] = []
        self.replies: dict[str, Callable[[], httpx2.Response]] = {
            "POST /v1/scans": lambda: httpx2.Response(200, json={"scan": {"scan_id": SCAN_ID}, "upload": TICKET}),
            "PUT /photos/a1": lambda: httpx2.Response(200),
            f"POST /v1/scans/{SCAN_ID}:start": lambda: httpx2.Response(200, json={"state": "STATE_QUEUED"}),
            f"GET /v1/scans/{SCAN_ID}:watch": lambda: httpx2.Response(
                200, headers={"content-type": "text/event-stream"}, content=SSE
            ),
            "GET /v1/scans": lambda: httpx2.Response(200, json={"scans": [{"version": 2}, {"version": 1}]}),
        }

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        """Answers one request."""
        request.read()
        self.requests.append(request)
        return self.replies[f"{request.method} {request.url.path}"]()


@pytest.fixture
def server() -> Server:
    """A server on which everything works."""
    return Server()


@pytest.fixture
def client(server: Server) -> Iterator[ScanClient]:
    """A client of it."""
    with ScanClient("http://edge.test", "token", Locale.EN, httpx2.MockTransport(server)) as client:
        yield client


def test_a_scan_is_created_uploaded_and_started(server: Server, client: ScanClient) -> None:
    """The three requests of a phone, in this order, with the photo's exact size and digest."""
    scan = client.scan(PHOTO, "image/png", Question("cup?", (37.5, 126.9), "서울특별시/마포구"))
    assert scan.state == scan_pb2.Scan.State.STATE_QUEUED
    create, put, start = server.requests
    assert json.loads(create.content) == {
        "upload": {
            "content_type": "image/png",
            "size_bytes": len(PHOTO),
            "sha256": hashlib.sha256(PHOTO).hexdigest(),
        },
        "user_input": "cup?",
        "location": {"latitude": 37.5, "longitude": 126.9},
        "region": "서울특별시/마포구",
        "locale": "en",
    }
    assert put.content == PHOTO
    assert str(put.url) == TICKET["url"]
    assert start.url.path == f"/v1/scans/{SCAN_ID}:start"


def test_the_upload_carries_the_ticket_and_nothing_of_the_user(server: Server, client: ScanClient) -> None:
    """Signed headers must match exactly; and storage has no business with the token."""
    client.scan(PHOTO, "image/png", Question())
    create, put, _ = server.requests
    assert create.headers["authorization"] == "Bearer token"
    assert "authorization" not in put.headers
    assert put.headers["content-type"] == "image/png"
    assert put.headers["x-amz-checksum-sha256"] == "c="


def test_without_a_location_none_is_sent(server: Server, client: ScanClient) -> None:
    """An empty location would be a place in the Atlantic."""
    client.scan(PHOTO, "image/png", Question())
    assert "location" not in json.loads(server.requests[0].content)


def test_progress_is_read_from_server_sent_events(server: Server, client: ScanClient) -> None:
    """What a newer server adds is ignored, and heartbeats are no states."""
    assert [scan.version for scan in client.follow(SCAN_ID)] == [1, 2]
    assert server.requests[0].headers["accept"] == "text/event-stream"


@pytest.mark.parametrize("step", [f"POST /v1/scans/{SCAN_ID}:start", "POST /v1/scans"])
def test_a_refusal_has_reason_and_text_in_the_users_language(server: Server, client: ScanClient, step: str) -> None:
    """People read it; a traceback helps nobody."""
    server.replies[step] = lambda: httpx2.Response(400, content=REFUSAL)
    with pytest.raises(ApiError) as refused:
        client.scan(PHOTO, "image/png", Question())
    assert refused.value.failure.reason == "PHOTO_NOT_UPLOADED"
    assert refused.value.failure.text == FailedPrecondition(Reason.PHOTO_NOT_UPLOADED).text(Locale.EN)


def test_storage_refusing_the_photo_stops_the_scan(server: Server, client: ScanClient) -> None:
    """Starting it would only end in PHOTO_NOT_UPLOADED."""
    server.replies["PUT /photos/a1"] = lambda: httpx2.Response(403, content=b"<Error/>")
    with pytest.raises(ApiError) as refused:
        client.scan(PHOTO, "image/png", Question())
    assert refused.value.failure.reason == "HTTP_403"
    assert len(server.requests) == 2


def test_a_refused_watch_is_not_tried_again(server: Server, client: ScanClient) -> None:
    """The answer wouldn't change."""
    server.replies[f"GET /v1/scans/{SCAN_ID}:watch"] = lambda: httpx2.Response(404, content=REFUSAL)
    with pytest.raises(ApiError):
        list(client.follow(SCAN_ID))
    assert len(server.requests) == 1


def test_a_server_that_is_gone_is_told_from_one_that_refuses(server: Server, client: ScanClient) -> None:
    """The advice differs: start the stack, or change the request."""

    def refuse() -> httpx2.Response:
        raise httpx2.ConnectError("refused")

    server.replies["GET /v1/scans"] = refuse
    with pytest.raises(Disconnected):
        client.history(10)


@pytest.mark.parametrize("page", [b"<html>", b"\xff", b'{"scans": 1}'])
def test_who_answers_as_somebody_else_is_not_the_stack(server: Server, client: ScanClient, page: bytes) -> None:
    """Another program at that port, or the sign-in page of a hotel."""
    server.replies["GET /v1/scans"] = lambda: httpx2.Response(200, content=page)
    with pytest.raises(Disconnected):
        client.history(10)


def test_history_keeps_the_servers_order(client: ScanClient) -> None:
    """Newest first is the server's promise, not ours to remake."""
    assert [scan.version for scan in client.history(10)] == [2, 1]


def test_the_schedule_is_asked_for_a_region_and_what_was_put_out_is_said(server: Server, client: ScanClient) -> None:
    """The region may have blanks and Korean letters."""
    told = {"date": "2026-12-01", "tonight": [{"scan_id": SCAN_ID, "plan": {"outlook": "OUTLOOK_TONIGHT"}}]}
    server.replies["GET /v1/me/schedule"] = lambda: httpx2.Response(200, json=told)
    server.replies[f"POST /v1/scans/{SCAN_ID}:putOut"] = lambda: httpx2.Response(200, json={})
    assert [one.scan_id for one in client.schedule("서울 마포구").tonight] == [SCAN_ID]
    assert server.requests[-1].url.params["region"] == "서울 마포구"
    client.schedule()
    assert "region" not in server.requests[-1].url.params
    client.put_out(SCAN_ID)
    assert server.requests[-1].method == "POST"


def test_an_upload_that_is_there_already_goes_on(server: Server, client: ScanClient) -> None:
    """Storage takes no photo twice: after a reply that was lost, the repeated upload is 412."""
    server.replies["PUT /photos/a1"] = lambda: httpx2.Response(412)

    assert client.scan(PHOTO, "image/png", Question()).state == scan_pb2.Scan.State.STATE_QUEUED
