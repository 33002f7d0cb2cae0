"""Errors over REST: `google.rpc.Status` as JSON, whoever made them."""

import asyncio
import json
import re
from typing import Any

import grpc
import httpx2
import pytest
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2

from tests.support.edge import http2
from tests.support.edge.envoy import Edge
from tests.support.edge.fake_mesh import FakeMesh
from tests.support.edge.rest_contract import SCAN_ID

pytestmark = pytest.mark.asyncio(loop_scope="module")

Metadata = tuple[tuple[str, str], ...]

GET_SCAN = "eco2.scan.v1.ScanService.GetScan"
ONE_SCAN = f"/v1/scans/{SCAN_ID}"
MEBIBYTE = 1 << 20


def not_found() -> status_pb2.Status:
    """What a service says of a scan that isn't there, with one of each kind of detail."""
    status = status_pb2.Status(code=grpc.StatusCode.NOT_FOUND.value[0], message="No such scan")
    violation = error_details_pb2.BadRequest.FieldViolation(field="scan_id", description="unknown")
    retry = error_details_pb2.RetryInfo()
    retry.retry_delay.seconds = 2
    for detail in (
        error_details_pb2.ErrorInfo(reason="SCAN_NOT_FOUND", domain="eco2.app", metadata={"scan_id": SCAN_ID}),
        error_details_pb2.BadRequest(field_violations=[violation]),
        error_details_pb2.LocalizedMessage(locale="ko", message="스캔을 찾을 수 없어요"),
        retry,
    ):
        status.details.add().Pack(detail)
    return status


async def test_details_of_a_services_error_arrive(mesh: FakeMesh, rest: httpx2.AsyncClient) -> None:
    """Without error_details.proto in the descriptor set the body would be empty."""

    async def refuse(request: Any, context: Any) -> Message:
        details = ("grpc-status-details-bin", not_found().SerializeToString())
        return await context.abort(grpc.StatusCode.NOT_FOUND, "No such scan", trailing_metadata=(details,))

    mesh.answers[GET_SCAN] = refuse
    response = await rest.get(ONE_SCAN)

    assert (response.status_code, response.headers["content-type"]) == (404, "application/json")
    info, bad_request, localized, retry = response.json()["details"]
    assert info == {
        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
        "reason": "SCAN_NOT_FOUND",
        "domain": "eco2.app",
        "metadata": {"scan_id": SCAN_ID},
    }
    assert bad_request["field_violations"] == [{"field": "scan_id", "description": "unknown"}]
    assert localized["message"] == "스캔을 찾을 수 없어요"
    assert retry["retry_delay"] == "2s"


async def test_a_services_trailing_metadata_becomes_a_header(mesh: FakeMesh, rest: httpx2.AsyncClient) -> None:
    """How Retry-After gets to REST clients."""

    async def refuse(request: Any, context: Any) -> Message:
        trailing = (("retry-after", "7"),)
        return await context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, "later", trailing_metadata=trailing)

    mesh.answers[GET_SCAN] = refuse
    response = await rest.get(ONE_SCAN)

    assert (response.status_code, response.headers["retry-after"]) == (429, "7")


@pytest.mark.parametrize(
    ("verb", "path", "content", "status", "reason"),
    [
        ("GET", "/v1/taxonomy?colour=red", b"", 400, "INVALID_FIELD"),
        ("GET", "/v1/scans?page_size=many", b"", 400, "INVALID_FIELD"),
        ("POST", "/v1/scans", b"{not json", 400, "INVALID_FIELD"),
        ("POST", "/v1/scans", b'{"upload": {"size_bytes": "big"}}', 400, "INVALID_FIELD"),
        ("POST", "/v1/scans", b'{"user_input": "' + b"a" * MEBIBYTE + b'"}', 413, "LIMIT_EXCEEDED"),
        ("GET", "/v1/scans/%00", b"", 400, "INVALID_FIELD"),
        ("GET", "/v1/nowhere", b"", 404, "NOT_IMPLEMENTED"),
    ],
    ids=[
        "unknown parameter",
        "wrong parameter",
        "not json",
        "wrong type",
        "too large",
        "NUL in the path",
        "unknown path",
    ],
)
async def test_what_the_edge_refuses_looks_like_a_services_error(
    verb: str, path: str, content: bytes, status: int, reason: str, mesh: FakeMesh, rest: httpx2.AsyncClient
) -> None:
    """A client needs one way to read errors; people get theirs in both languages."""
    response = await rest.request(verb, path, content=content, headers={"Content-Type": "application/json"})

    assert (response.status_code, response.headers["content-type"]) == (status, "application/json")
    assert response.json()["message"]
    info, *texts = response.json()["details"]
    assert (info["reason"], info["domain"]) == (reason, "eco2.app")
    assert [text["locale"] for text in texts] == ["ko", "en"]
    assert mesh.calls == []


