"""The first calls of each subject, which every edge lets through without asking who counts for all of them."""

import uuid
from collections.abc import AsyncIterator
from itertools import cycle
from pathlib import Path
from typing import Any

import httpx2
import pytest
import pytest_asyncio

from ratelimit_svc.limits import Changes
from tests.integration.ratelimit.calls import Call, let_through, over_rest
from tests.integration.ratelimit.conftest import LimitedEdge, anywhere, limited_edge

pytestmark = pytest.mark.asyncio(loop_scope="module")

CREATIONS, FROM_ADDRESS = 60, 40
CHANGES: Changes = {"create": {"user": CREATIONS}, "places": {"address": FROM_ADDRESS}}
# A twentieth.
OF_USER, OF_ADDRESS = 3, 2


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def roomy(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[LimitedEdge]:
    """An edge whose limits have room for shares."""
    async with limited_edge(tmp_path_factory.mktemp("roomy"), CHANGES, patient=True) as edge:
        yield edge


def unasked(replies: list[httpx2.Response], client: httpx2.AsyncClient, verb: str, path: str, **options: Any) -> Call:
    """A call that goes through; whether nobody was asked about it. What was asked about has headers that say so."""

    async def call() -> bool:
        replies.append(await client.request(verb, path, **options))
        assert replies[-1].status_code == 200
        return "x-ratelimit-limit" not in replies[-1].headers

    return call


async def test_most_users_cost_no_question(roomy: LimitedEdge) -> None:
    """Who makes few calls isn't counted anywhere else, and still has the whole limit afterwards."""
    user, replies = f"user-{uuid.uuid4().hex}", list[httpx2.Response]()
    async with roomy.client(user) as client:
        await let_through(unasked(replies, client, "POST", "/v1/scans", json={}), OF_USER)

    assert replies[-1].headers["x-ratelimit-remaining"] == str(CREATIONS - 1)
    assert not [name for name in roomy.mesh.calls[-1].metadata if name.startswith("eco2-beyond")]


async def test_users_of_one_address_share_its_first_calls(roomy: LimitedEdge) -> None:
    """Or who makes users without end would never be counted."""
    address = anywhere()

    async def call() -> bool:
        async with roomy.client(address=address) as somebody:
            return await unasked([], somebody, "GET", "/v1/places")()

    await let_through(call, OF_ADDRESS)


async def test_several_edges_let_through_a_share_each_beyond_the_limit(roomy: LimitedEdge, tmp_path: Path) -> None:
    """And no more, however a user changes from one to the other."""
    user, address = f"user-{uuid.uuid4().hex}", anywhere()
    async with (
        roomy.another_edge(tmp_path) as second,
        roomy.client(user, address) as one,
        roomy.client(user, address, second) as other,
    ):
        calls = cycle([over_rest(client, "POST", "/v1/scans", json={}) for client in (one, other)])

        async def call() -> bool:
            return await next(calls)()

        most = CREATIONS + 2 * OF_USER
        await let_through(call, most, refill=most)
