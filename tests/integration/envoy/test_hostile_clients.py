"""Who takes up a connection, or hides a request in another: cut off, and told why where HTTP has a way to.

How a neighbour fares meanwhile is measured in tests/isolation. The edge's time-outs are shortened here.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from h2.events import Event, StreamReset
from h2.settings import SettingCodes

from eco2.rules.v1 import rules_service_pb2
from tests.support.edge import http2
from tests.support.edge.envoy import Edge, running
from tests.support.edge.fake_mesh import FakeMesh
from tests.support.edge.smuggled import smuggled
from tests.support.ports import free_port

pytestmark = pytest.mark.asyncio(loop_scope="module")

LARGE = 200_000  # more than a window
SECONDS = 30


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def mesh_and_edge(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[FakeMesh, Edge]]:
    """An edge without patience."""

    def change(configuration: dict[str, Any]) -> None:
        listener = configuration["static_resources"]["listeners"][0]
        manager = listener["filter_chains"][0]["filters"][0]["typed_config"]
        manager |= {"request_headers_timeout": "0.3s", "request_timeout": "0.5s", "stream_idle_timeout": "0.7s"}
        manager["common_http_protocol_options"]["idle_timeout"] = "1s"

    port, fake = free_port(), FakeMesh()
    async with running(tmp_path_factory.mktemp("edge"), port, change) as edge, fake.serving(port):
        yield fake, edge


async def answered(port: int, request: bytes) -> bytes:
    """All that comes until the edge ends the connection, of a client that says no more."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    async with asyncio.timeout(SECONDS):
        answer = await reader.read()
    writer.close()
    return answer


def told(answer: bytes) -> tuple[int, str]:
    """Status and reason of the one response there is."""
    head, _, body = answer.partition(b"\r\n\r\n")
    assert answer.count(b"HTTP/1.1 ") == 1, answer
    return int(head.split()[1]), json.loads(body)["details"][0]["reason"]


@pytest.mark.parametrize("kind", smuggled(""))
async def test_no_request_is_hidden_in_another(kind: str, mesh: FakeMesh, edge: Edge) -> None:
    """One answer, and the connection ends: what follows is read by nobody."""
    status, reason = told(await answered(edge.port, smuggled(edge.issuer.token())[kind]))

    assert (status in (400, 501), reason) == (True, "INVALID_FIELD")
    assert mesh.calls == []


@pytest.mark.parametrize("begin", ["GET /v1/scans HTTP/1.1\r\nHost: edge\r\n", "GET /v1/sc"], ids=["headers", "line"])
async def test_headers_that_never_end_are_given_up(begin: str, edge: Edge) -> None:
    """Within ten seconds as it is configured; here in less than one."""
    assert told(await answered(edge.port, begin.encode())) == (408, "DEADLINE_EXCEEDED")


async def test_a_body_that_never_ends_is_given_up(mesh: FakeMesh, edge: Edge) -> None:
    """No service has heard of it."""
    token = edge.issuer.token()
    begin = f"POST /v1/scans HTTP/1.1\r\nHost: edge\r\nAuthorization: Bearer {token}\r\nContent-Length: 9\r\n\r\n{{"

    assert told(await answered(edge.port, begin.encode())) == (408, "DEADLINE_EXCEEDED")
    assert mesh.calls == []


async def test_a_connection_on_which_nothing_happens_ends(edge: Edge) -> None:
    """There is no request to answer."""
    assert await answered(edge.port, b"") == b""


async def test_an_answer_that_nobody_reads_is_dropped(mesh: FakeMesh, edge: Edge) -> None:
    """A window that is never opened would keep it in memory."""

    async def large(request: Any, context: Any) -> rules_service_pb2.GetTaxonomyResponse:
        return rules_service_pb2.GetTaxonomyResponse(rulebook_version="x" * LARGE)

    mesh.answers["eco2.rules.v1.RulesService.GetTaxonomy"] = large
    headers = [(":method", "GET"), (":scheme", "http"), (":authority", "edge"), (":path", "/v1/taxonomy")]
    async with http2.connected(edge.port) as connection, asyncio.timeout(SECONDS):
        connection.h2.update_settings({SettingCodes.INITIAL_WINDOW_SIZE: 0})
        token = edge.issuer.token()
        connection.h2.send_headers(1, [*headers, ("authorization", f"Bearer {token}")], end_stream=True)
        await connection.send()
        events: list[Event] = []
        async for event in connection.events():
            events.append(event)
            if isinstance(event, StreamReset):
                break
    assert isinstance(events[-1], StreamReset)
    assert [call.rpc.rpartition(".")[2] for call in mesh.calls] == ["GetTaxonomy"]
