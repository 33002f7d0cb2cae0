"""Pages on other origins: CORS, gRPC-Web, compression; and what monitors and caches ask with HEAD."""

import base64
import struct
from typing import Any

import grpc
import httpx2
import pytest
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2

from eco2.rules.v1 import rules_service_pb2
from eco2.scan.v1 import scan_pb2, scan_service_pb2
from mesh.grpc import entity_tags
from mesh.locale import Locale
from rules_svc import etags
from tests.support.edge.fake_mesh import FakeMesh
from tests.support.edge.rest_contract import SCAN_ID
from tests.support.http import http_client

pytestmark = pytest.mark.asyncio(loop_scope="module")

TAG = etags.taxonomy_tag("4002a3ed6f95", Locale.KO)
PAGE = "https://app.test"
OURS = [PAGE, "https://preview-7.pages.test", "http://localhost:3000"]
OTHERS = [
    *("https://app.test.evil.test", "https://evil.test", "http://app.test", "https://a.b/.pages.test", "null"),
    *("https://evil.test:1.pages.test", "https://a@b.pages.test"),
    *("http://localhost", "http://localhost:", "http://localhost:3000.evil.test", "http://localhost:1@evil.test"),
]
SCANS = "eco2.scan.v1.ScanService"
POLL = f"/v1/scans/{SCAN_ID}"
PATHS = [POLL, "/v1/scans", f"{POLL}:watch", f"/api/v1/scan/{SCAN_ID}/result", f"/{SCANS}/GetScan"]


async def preflight(rest: httpx2.AsyncClient, path: str, origin: str) -> httpx2.Response:
    """What a browser asks before it sends a token to another origin: without the token."""
    asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization,content-type"}
    request = rest.build_request("OPTIONS", path, headers={"Origin": origin, **asked})
    del request.headers["authorization"]
    return await rest.send(request)


@pytest.mark.parametrize("origin", OURS)
@pytest.mark.parametrize("path", PATHS)
async def test_our_pages_may_call(path: str, origin: str, mesh: FakeMesh, rest: httpx2.AsyncClient) -> None:
    """A preflight is answered by the edge, for REST and for gRPC-Web."""
    response = await preflight(rest, path, origin)
    assert response.status_code == 200
    assert response.headers["access-control-allow-origin"] == origin
    assert {"authorization", "content-type", "x-grpc-web"} <= set(
        response.headers["access-control-allow-headers"].replace(" ", "").split(",")
    )
    assert "POST" in response.headers["access-control-allow-methods"]
    assert mesh.calls == []


@pytest.mark.parametrize("origin", OTHERS)
async def test_other_pages_may_not(origin: str, rest: httpx2.AsyncClient) -> None:
    """A browser that isn't told so keeps the answer from the page."""
    refused = await preflight(rest, POLL, origin)
    answered = await rest.get(POLL, headers={"Origin": origin})
    assert refused.status_code == 401
    for response in (refused, answered):
        assert "access-control-allow-origin" not in response.headers


@pytest.mark.parametrize("authorization", ["", None])
async def test_a_page_can_read_answers_and_errors(authorization: str | None, rest: httpx2.AsyncClient) -> None:
    """Also what the edge itself refuses: a page that may not read a 401 can't say that one has to sign in."""
    request = rest.build_request("GET", POLL, headers={"Origin": PAGE})
    if authorization is not None:
        request.headers["authorization"] = authorization
    response = await rest.send(request)
    assert response.status_code == (200 if authorization is None else 401)
    assert response.headers["access-control-allow-origin"] == PAGE
    assert "retry-after" in response.headers["access-control-expose-headers"]


@pytest.mark.parametrize("path", ["/openapi.yaml", "/healthz", POLL])
@pytest.mark.parametrize("origin", [PAGE, "https://evil.test", None])
async def test_a_cache_keeps_origins_apart(path: str, origin: str | None, rest: httpx2.AsyncClient) -> None:
    """Else a page would be given what was stored for another one, which it may not read."""
    response = await rest.get(path, headers={"Origin": origin} if origin else {})
    assert "origin" in response.headers["vary"].lower().replace(" ", "").split(",")


