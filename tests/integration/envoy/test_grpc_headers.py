"""What gRPC itself reads in a request: no client may break others with it, nor a REST client their own call."""

import grpc
import httpx2
import pytest

from eco2.character.v1 import character_service_pb2, character_service_pb2_grpc
from eco2.scan.v1 import scan_service_pb2, scan_service_pb2_grpc
from tests.support.edge import http2
from tests.support.edge.envoy import Edge
from tests.support.edge.fake_mesh import FakeMesh
from tests.support.edge.rest_contract import SCAN_ID

pytestmark = pytest.mark.asyncio(loop_scope="module")

Metadata = tuple[tuple[str, str], ...]

LIST_CHARACTERS = "/eco2.character.v1.CharacterService/ListCharacters"
LIST_SCANS = "/eco2.scan.v1.ScanService/ListScans"
PATHS = ["/v1/characters", "/v1/taxonomy", "/v1/scans", f"/v1/scans/{SCAN_ID}", f"/v1/scans/{SCAN_ID}:watch"]
EMPTY_MESSAGE = bytes(5)
UNREADABLE = [
    *(("grpc-timeout", value) for value in ("x", "1n", "-1S", "5S, 5S", "999999999H")),
    *((f"grpc-{name}", "x") for name in ("encoding", "accept-encoding", "internal-encoding-request")),
    *((f"grpc-{name}", "x") for name in ("status", "previous-rpc-attempts", "retry-pushback-ms")),
    *((name, "names of HTTP that gRPC doesn't take") for name in ("#", "x'y", "a+b", "~")),
    *((f"{name}-bin", "!!!") for name in ("x-foo", "grpc-trace", "grpc-tags", "endpoint-load-metrics")),
]


def raw(edge: Edge, path: str, rest: httpx2.AsyncClient) -> list[tuple[str, str]]:
    """The headers of a gRPC call as a library would send them."""
    return [
        *((":method", "POST"), (":scheme", "http"), (":authority", edge.target), (":path", path)),
        *(("content-type", "application/grpc"), ("te", "trailers")),
        ("authorization", rest.headers["Authorization"]),
    ]


@pytest.mark.parametrize("path", PATHS)
async def test_rest_clients_cannot_speak_to_grpc(path: str, mesh: FakeMesh, rest: httpx2.AsyncClient) -> None:
    """Over a header of its own that it can't parse, gRPC fails the call; a deadline of a nanosecond fails it, too."""
    for name, value in UNREADABLE:
        response = await rest.get(path, headers={name: value})

        assert response.status_code == 200, name
        call = mesh.calls.pop()
        assert name not in call.metadata
        assert call.seconds_left is not None
        assert call.seconds_left > 10


@pytest.mark.parametrize("header", UNREADABLE, ids=": ".join)
async def test_nothing_a_client_sends_fails_others(
    header: tuple[str, str],
    mesh: FakeMesh,
    edge: Edge,
    rest: httpx2.AsyncClient,
    channel: grpc.aio.Channel,
    bearer: Metadata,
) -> None:
    """All users share the connections to a service, and gRPC remembers headers of a connection that it couldn't parse.

    Trailers are passed on as they are: no filter of Envoy's sees to them.
    """
    headers = raw(edge, LIST_CHARACTERS, rest)
    await http2.call(edge.port, [*headers, header], EMPTY_MESSAGE, [])
    await http2.call(edge.port, headers, EMPTY_MESSAGE, [header])

    assert [(await rest.get("/v1/characters")).status_code for _ in range(3)] == [200] * 3
    characters = character_service_pb2_grpc.CharacterServiceStub(channel)
    request = character_service_pb2.ListCharactersRequest(locale="ko")
    await characters.ListCharacters(request, metadata=bearer, timeout=5, compression=grpc.Compression.Gzip)


@pytest.mark.parametrize("timeout", ["x", "-1S", "1 S", "", "100S", "2M", "999999999m", "99999999H"])
async def test_a_deadline_that_is_none_or_beyond_the_edges_becomes_the_edges(
    timeout: str, mesh: FakeMesh, edge: Edge, rest: httpx2.AsyncClient
) -> None:
    """The service is told when the edge gives up. A library would put the time right before it sends it."""
    await http2.call(edge.port, [*raw(edge, LIST_SCANS, rest), ("grpc-timeout", timeout)], EMPTY_MESSAGE, [])

    (call,) = mesh.calls
    assert call.seconds_left is not None
    assert 10 < call.seconds_left <= 14


@pytest.mark.parametrize(("timeout", "seconds"), [("9S", 9), ("9000m", 9), ("9000000u", 9)])
async def test_a_deadline_in_any_unit_passes(
    timeout: str, seconds: float, mesh: FakeMesh, edge: Edge, rest: httpx2.AsyncClient
) -> None:
    """Libraries differ in the unit they choose."""
    await http2.call(edge.port, [*raw(edge, LIST_SCANS, rest), ("grpc-timeout", timeout)], EMPTY_MESSAGE, [])

    (call,) = mesh.calls
    assert call.seconds_left is not None
    assert seconds - 2 < call.seconds_left <= seconds


@pytest.mark.parametrize("timeout", [3, 3600], ids=str)
@pytest.mark.parametrize("compression", list(grpc.Compression), ids=str)
async def test_grpc_clients_may_compress(
    compression: grpc.Compression, timeout: float, mesh: FakeMesh, channel: grpc.aio.Channel, bearer: Metadata
) -> None:
    """Whatever their deadline: without grpc-encoding, a compressed message couldn't be read."""
    scans = scan_service_pb2_grpc.ScanServiceStub(channel)
    request = scan_service_pb2.CreateScanRequest(user_input="병" * 2000)
    await scans.CreateScan(request, metadata=bearer, compression=compression, timeout=timeout)

    (call,) = mesh.calls
    assert call.request == request


@pytest.mark.parametrize("header", [header for header in UNREADABLE if header[0].endswith("-bin")], ids=": ".join)
async def test_no_service_gets_binary_headers(
    header: tuple[str, str], mesh: FakeMesh, channel: grpc.aio.Channel, bearer: Metadata
) -> None:
    """None of ours reads one, so none need decode one."""
    scans = scan_service_pb2_grpc.ScanServiceStub(channel)
    await scans.ListScans(scan_service_pb2.ListScansRequest(), metadata=(*bearer, (header[0], b"1")), timeout=5)

    (call,) = mesh.calls
    assert header[0] not in call.metadata