@pytest.mark.parametrize(
    ("path", "content", "code", "reason"),
    [
        ("/eco2.scan.v1.ScanService/CreateScan", bytes(4 * MEBIBYTE), "RESOURCE_EXHAUSTED", "LIMIT_EXCEEDED"),
        ("/eco2.scan.v1.ScanService/Nothing", b"", "UNIMPLEMENTED", "NOT_IMPLEMENTED"),
        ("/eco2.scan.v1.ScanService/GetScan%00", b"", "INVALID_ARGUMENT", "INVALID_FIELD"),
        ("/eco2.scan.v1.ScanService/GetScan%2F", b"", "INVALID_ARGUMENT", "INVALID_FIELD"),
    ],
    ids=["too large", "unknown method", "NUL in the path", "slash in the path"],
)
async def test_what_the_edge_refuses_of_grpc_has_a_reason(
    path: str, content: bytes, code: str, reason: str, mesh: FakeMesh, channel: grpc.aio.Channel, bearer: Metadata
) -> None:
    """Clients read one form of error, whoever made it; both languages, too."""
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await channel.unary_unary(path)(content, metadata=bearer, timeout=5)

    assert (raised.value.code().name, refusal(raised.value)) == (code, (reason, ["ko", "en"]))
    assert mesh.calls == []


HEADERS: dict[str, tuple[dict[str, str], int, str, str]] = {
    "underscore": ({"x_request_source": "app"}, 400, "INVALID_ARGUMENT", "INVALID_FIELD"),
    "large": ({"cookie": "a" * 17_000}, 431, "RESOURCE_EXHAUSTED", "LIMIT_EXCEEDED"),
    "very large": ({"cookie": "a" * 60_000}, 431, "RESOURCE_EXHAUSTED", "LIMIT_EXCEEDED"),
    "many": ({f"x-{number}": "a" for number in range(101)}, 431, "RESOURCE_EXHAUSTED", "LIMIT_EXCEEDED"),
    "very many": ({f"x-{number}": "a" for number in range(1500)}, 431, "RESOURCE_EXHAUSTED", "LIMIT_EXCEEDED"),
}


@pytest.mark.parametrize("kind", HEADERS)
async def test_headers_are_refused_with_a_reason_in_every_protocol(
    kind: str, mesh: FakeMesh, rest: httpx2.AsyncClient, edge: Edge, channel: grpc.aio.Channel, bearer: Metadata
) -> None:
    """In HTTP/2 Envoy's own limits reset the stream, and a client learns nothing."""
    headers, status, code, reason = HEADERS[kind]
    response = await rest.get("/v1/scans", headers=headers)
    over_h2 = await http2.get(edge.port, "/v1/scans", {**dict(bearer), **headers})
    metadata = (*bearer, *headers.items())
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await channel.unary_unary("/eco2.scan.v1.ScanService/ListScans")(b"", metadata=metadata, timeout=5)

    assert (response.status_code, response.json()["details"][0]["reason"]) == (status, reason)
    assert (over_h2.status, json.loads(over_h2.body)["details"][0]["reason"]) == (status, reason)
    assert (raised.value.code().name, refusal(raised.value)) == (code, (reason, ["ko", "en"]))
    assert mesh.calls == []


async def test_probes_by_http_1_0_work(edge: Edge) -> None:
    """Simple load balancers speak nothing newer, and send no Host."""
    assert (await plain(edge.port, b"GET /healthz HTTP/1.0\r\n\r\n"))[0] == 200


