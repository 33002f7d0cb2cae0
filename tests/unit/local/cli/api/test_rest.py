"""The mobile client, against an edge and a storage that answer as told."""

import hashlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from google.protobuf import empty_pb2

from eco2.scan.v1 import scan_pb2, scan_service_pb2
from local.cli.api.account import AccountClient
from local.cli.api.errors import ApiError
from local.cli.api.rest import Question, ScanClient
from local.errors import Disconnected, Misuse
from mesh.errors import FailedPrecondition
from mesh.locale import Locale
from mesh.reasons import Reason
from tests.support.cli.fake_edge import FakeEdge, Reply, refused, streamed

PHOTO = b"\x89PNG photo"
SCAN_ID = "01980000-0000-7000-8000-000000000000"
Event = scan_service_pb2.WatchScanResponse
QUEUED, SUCCEEDED = scan_pb2.Scan.State.STATE_QUEUED, scan_pb2.Scan.State.STATE_SUCCEEDED
REFUSAL = refused(FailedPrecondition(Reason.PHOTO_NOT_UPLOADED))
START, WATCH = f"POST /v1/scans/{SCAN_ID}:start", f"GET /v1/scans/{SCAN_ID}:watch"


@pytest.fixture
def working(edge: FakeEdge) -> FakeEdge:
    """An edge on which everything works."""
    created = scan_service_pb2.CreateScanResponse(scan={"scan_id": SCAN_ID})
    created.upload.method, created.upload.url = "PUT", f"{edge.url}/photos/a1?signature=s"
    created.upload.headers.update({"content-type": "image/png", "x-amz-checksum-sha256": "c="})
    edge.answers |= {
        "POST /v1/scans": created,
        "PUT /photos/a1": Reply(),
        START: scan_pb2.Scan(state=QUEUED),
        WATCH: lambda _: streamed(
            [
                Event(type=Event.TYPE_SNAPSHOT, scan={"version": 1, "state": QUEUED}),
                Event(type=Event.TYPE_HEARTBEAT),
                Event(type=Event.TYPE_TERMINAL, scan={"version": 2, "state": SUCCEEDED}),
            ]
        ),
        "GET /v1/scans": scan_service_pb2.ListScansResponse(scans=[{"version": 2}, {"version": 1}]),
    }
    return edge


@pytest.fixture
def client(working: FakeEdge) -> Iterator[ScanClient]:
    """A client of it."""
    with ScanClient(working.url, "token", Locale.EN) as client:
        yield client


