"""Watching over REST: newline JSON and Server-Sent Events from one RPC, each message at once."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import grpc
import httpx2
import pytest
from google.api.httpbody_pb2 import HttpBody
from google.protobuf.message import Message

from eco2.scan.v1 import scan_service_pb2, scan_service_pb2_grpc
from tests.support.edge.envoy import Edge
from tests.support.edge.fake_mesh import FakeMesh
from tests.support.edge.rest_contract import SCAN_ID
from tests.support.gates import Gate

pytestmark = pytest.mark.asyncio(loop_scope="module")

WATCH = "eco2.scan.v1.ScanService.WatchScan"
EVENTS = "eco2.scan.v1.EventStreamService.StreamEvents"
PATH = f"/v1/scans/{SCAN_ID}:watch"
SSE = {"Accept": "text/event-stream"}
SNAPSHOT = scan_service_pb2.WatchScanResponse(type=scan_service_pb2.WatchScanResponse.TYPE_SNAPSHOT)
TERMINAL = scan_service_pb2.WatchScanResponse(type=scan_service_pb2.WatchScanResponse.TYPE_TERMINAL)


class Held:
    """A stream that sends one message, then waits for the test before it sends the others."""

    def __init__(self, first: Message, *others: Message) -> None:
        self._first = first
        self._others = others
        self._seen = asyncio.Event()

    async def __call__(self, request: Any, context: Any) -> AsyncIterator[Message]:
        yield self._first
        for message in self._others:
            await self._seen.wait()
            yield message

    def seen(self) -> None:
        """The client has the first message."""
        self._seen.set()


async def test_without_accept_each_line_is_json(mesh: FakeMesh, rest: httpx2.AsyncClient) -> None:
    """The first line arrives while the stream is still open. The whole isn't JSON, and isn't called so."""
    held = mesh.streams[WATCH] = Held(SNAPSHOT, TERMINAL)

    async with rest.stream("GET", PATH) as response:
        assert response.headers["content-type"] == "application/x-ndjson"
        lines = response.aiter_lines()
        first = json.loads(await anext(lines))
        held.seen()
        rest_of_it = [json.loads(line) async for line in lines]

    assert (first, rest_of_it) == ({"type": "TYPE_SNAPSHOT"}, [{"type": "TYPE_TERMINAL"}])


@pytest.mark.parametrize("accept", ["text/event-stream", "text/event-stream, */*;q=0.1", "Text/Event-Stream"])
async def test_event_stream_is_chosen_by_accept(accept: str, mesh: FakeMesh, rest: httpx2.AsyncClient) -> None:
    """What browsers and SSE libraries send. The text arrives as the service wrote it."""
    held = mesh.streams[EVENTS] = Held(
        HttpBody(content_type=SSE["Accept"], data=b"id: 3\n\n"), HttpBody(data=b": b\n\n")
    )

    async with rest.stream("GET", PATH, headers={"Accept": accept}) as response:
        assert response.headers["content-type"] == "text/event-stream"
        chunks = response.aiter_raw()
        first = await anext(chunks)
        held.seen()
        rest_of_it = [chunk async for chunk in chunks]

    assert (first, b"".join(rest_of_it)) == (b"id: 3\n\n", b": b\n\n")


async def test_a_browser_that_reconnects_tells_where_it_was(mesh: FakeMesh, rest: httpx2.AsyncClient) -> None:
    """Last-Event-ID is a header, so it must not get lost on the way."""
    mesh.streams[EVENTS] = Held(HttpBody(content_type=SSE["Accept"], data=b": a\n\n"))
    await rest.get(PATH, headers={**SSE, "Last-Event-ID": "20003"})

    (call,) = mesh.calls
    assert call.metadata["last-event-id"] == "20003"


async def test_event_streams_are_as_strict(mesh: FakeMesh, rest: httpx2.AsyncClient) -> None:
    """A route's settings replace the filter's wholly: these must not be forgotten there."""
    unknown = await rest.get(PATH, params={"colour": "red"}, headers=SSE)
    overruled = await rest.get(PATH, params={"scan_id": "another"}, headers=SSE)
    wrong_verb = await rest.post(PATH, json={}, headers=SSE)

    assert (unknown.status_code, overruled.status_code, wrong_verb.status_code) == (400, 400, 404)
    assert mesh.calls == []


async def test_other_paths_ignore_the_accept_header(mesh: FakeMesh, rest: httpx2.AsyncClient) -> None:
    """Only a stream can be an event stream."""
    response = await rest.get(f"/v1/scans/{SCAN_ID}", headers=SSE)

    assert (response.status_code, response.headers["content-type"]) == (200, "application/json")


@pytest.mark.parametrize("headers", [{}, SSE], ids=["json", "sse"])
async def test_a_watch_refused_at_once_is_an_error_response(
    headers: dict[str, str], mesh: FakeMesh, rest: httpx2.AsyncClient
) -> None:
    """Before the first message there is still a status to send."""

    async def refuse(request: Any, context: Any) -> AsyncIterator[Message]:
        await context.abort(grpc.StatusCode.NOT_FOUND, "No such scan")
        yield SNAPSHOT

    mesh.streams[WATCH] = mesh.streams[EVENTS] = refuse
    response = await rest.get(PATH, headers=headers)

    assert (response.status_code, response.json()["code"]) == (404, grpc.StatusCode.NOT_FOUND.value[0])


async def test_a_watch_outlives_a_short_call(mesh: FakeMesh, rest: httpx2.AsyncClient) -> None:
    """Ten minutes, bounded; the client then watches again."""
    await rest.get(PATH)

    (call,) = mesh.calls
    assert call.seconds_left is not None
    assert 590 < call.seconds_left <= 600


async def test_more_watches_than_a_clusters_default(mesh: FakeMesh, edge: Edge, rest: httpx2.AsyncClient) -> None:
    """Envoy's default of 1,024 requests a cluster would refuse some of these, and short calls with them."""
    gate, channels, each = Gate(), 12, 100

    async def wait(request: Any, context: Any) -> AsyncIterator[Message]:
        await gate()
        yield TERMINAL

    async def watch(scans: "scan_service_pb2_grpc.ScanServiceAsyncStub", user: int) -> int:
        request = scan_service_pb2.WatchScanRequest(scan_id=SCAN_ID)
        bearer = (("authorization", f"Bearer {edge.issuer.token(sub=f'user-{user}')}"),)
        return len([event async for event in scans.WatchScan(request, metadata=bearer, timeout=30)])

    mesh.streams[WATCH] = wait
    async with AsyncExitStack() as stack, asyncio.timeout(30), asyncio.TaskGroup() as group:
        watches = []
        for user in range(channels):  # a user may watch so often a minute
            options = [("grpc.use_local_subchannel_pool", 1)]
            channel = await stack.enter_async_context(grpc.aio.insecure_channel(edge.target, options=options))
            stub = scan_service_pb2_grpc.ScanServiceStub(channel)
            watches += [group.create_task(watch(stub, user)) for _ in range(each)]
        await gate.held(channels * each)
        short = await rest.get("/v1/scans")
        gate.open()

    assert short.status_code == 200
    assert {watched.result() for watched in watches} == {1}