def frame(message: Message) -> bytes:
    """A message as gRPC-Web sends it."""
    content = message.SerializeToString()
    return struct.pack("!BI", 0, len(content)) + content


def frames(body: bytes) -> list[tuple[int, bytes]]:
    """Kind and content of each frame."""
    found = []
    while body:
        kind, length = struct.unpack("!BI", body[:5])
        found.append((kind, body[5 : 5 + length]))
        body = body[5 + length :]
    return found


async def test_a_page_calls_by_grpc_web(mesh: FakeMesh, rest: httpx2.AsyncClient) -> None:
    """The message first, then the trailers in a frame of their own."""

    async def answer(request: Any, context: Any) -> Message:
        return scan_pb2.Scan(scan_id=request.scan_id)

    mesh.answers[f"{SCANS}.GetScan"] = answer
    response = await rest.post(
        f"/{SCANS}/GetScan",
        content=frame(scan_service_pb2.GetScanRequest(scan_id=SCAN_ID)),
        headers={"content-type": "application/grpc-web+proto", "x-grpc-web": "1", "Origin": PAGE},
    )
    (message, trailers) = frames(response.content)
    assert response.headers["content-type"].startswith("application/grpc-web")
    assert scan_pb2.Scan.FromString(message[1]) == scan_pb2.Scan(scan_id=SCAN_ID)
    assert (trailers[0], b"grpc-status:0" in trailers[1].replace(b" ", b"")) == (0x80, True)
    assert mesh.calls[0].metadata["eco2-user-id"] == "user-1"


REFUSED_OF_GRPC_WEB: dict[str, tuple[str, dict[str, str], bytes, grpc.StatusCode, str]] = {
    "no token": ("ScanService/GetScan", {"authorization": ""}, b"", grpc.StatusCode.UNAUTHENTICATED, "UNAUTHENTICATED"),
    "no such method": ("ScanService/None", {}, b"", grpc.StatusCode.UNIMPLEMENTED, "NOT_IMPLEMENTED"),
    "internal": ("OperationsService/GetQueueStats", {}, b"", grpc.StatusCode.UNIMPLEMENTED, "NOT_IMPLEMENTED"),
    "large headers": (
        *("ScanService/GetScan", {"x-more": "a" * 17_000}, b""),
        *(grpc.StatusCode.RESOURCE_EXHAUSTED, "LIMIT_EXCEEDED"),
    ),
    "large body": (
        *("ScanService/CreateScan", {}, bytes(2 << 20)),
        *(grpc.StatusCode.RESOURCE_EXHAUSTED, "LIMIT_EXCEEDED"),
    ),
    "underscore": ("ScanService/GetScan", {"x_more": "a"}, b"", grpc.StatusCode.INVALID_ARGUMENT, "INVALID_FIELD"),
    "escaped slash": ("ScanService/GetScan%2f", {}, b"", grpc.StatusCode.INVALID_ARGUMENT, "INVALID_FIELD"),
}


@pytest.mark.parametrize("kind", REFUSED_OF_GRPC_WEB)
@pytest.mark.parametrize("text", [False, True], ids=["binary", "text"])
async def test_a_refused_grpc_web_call_is_told_as_grpc_tells_it(
    kind: str, text: bool, mesh: FakeMesh, rest: httpx2.AsyncClient
) -> None:
    """With HTTP 200, or the page's library takes its code from the HTTP status: 413 is unknown to it, 400 our fault."""
    method, headers, content, code, reason = REFUSED_OF_GRPC_WEB[kind]
    message = content or frame(scan_service_pb2.GetScanRequest())
    response = await rest.post(
        f"/eco2.scan.v1.{method}",
        content=base64.b64encode(message) if text else message,
        headers={"content-type": f"application/grpc-web{'-text' if text else '+proto'}", "Origin": PAGE, **headers},
    )
    assert (response.status_code, response.content) == (200, b"")
    assert response.headers["grpc-status"] == str(code.value[0])
    details = response.headers["grpc-status-details-bin"]
    status = status_pb2.Status.FromString(base64.b64decode(details + "=" * (-len(details) % 4)))
    info = error_details_pb2.ErrorInfo()
    assert status.details[0].Unpack(info)
    assert (status.code, status.message, info.reason) == (code.value[0], response.headers["grpc-message"], reason)
    if kind != "escaped slash":  # refused before anything else is looked at
        assert response.headers["access-control-allow-origin"] == PAGE
        assert "grpc-status-details-bin" in response.headers["access-control-expose-headers"]
    assert mesh.calls == []