def test_a_scan_is_created_uploaded_and_started(working: FakeEdge, client: ScanClient) -> None:
    """The three requests of a phone, in this order, with the photo's exact size and digest."""
    scan = client.scan(PHOTO, "image/png", Question("cup?", (37.5, 126.9), "서울특별시/마포구"))
    assert scan.state == QUEUED
    create, put, start = working.requests
    sent = create.json
    assert sent.pop("request_id")
    assert sent == {
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
    assert put.body == PHOTO
    assert (put.path, put.query) == ("/photos/a1", {"signature": ["s"]})
    assert start.path == f"/v1/scans/{SCAN_ID}:start"


def test_the_upload_carries_the_ticket_and_nothing_of_the_user(working: FakeEdge, client: ScanClient) -> None:
    """Signed headers must match exactly; and storage has no business with the token."""
    client.scan(PHOTO, "image/png", Question())
    create, put, _ = working.requests
    assert create.headers["authorization"] == "Bearer token"
    assert "authorization" not in put.headers
    assert put.headers["content-type"] == "image/png"
    assert put.headers["x-amz-checksum-sha256"] == "c="


def test_without_a_location_none_is_sent(working: FakeEdge, client: ScanClient) -> None:
    """An empty location would be a place in the Atlantic."""
    client.scan(PHOTO, "image/png", Question())
    assert "location" not in working.requests[0].json


@pytest.mark.parametrize("size", [1, 7, 1 << 20])
def test_progress_is_read_as_it_comes(working: FakeEdge, client: ScanClient, size: int) -> None:
    """In whatever pieces; what a newer server adds is ignored, and heartbeats are no states."""
    lines = (
        b'{"type":"TYPE_SNAPSHOT","scan":{"version":1,"state":"STATE_QUEUED"}}\n{"type":"TYPE_HEARTBEAT"}\n'
        b'{"type":"TYPE_TERMINAL","scan":{"version":2,"state":"STATE_SUCCEEDED","unknown_field":1}}\n'
    )
    working.answers[WATCH] = Reply(body=[lines[place : place + size] for place in range(0, len(lines), size)])
    assert [scan.version for scan in client.follow(SCAN_ID)] == [1, 2]


@pytest.mark.parametrize("step", [START, "POST /v1/scans"])
def test_a_refusal_has_reason_and_text_in_the_users_language(working: FakeEdge, client: ScanClient, step: str) -> None:
    """People read it; a traceback helps nobody."""
    working.answers[step] = REFUSAL
    with pytest.raises(ApiError) as error:
        client.scan(PHOTO, "image/png", Question())
    assert error.value.failure.reason == "PHOTO_NOT_UPLOADED"
    assert error.value.failure.text == FailedPrecondition(Reason.PHOTO_NOT_UPLOADED).text(Locale.EN)


def test_storage_refusing_the_photo_stops_the_scan(working: FakeEdge, client: ScanClient) -> None:
    """Starting it would only end in PHOTO_NOT_UPLOADED."""
    working.answers["PUT /photos/a1"] = Reply(403, b"<Error/>")
    with pytest.raises(ApiError) as error:
        client.scan(PHOTO, "image/png", Question())
    assert error.value.failure.reason == "HTTP_403"
    assert len(working.requests) == 2


def test_an_upload_that_is_there_already_goes_on(working: FakeEdge, client: ScanClient) -> None:
    """Storage takes no photo twice: after a reply that was lost, the repeated upload is 412."""
    working.answers["PUT /photos/a1"] = Reply(412)
    assert client.scan(PHOTO, "image/png", Question()).state == QUEUED


def test_a_refused_watch_is_not_tried_again(working: FakeEdge, client: ScanClient) -> None:
    """The answer wouldn't change."""
    working.answers[WATCH] = Reply(404, REFUSAL.body)
    with pytest.raises(ApiError):
        list(client.follow(SCAN_ID))
    assert len(working.requests) == 1


def test_a_cut_watch_goes_on_after_the_last_version(
    working: FakeEdge, client: ScanClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the middle of a line, too."""
    scripts = [
        [b'{"type":"TYPE_SNAPSHOT","scan":{"version":5}}\n{"type":'],
        [b'{"type":"TYPE_TERMINAL","scan":{"version":6}}\n'],
    ]
    working.answers[WATCH] = lambda _: Reply(body=scripts.pop(0))
    monkeypatch.setattr("time.sleep", lambda _: None)
    assert [scan.version for scan in client.follow(SCAN_ID)] == [5, 6]
    assert working.requests[-1].query == {"after_version": ["5"]}


@pytest.mark.parametrize("page", [b"<html>", b"\xff", b'{"scans": 1}'])
def test_who_answers_as_somebody_else_is_not_the_stack(working: FakeEdge, client: ScanClient, page: bytes) -> None:
    """Another program at that port, or the sign-in page of a hotel."""
    working.answers["GET /v1/scans"] = Reply(200, page)
    with pytest.raises(Disconnected):
        client.history(10)


def test_nobody_is_sent_elsewhere(working: FakeEdge, client: ScanClient) -> None:
    """The token would go along."""
    working.answers["GET /v1/scans"] = Reply(302, b"", {"Location": f"{working.url}/elsewhere"})
    with pytest.raises((ApiError, Disconnected)):
        client.history(10)
    assert len(working.requests) == 1


def test_a_server_that_is_gone_is_told_in_few_words() -> None:
    """Which, and what the system says; the advice differs from a refusal's."""
    with ScanClient("http://127.0.0.1:1", "token", Locale.EN) as client, pytest.raises(Disconnected) as error:
        client.history(10)
    assert str(error.value) == "127.0.0.1:1: Connection refused"


def test_history_keeps_the_servers_order(client: ScanClient) -> None:
    """Newest first is the server's promise, not ours to remake."""
    assert [scan.version for scan in client.history(10)] == [2, 1]


def test_the_schedule_is_asked_for_a_region_and_what_was_put_out_is_said(working: FakeEdge, client: ScanClient) -> None:
    """The region may have blanks and Korean letters."""
    tonight = [{"scan_id": SCAN_ID, "plan": {"outlook": "OUTLOOK_TONIGHT"}}]
    working.answers["GET /v1/me/schedule"] = scan_service_pb2.GetScheduleResponse(date="2026-12-01", tonight=tonight)
    working.answers[f"POST /v1/scans/{SCAN_ID}:putOut"] = empty_pb2.Empty()
    assert [one.scan_id for one in client.schedule("서울 마포구").tonight] == [SCAN_ID]
    assert working.requests[-1].query == {"region": ["서울 마포구"]}
    client.schedule()
    assert working.requests[-1].query == {}
    client.put_out(SCAN_ID)
    assert working.requests[-1].method == "POST"


def test_a_file_that_breaks_off_leaves_none(edge: FakeEdge, tmp_path: Path) -> None:
    """Half an export looks like a whole one."""
    edge.answers["GET /export"] = Reply(200, b"zip", {"Content-Encoding": "gzip"})
    with AccountClient(edge.url, "token", Locale.EN) as client, pytest.raises(Disconnected):
        client.fetch(f"{edge.url}/export", tmp_path / "mine.zip")
    assert [*tmp_path.iterdir()] == []


def test_a_proxy_is_used_where_the_environment_names_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Offices have one; what is on this machine is asked directly."""
    lines: list[str] = []

    class Proxy(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            lines.append(self.path)
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *_: object) -> None:
            """Nothing."""

    with HTTPServer(("127.0.0.1", 0), Proxy) as proxy:
        thread = threading.Thread(target=proxy.handle_request, daemon=True)
        thread.start()
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{proxy.server_port}")
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        with ScanClient("http://edge.test", "token", Locale.EN) as client:
            assert client.history(1) == []
        thread.join()
    assert lines == ["http://edge.test/v1/scans?page_size=1"]


@pytest.mark.parametrize(
    "address", ["edge.test", "ftp://edge.test", "http://", "http://edge.test:x", "http://한글.test"]
)
def test_an_address_must_be_one(address: str) -> None:
    """Before anything is sent."""
    with pytest.raises(Misuse, match="ECO2_REST_URL"):
        ScanClient(address, "token", Locale.EN)
