"""A ticket in the query opens one watch, for who can't send a header; it opens nothing else, and nothing keeps it."""

from collections.abc import AsyncIterator
from typing import Any

import grpc
import httpx2
import pytest
import pytest_asyncio

from eco2.scan.v1.event_stream_service_pb2 import StreamEventsRequest
from tests.support.edge.envoy import Edge
from tests.support.edge.fake_mesh import FakeMesh
from tests.support.edge.rest_contract import SCAN_ID
from tests.support.edge.strangers import strangers
from tests.support.http import http_client

pytestmark = pytest.mark.asyncio(loop_scope="module")

WATCH = f"/v1/scans/{SCAN_ID}:watch"
SSE = {"Accept": "text/event-stream"}
ANOTHER = "0197a1b2-0000-7000-8000-000000000002"


@pytest.fixture
def ticket(edge: Edge) -> str:
    """As Auth signs it."""
    return edge.issuer.token(aud=f"{edge.issuer.audience}-watch", scan_id=SCAN_ID)


@pytest_asyncio.fixture(loop_scope="module")
async def browser(edge: Edge) -> AsyncIterator[httpx2.AsyncClient]:
    """Sends no token."""
    async with http_client(base_url=edge.url, timeout=10) as client:
        yield client


async def test_a_ticket_opens_its_watch(mesh: FakeMesh, browser: httpx2.AsyncClient, ticket: str) -> None:
    """Scan learns whose it is and for which scan, where EventSource was, and not the ticket."""
    response = await browser.get(
        WATCH, params={"after_version": 3, "ticket": ticket}, headers={**SSE, "Last-Event-ID": "4"}
    )

    assert response.status_code == 200, response.text
    (call,) = mesh.calls
    assert call.rpc == "eco2.scan.v1.EventStreamService.StreamEvents"
    assert call.request == StreamEventsRequest(scan_id=SCAN_ID, after_version=3)
    told = ("eco2-user-id", "eco2-watch-scan-id", "last-event-id")
    assert [call.metadata[name] for name in told] == ["user-1", SCAN_ID, "4"]
    assert ticket not in repr(call.metadata)


@pytest.mark.parametrize("header", ["eco2-watch-scan-id", "Eco2-Watch-Scan-Id"])
async def test_the_scan_of_a_ticket_is_the_edges_to_say(
    header: str, mesh: FakeMesh, browser: httpx2.AsyncClient, rest: httpx2.AsyncClient, ticket: str
) -> None:
    """With a ticket and without one."""
    await browser.get(WATCH, params={"ticket": ticket}, headers={**SSE, header: ANOTHER})
    await rest.get(WATCH, headers={**SSE, header: ANOTHER})

    with_ticket, with_token = mesh.calls
    assert with_ticket.metadata["eco2-watch-scan-id"] == SCAN_ID
    assert "eco2-watch-scan-id" not in with_token.metadata


async def test_a_ticket_opens_nothing_else(
    mesh: FakeMesh, edge: Edge, browser: httpx2.AsyncClient, channel: grpc.aio.Channel, ticket: str
) -> None:
    """Neither another path, nor the watch as lines, nor the RPC by its own name, nor anything as a token."""
    query = {"ticket": ticket}
    refused = {
        "as lines": await browser.get(WATCH, params=query),
        "the older path": await browser.get(f"/v1/scan/{SCAN_ID}/progress", params=query, headers=SSE),
        "the scan": await browser.get(f"/v1/scans/{SCAN_ID}", params=query, headers=SSE),
        "its cancellation": await browser.post(f"/v1/scans/{SCAN_ID}:cancel", params=query, headers=SSE, json={}),
        "the history": await browser.get("/v1/scans", params=query, headers=SSE),
        "as a token": await browser.get(WATCH, headers={**SSE, "Authorization": f"Bearer {ticket}"}),
        "as access_token": await browser.get(WATCH, params={"access_token": ticket}, headers=SSE),
    }
    path = f"/eco2.scan.v1.EventStreamService/StreamEvents?ticket={ticket}"
    call: Any = channel.unary_stream(path)(b"", timeout=10)

    assert {what: response.status_code for what, response in refused.items()} == dict.fromkeys(refused, 401)
    assert await call.code() is grpc.StatusCode.UNAUTHENTICATED
    assert mesh.calls == []


async def test_no_other_token_is_a_ticket(mesh: FakeMesh, edge: Edge, browser: httpx2.AsyncClient) -> None:
    """An access token, whatever strangers sign, and one that has expired, also with a good token beside it."""
    issuer = edge.issuer
    forged = strangers(issuer.key, "test", issuer.name, f"{issuer.audience}-watch", "user-1")
    tickets = {fault: (header or "").removeprefix("Bearer ") for fault, header in forged.items()}
    del tickets["no scheme"]  # in a query there is none
    for fault, text in (tickets | {"an access token": issuer.token()}).items():
        for headers in (SSE, {**SSE, "Authorization": f"Bearer {issuer.token()}"}):
            response = await browser.get(WATCH, params={"ticket": text}, headers=headers)
            reason = response.json()["details"][0]["reason"]

            assert (response.status_code, reason) == (401, "UNAUTHENTICATED"), fault
    assert mesh.calls == []


async def test_a_path_still_names_its_scan_alone(mesh: FakeMesh, browser: httpx2.AsyncClient, ticket: str) -> None:
    """The edge rewrites the query when it takes the ticket out."""
    queries = [f"ticket={ticket}&{name}={ANOTHER}" for name in ("scan_id", "scanId", "scan%5Fid")]
    refused = [await browser.get(f"{WATCH}?{query}", headers=SSE) for query in queries]
    unknown = await browser.get(f"{WATCH}?ticket={ticket}&colour=red", headers=SSE)

    assert [response.status_code for response in [*refused, unknown]] == [400] * 4
    assert mesh.calls == []


async def test_a_page_of_another_origin_may_use_one(browser: httpx2.AsyncClient, ticket: str) -> None:
    """EventSource asks for no preflight."""
    headers = {**SSE, "Origin": "https://app.test"}
    response = await browser.get(WATCH, params={"ticket": ticket}, headers=headers)
    refused = await browser.get(WATCH, params={"ticket": "x"}, headers=headers)

    assert (response.status_code, refused.status_code) == (200, 401)
    assert {each.headers["access-control-allow-origin"] for each in (response, refused)} == {"https://app.test"}


async def test_no_log_keeps_a_ticket(edge: Edge, browser: httpx2.AsyncClient, ticket: str) -> None:
    """Of a watch that was opened, and of one that was refused."""
    for text in (ticket, f"x{ticket}"):
        response = await browser.get(WATCH, params={"ticket": text}, headers=SSE)
        line = await edge.output.containing(response.headers["x-request-id"])

        assert f'"path":"{WATCH}"' in line
        assert ticket not in line