@pytest.fixture
def history(mesh: FakeMesh) -> scan_service_pb2.ListScansResponse:
    """A page of history, some 5 kB as JSON."""
    page = scan_service_pb2.ListScansResponse(scans=[scan_pb2.Scan(scan_id=f"{number:036}") for number in range(90)])

    async def answer(request: Any, context: Any) -> Message:
        return page

    mesh.answers[f"{SCANS}.ListScans"] = answer
    return page


@pytest.mark.usefixtures("history")
@pytest.mark.parametrize("accepted", ["br", "gzip", "gzip, deflate, br", "identity"])
async def test_json_that_is_long_is_compressed(accepted: str, rest: httpx2.AsyncClient) -> None:
    """Phones pay for what they receive; a cache must know that the answer depends on who asks."""
    async with rest.stream("GET", "/v1/scans", headers={"Accept-Encoding": accepted}) as response:
        size = sum([len(piece) async for piece in response.aiter_raw()])
    encoding = response.headers.get("content-encoding")
    assert encoding == {"br": "br", "gzip": "gzip", "identity": None}.get(accepted, "br")
    assert (size < 1500) == (encoding is not None)
    assert "accept-encoding" in response.headers["vary"].lower()


async def test_what_is_short_stays_as_it_is(rest: httpx2.AsyncClient) -> None:
    """It fits one packet either way."""
    response = await rest.get(POLL, headers={"Accept-Encoding": "gzip, br"})
    assert "content-encoding" not in response.headers


async def test_head_tells_what_get_would(
    history: scan_service_pb2.ListScansResponse, mesh: FakeMesh, rest: httpx2.AsyncClient
) -> None:
    """The same status and headers, and no body."""
    for http2 in (False, True):
        async with http_client(
            base_url=rest.base_url, headers=rest.headers | {"Accept-Encoding": "identity"}, http1=not http2, http2=http2
        ) as client:
            got, told = await client.get("/v1/scans"), await client.head("/v1/scans")
            assert (told.status_code, told.content) == (200, b"")
            assert told.headers["content-length"] == str(len(got.content))
            assert told.headers["content-type"] == got.headers["content-type"]
            missing = await client.head("/v1/nothing")
            assert (missing.status_code, missing.content) == (404, b"")
            unsigned = await client.head("/v1/scans", headers={"authorization": ""})
            assert (unsigned.status_code, unsigned.content) == (401, b"")
    assert {call.rpc for call in mesh.calls} == {f"{SCANS}.ListScans"}


@pytest.mark.parametrize("path", [f"{POLL}:watch", f"/v1/scan/{SCAN_ID}/progress", "/v1/scans/x:start"])
async def test_head_neither_watches_nor_changes_anything(path: str, mesh: FakeMesh, rest: httpx2.AsyncClient) -> None:
    """It would hold a watch whose events nobody gets."""
    response = await rest.head(path)
    assert (response.status_code, response.content) == (404, b"")
    assert mesh.calls == []


async def test_what_is_compressed_keeps_its_tag(mesh: FakeMesh, rest: httpx2.AsyncClient) -> None:
    """As a weak one, since the bytes differ: a phone that sends it back gets 304."""

    async def answer(request: Any, context: Any) -> Message:
        known = entity_tags.is_named(TAG, context.invocation_metadata())
        await context.send_initial_metadata(etags.headers(TAG, not_modified=known))
        return rules_service_pb2.GetTaxonomyResponse(rulebook_version="long " * 500, not_modified=known)

    mesh.answers["eco2.rules.v1.RulesService.GetTaxonomy"] = answer
    first = await rest.get("/v1/taxonomy", headers={"Accept-Encoding": "gzip"})
    assert (first.headers["content-encoding"], first.headers["etag"]) == ("gzip", f"W/{TAG}")
    again = await rest.get("/v1/taxonomy", headers={"Accept-Encoding": "gzip", "If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
