"""The edge while nothing answers behind it."""

from collections.abc import AsyncIterator

import grpc
import httpx2
import pytest
import pytest_asyncio

from eco2.scan.v1 import scan_service_pb2, scan_service_pb2_grpc
from mesh.errors import Unavailable
from mesh.grpc.status import from_rpc_error
from mesh.reasons import Reason
from tests.support.edge.envoy import Edge, running
from tests.support.edge.rest_contract import SCAN_ID
from tests.support.ports import free_port

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def edge(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Edge]:
    """Envoy with nobody at the services' port."""
    async with running(tmp_path_factory.mktemp("edge"), free_port()) as edge:
        yield edge


@pytest.mark.parametrize("path", ["/v1/taxonomy", f"/v1/scans/{SCAN_ID}", f"/v1/scans/{SCAN_ID}:watch"])
@pytest.mark.parametrize("accept", ["application/json", "text/event-stream"])
async def test_rest_clients_get_a_status_and_when_to_retry(path: str, accept: str, rest: httpx2.AsyncClient) -> None:
    """A transcoded request counts as gRPC inside Envoy, yet its error must be JSON."""
    response = await rest.get(path, headers={"Accept": accept})

    assert (response.status_code, response.headers["content-type"]) == (503, "application/json")
    assert response.headers["retry-after"] == "1"
    status = response.json()
    assert status["code"] == grpc.StatusCode.UNAVAILABLE.value[0]
    assert status["details"][0]["reason"] == "UNAVAILABLE"


async def test_grpc_clients_get_the_same(channel: grpc.aio.Channel, bearer: tuple[tuple[str, str], ...]) -> None:
    """In trailers, where their libraries look for it."""
    scans = scan_service_pb2_grpc.ScanServiceStub(channel)
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await scans.GetScan(scan_service_pb2.GetScanRequest(), metadata=bearer, timeout=5)

    error = from_rpc_error(raised.value, "edge")
    assert (type(error), error.reason, error.retry_after) == (Unavailable, Reason.UNAVAILABLE, 1)


async def test_the_edge_itself_is_healthy(rest: httpx2.AsyncClient) -> None:
    """Taking the edge away wouldn't bring a service back, and would hide the reason."""
    response = await rest.get("/healthz")
    assert (response.status_code, response.text) == (200, "ok")
