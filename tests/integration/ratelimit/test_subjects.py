"""Whose calls are counted together: a user's, an address', and nobody else's."""

import uuid
from pathlib import Path

import pytest

from tests.integration.ratelimit.calls import let_through, over_rest
from tests.integration.ratelimit.conftest import TIGHT, LimitedEdge, anywhere
from tests.support.edge.envoy import Limiting, running
from tests.support.edge.fake_mesh import FakeMesh
from tests.support.edge.rest_contract import SCAN_ID
from tests.support.http import http_client
from tests.support.ports import free_port

pytestmark = pytest.mark.asyncio(loop_scope="module")

GUESTS, CREATIONS = TIGHT["guest"]["address"], TIGHT["create"]["user"]
GUEST = "/v1/auth/guest"


async def test_what_a_client_writes_into_the_header_counts_for_nothing(limited: LimitedEdge) -> None:
    """The load balancer adds the address it sees at the end; all before it may be invented."""
    address = anywhere()
    async with limited.stranger(address) as stranger:

        async def call() -> bool:
            invented = {"x-forwarded-for": f"{anywhere()}, {anywhere()}, {address}"}
            return (await stranger.post(GUEST, json={}, headers=invented)).status_code != 429

        await let_through(call, GUESTS)


async def test_without_a_load_balancer_only_the_connection_counts(tmp_path: Path) -> None:
    """Whatever a client writes, in whichever header."""
    port, changes = free_port(), {"without_token": {"address": 60}}
    mesh = FakeMesh()
    async with (
        running(tmp_path, port, limiting=Limiting(changes=changes)) as edge,
        mesh.serving(port),
        http_client(base_url=edge.url) as stranger,
    ):

        async def call() -> bool:
            names = ("x-forwarded-for", "x-real-ip", "forwarded", "true-client-ip", "x-envoy-external-address")
            return (await stranger.get("/v1/me", headers=dict.fromkeys(names, anywhere()))).status_code != 429

        await let_through(call, 60)


async def test_who_has_a_network_has_one_address(limited: LimitedEdge) -> None:
    """Of IPv6 a household gets 64 bits to choose from."""
    network = f"2001:db8:{uuid.uuid4().hex[:4]}:{uuid.uuid4().hex[:4]}"
    async with limited.stranger("") as stranger:
        numbers = iter(range(1, 1000))

        async def call() -> bool:
            source = {"x-forwarded-for": f"{network}::{next(numbers):x}"}
            return (await stranger.post(GUEST, json={}, headers=source)).status_code != 429

        await let_through(call, GUESTS)
        other = {"x-forwarded-for": f"2001:db9:{uuid.uuid4().hex[:4]}::1"}
        assert (await stranger.post(GUEST, json={}, headers=other)).status_code == 200


async def test_a_watch_by_ticket_is_no_call_without_a_token(limited: LimitedEdge) -> None:
    """A browser's EventSource can't send one, and many people may share an address; each user has a limit besides."""
    issuer, sse = limited.edge.issuer, {"Accept": "text/event-stream"}
    users = [f"user-{uuid.uuid4().hex}" for _ in range(2)]
    tickets = [issuer.token(sub=user, aud=f"{issuer.audience}-watch", scan_id=SCAN_ID) for user in users]
    async with limited.stranger(anywhere()) as browser:
        for number in range(TIGHT["without_token"]["address"] + 10):
            query = {"ticket": tickets[number % 2]}
            watched = await browser.get(f"/v1/scans/{SCAN_ID}:watch", params=query, headers=sse)
            assert watched.status_code == 200, watched.text


async def test_one_users_flood_leaves_a_neighbour_alone(limited: LimitedEdge) -> None:
    """At the same address: what a user is refused isn't taken from what the address may do."""
    address = anywhere()
    async with limited.client(address=address) as flooding:
        answers = [(await flooding.post("/v1/scans", json={})).status_code for _ in range(CREATIONS + 10)]
        assert answers.count(429) >= 9
    async with limited.redis.client() as redis:
        key = f"ratelimit:address:{address}/32:CreateScan"
        taken = float(await redis.get(key))
        seconds, microseconds = await redis.time()
    # What is left of the address' bucket is what the user was let through, and no more.
    assert (taken / 1e6 - seconds - microseconds / 1e6) <= CREATIONS * 60 / TIGHT["create"]["address"]
    async with limited.client() as neighbour:
        assert (await neighbour.post("/v1/scans", json={})).status_code == 200


async def test_a_language_that_no_message_can_hold_counts_all_the_same(limited: LimitedEdge) -> None:
    """It goes along with the question whether a call goes through, which couldn't be read."""
    async with limited.client() as client:
        call = over_rest(client, "POST", "/v1/scans", json={}, headers={b"accept-language": b"\xff"})
        await let_through(call, CREATIONS)


async def test_a_user_is_the_same_over_rest_and_grpc_and_at_any_address(limited: LimitedEdge) -> None:
    """Or a second client would double the limit."""
    user = f"user-{uuid.uuid4().hex}"

    async def call() -> bool:
        async with limited.client(user) as client:  # from somewhere else each time
            return await over_rest(client, "POST", "/v1/scans", json={})()

    await let_through(call, CREATIONS)
