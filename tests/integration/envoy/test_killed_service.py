"""One of two services dies while calls are with it."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import httpx2
import pytest
import pytest_asyncio
from google.api.httpbody_pb2 import HttpBody
from google.protobuf.message import Message

from eco2.scan.v1 import scan_service_pb2
from tests.support.edge.envoy import Edge, running
from tests.support.edge.fake_mesh import FakeMesh
from tests.support.edge.rest_contract import SCAN_ID
from tests.support.gates import Gate
from tests.support.http import http_client
from tests.support.line import Line, line_to
from tests.support.ports import free_port

pytestmark = pytest.mark.asyncio(loop_scope="module")

CALLS = 20
SSE = {"Accept": "text/event-stream"}
_SCANS = "eco2.scan.v1.ScanService"


@dataclass(frozen=True, slots=True)
class Pair:
    """Two services of which one can die, and a user at the edge before them.

    Attributes:
        mortal: The one that can.
        other: The one that can't.
        line: The only way to the one that can.
        gate: Holds every call that came to either.
        rest: The user's client.
    """

    mortal: FakeMesh
    other: FakeMesh
    line: Line
    gate: Gate
    rest: httpx2.AsyncClient

    async def statuses(self, verb: str, path: str, **request: Any) -> Counter[int]:
        """Makes calls of which some are with the one that dies when all have arrived."""
        async with asyncio.timeout(20):
            calls = [asyncio.create_task(self.rest.request(verb, path, **request)) for _ in range(CALLS)]
            await self.gate.held(CALLS)
            self.line.cut()
            self.gate.open()
            return Counter([(await call).status_code for call in calls])


def two_services(ports: list[int], config: dict[str, Any]) -> None:
    """Both behind each cluster, and always in question: nothing but a call tells that one has died."""
    addresses = [{"socket_address": {"address": "127.0.0.1", "port_value": port}} for port in ports]
    for cluster in config["static_resources"]["clusters"]:
        endpoints = [{"endpoint": {"address": address}} for address in addresses]
        cluster["load_assignment"]["endpoints"] = [{"lb_endpoints": endpoints}]
        cluster.pop("health_checks", None)


@dataclass(frozen=True, slots=True)
class Parts:
    """What all tests share."""

    mortal: FakeMesh
    other: FakeMesh
    line: Line
    edge: Edge


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def parts(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Parts]:
    """An Envoy before two services."""
    mortal, other, ports = FakeMesh(), FakeMesh(), [free_port(), free_port()]
    async with line_to("127.0.0.1", ports[0]) as (line, begin):
        change = partial(two_services, [begin, ports[1]])
        async with (
            running(tmp_path_factory.mktemp("edge"), free_port(), change) as edge,
            mortal.serving(ports[0]),
            other.serving(ports[1]),
        ):
            yield Parts(mortal, other, line, edge)


@pytest_asyncio.fixture(loop_scope="module")
async def pair(parts: Parts) -> AsyncIterator[Pair]:
    """Both live, and hold what they are asked."""
    gate = Gate()

    async def unary(request: Any, context: Any) -> Message:
        await gate()
        return scan_service_pb2.ListScansResponse()

    async def stream(request: Any, context: Any) -> AsyncIterator[Message]:
        await gate()
        yield HttpBody(content_type=SSE["Accept"], data=b": a\n\n")

    for mesh in (parts.mortal, parts.other):
        mesh.forget()
        mesh.answers |= {f"{_SCANS}.{rpc}": unary for rpc in ("ListScans", "GetScan", "CreateScan")}
        mesh.streams["eco2.scan.v1.EventStreamService.StreamEvents"] = stream
    parts.line.up = True
    headers = {"Authorization": f"Bearer {parts.edge.issuer.token()}"}
    async with http_client(base_url=parts.edge.url, headers=headers, timeout=15) as rest:
        yield Pair(parts.mortal, parts.other, parts.line, gate, rest)


@pytest.mark.parametrize(
    ("path", "headers"),
    [("/v1/scans", {}), (f"/v1/scans/{SCAN_ID}", {}), (f"/v1/scans/{SCAN_ID}:watch", SSE)],
    ids=["list", "poll", "watch"],
)
async def test_a_read_is_answered_by_the_other_one(pair: Pair, path: str, headers: dict[str, str]) -> None:
    """Nobody notices: what only reads may be asked twice."""
    assert await pair.statuses("GET", path, headers=headers) == {200: CALLS}
    assert len(pair.mortal.calls) > 3  # as many retries at once as Envoy allows by itself
    assert len(pair.other.calls) == CALLS


async def test_a_write_is_sent_once(pair: Pair) -> None:
    """The one that died may have done it; the client is told, and repeats it with its request_id."""
    statuses = await pair.statuses("POST", "/v1/scans", json={})
    assert statuses == {200: len(pair.other.calls), 503: len(pair.mortal.calls)}
    assert statuses.total() == CALLS
    assert pair.mortal.calls