@pytest.mark.parametrize(
    ("head", "status", "reason"),
    [
        ("GET /v1/scans HTTP/1.1", 400, "INVALID_FIELD"),
        ("GET /v1/scans HTTP/1.1\r\nHost: a\r\nbroken", 400, "INVALID_FIELD"),
        ("GET /v1/scans HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket", 403, "INVALID_FIELD"),
        ("POST /v1/scans HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip", 501, "INVALID_FIELD"),
        ("POST /v1/scans HTTP/1.1\r\nHost: a\r\nContent-Length: x", 400, "INVALID_FIELD"),
        (
            "POST /v1/scans HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nTransfer-Encoding: chunked",
            400,
            "INVALID_FIELD",
        ),
        ("GET /v1/nowhere HTTP/1.0", 404, "NOT_IMPLEMENTED"),
        (f"GET /{'a' * 20_000} HTTP/1.1\r\nHost: a", 431, "LIMIT_EXCEEDED"),
        (f"GET /{'a' * 100_000} HTTP/1.1\r\nHost: a", 431, "LIMIT_EXCEEDED"),
        ("nonsense", 400, "INVALID_FIELD"),
    ],
    ids=[
        *("no host", "broken header", "upgrade", "transfer coding", "length"),
        *("smuggling", "http/1.0", "long path", "longer path", "no http"),
    ],
)
async def test_no_fault_of_a_client_is_told_as_ours(
    head: str, status: int, reason: str, mesh: FakeMesh, edge: Edge
) -> None:
    """Also what Envoy refuses before any filter has seen it."""
    token = f"\r\nAuthorization: Bearer {edge.issuer.token()}"
    code, body = await plain(edge.port, f"{head}{token if 'HTTP' in head else ''}\r\n\r\n".encode())

    assert (code, json.loads(body)["details"][0]["reason"]) == (status, reason)
    assert mesh.calls == []


async def plain(port: int, request: bytes) -> tuple[int, bytes]:
    """Status and body of what is sent as it stands, on a connection of its own."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    async with asyncio.timeout(10):
        head = await reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"content-length: (\d+)", head)
        body = await reader.readexactly(int(length[1]) if length else 0)
    writer.close()
    return int(head.split()[1]), body


@pytest.mark.parametrize("header", [None, "Bearer abc", "another audience"])
async def test_grpc_without_a_good_token_is_unauthenticated_with_a_reason(
    header: str | None, mesh: FakeMesh, edge: Edge, channel: grpc.aio.Channel
) -> None:
    """Also with a token for others, of which Envoy would say PERMISSION_DENIED."""
    token = f"Bearer {edge.issuer.token(aud='others')}" if header == "another audience" else header
    metadata = (("authorization", token),) if token else ()
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await channel.unary_unary("/eco2.scan.v1.ScanService/ListScans")(b"", metadata=metadata, timeout=5)

    assert raised.value.code() is grpc.StatusCode.UNAUTHENTICATED
    assert refusal(raised.value) == ("UNAUTHENTICATED", ["ko", "en"])
    assert mesh.calls == []


def refusal(error: grpc.aio.AioRpcError) -> tuple[str, list[str]]:
    """The reason and the languages in an error's details."""
    status = status_pb2.Status.FromString(dict(error.trailing_metadata() or ())["grpc-status-details-bin"])
    assert (status.code, status.message) == (error.code().value[0], error.details())
    info, text = error_details_pb2.ErrorInfo(), error_details_pb2.LocalizedMessage()
    locales = [text.locale for detail in status.details if detail.Unpack(text)]
    assert status.details[0].Unpack(info)
    return info.reason, locales


async def test_too_much_is_429_with_the_time_to_come_back(mesh: FakeMesh, rest: httpx2.AsyncClient) -> None:
    """What the service says in its trailing metadata is the header that HTTP clients know."""

    async def refuse(request: Any, context: Any) -> Message:
        return await context.abort(
            grpc.StatusCode.RESOURCE_EXHAUSTED, "Too many", trailing_metadata=(("retry-after", "7"),)
        )

    mesh.answers["eco2.scan.v1.ScanService.CreateScan"] = refuse
    response = await rest.post("/v1/scans", json={})

    assert (response.status_code, response.headers["retry-after"]) == (429, "7")
    assert response.json()["code"] == grpc.StatusCode.RESOURCE_EXHAUSTED.value[0]
