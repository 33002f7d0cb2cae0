"""gRPC calls that no service could answer with a reason: the edge refuses them at once, with the usual details."""

import base64
from collections.abc import Mapping

import httpx2
import pytest
from google.rpc import status_pb2

from mesh.reasons import Reason
from tests.integration.ratelimit.calls import details
from tests.support.edge import http2
from tests.support.edge.envoy import Edge
from tests.support.edge.fake_mesh import FakeMesh

pytestmark = pytest.mark.asyncio(loop_scope="module")

UNARY, STREAM = "/eco2.scan.v1.ScanService/ListScans", "/eco2.scan.v1.ScanService/WatchScan"
WHOLE = bytes(5)
BROKEN = {
    "nothing": b"",
    "half a length": b"\0\0\0",
    "half a message": b"\0\0\0\0\5ab",
    "too long": b"\0\xff\xff\xff\xff",
}


def reason(headers: Mapping[str, str]) -> str:
    """Why a call was refused, as a gRPC client reads it."""
    packed = headers["grpc-status-details-bin"]
    status = status_pb2.Status.FromString(base64.b64decode(packed + "=" * (-len(packed) % 4)))
    assert str(status.code) == headers["grpc-status"]
    return str(details(status)["ErrorInfo"].reason)


async def called(edge: Edge, path: str, body: bytes) -> http2.Response:
    """One gRPC call by HTTP/2."""
    headers = {
        **{":method": "POST", ":scheme": "http", ":authority": edge.target, ":path": path},
        **{"content-type": "application/grpc", "te": "trailers", "authorization": f"Bearer {edge.issuer.token()}"},
    }
    async with http2.connected(edge.port) as connection:
        (response,) = await http2.exchange(connection, [(headers.items(), body)])
    return response


@pytest.mark.parametrize("path", [UNARY, STREAM])
@pytest.mark.parametrize("body", BROKEN.values(), ids=BROKEN)
async def test_a_call_without_a_whole_message_is_refused(path: str, body: bytes, mesh: FakeMesh, edge: Edge) -> None:
    """gRPC's servers wait for the rest until the deadline, and then say nothing of it."""
    response = await called(edge, path, body)

    assert (response.status, reason(response.headers)) == (200, Reason.INVALID_FIELD)
    assert mesh.calls == []


@pytest.mark.parametrize("media_type", ["application/grpc-web+proto", "application/grpc-web-text"])
async def test_the_same_of_grpc_web(media_type: str, mesh: FakeMesh, rest: httpx2.AsyncClient) -> None:
    """A page may be cut off, too."""
    for body in BROKEN.values():
        content = base64.b64encode(body) if media_type.endswith("text") else body
        response = await rest.post(UNARY, headers={"content-type": media_type}, content=content)

        assert (response.status_code, reason(response.headers)) == (200, Reason.INVALID_FIELD)
    assert mesh.calls == []


@pytest.mark.parametrize("path", [f"{UNARY}?", f"{UNARY}?page_size=1", f"{STREAM}?x"])
async def test_no_rpc_has_a_query(path: str, mesh: FakeMesh, edge: Edge) -> None:
    """A service would take it for a part of the name, and say nothing of why there is no such RPC."""
    response = await called(edge, path, WHOLE)

    assert reason(response.headers) == Reason.NOT_IMPLEMENTED
    assert mesh.calls == []


@pytest.mark.parametrize("media_type", ["application/grpc", "application/grpc+proto"])
async def test_grpc_needs_http_2(media_type: str, mesh: FakeMesh, rest: httpx2.AsyncClient) -> None:
    """How a call ended is in trailers, which clients by HTTP/1.1 aren't sent: it would look like an outage."""
    for headers in ({}, {"te": "trailers"}, {"te": "trailers", "eco2-came-as": "application/grpc-web"}):
        response = await rest.post(UNARY, headers={"content-type": media_type, **headers}, content=WHOLE)

        assert (response.status_code, reason(response.headers)) == (200, Reason.INVALID_FIELD)
    assert mesh.calls == []


async def test_a_whole_call_comes_through_unchanged(mesh: FakeMesh, edge: Edge, rest: httpx2.AsyncClient) -> None:
    """By gRPC, and by gRPC-Web over HTTP/1.1; what the edge notes for itself stays there."""
    assert (await called(edge, UNARY, WHOLE)).headers["grpc-status"] == "0"
    await rest.post(UNARY, headers={"content-type": "application/grpc-web+proto"}, content=WHOLE)

    assert len(mesh.calls) == 2
    assert not [name for call in mesh.calls for name in call.metadata if name.startswith("eco2-came")]
