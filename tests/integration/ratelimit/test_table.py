"""Each row of the table, through the real edge."""

import uuid
from itertools import cycle
from typing import Any

import grpc
import pytest

from ratelimit_svc.limits import load_limits
from tests.integration.ratelimit.calls import let_through, over_grpc, over_rest
from tests.integration.ratelimit.conftest import TIGHT, LimitedEdge, anywhere

pytestmark = pytest.mark.asyncio(loop_scope="module")

SCANS = "/v1/scans"


def counted_by(subject: str) -> list[Any]:
    """Each RPC whose calls by one such subject are limited, with the limit."""
    return [
        pytest.param(rpc, number, id=f"{name}-{rpc.rpartition('.')[2]}")
        for name, limit in load_limits(TIGHT).items()
        for rpc in limit.rpcs
        if (number := getattr(limit, subject)) is not None
    ]


@pytest.mark.parametrize(("rpc", "limit"), counted_by("user"))
async def test_a_user_may_call_so_often(rpc: str, limit: int, limited: LimitedEdge, channel: grpc.aio.Channel) -> None:
    """From wherever they call, and no matter what others do."""
    user = f"user-{uuid.uuid4().hex}"

    await let_through(over_grpc(channel, rpc, lambda: limited.headers(user)), limit)

    assert await over_grpc(channel, rpc, limited.headers)()


@pytest.mark.parametrize(("rpc", "limit"), counted_by("address"))
async def test_an_address_may_call_so_often(
    rpc: str, limit: int, limited: LimitedEdge, channel: grpc.aio.Channel
) -> None:
    """Whoever calls from there; other addresses don't notice."""
    address = anywhere()

    await let_through(over_grpc(channel, rpc, lambda: limited.headers(address=address)), limit)

    assert await over_grpc(channel, rpc, limited.headers)()


async def test_an_address_may_call_so_often_without_a_token(limited: LimitedEdge) -> None:
    """Calls that are refused anyway cost something, too."""
    address = anywhere()
    async with limited.stranger(address) as stranger, limited.client(address=address) as user:
        await let_through(over_rest(stranger, "GET", SCANS), TIGHT["without_token"]["address"])

        assert (await user.get(SCANS)).status_code == 200


async def test_what_needs_no_token_has_none(limited: LimitedEdge) -> None:
    """Nobody looks at it there, so whatever a client writes in its place is no way around the limit."""
    async with limited.stranger(anywhere()) as stranger:
        instead = cycle([{}, {"authorization": ""}, {"authorization": "Bearer wrong"}, {"authorization": "x"}])

        async def call() -> bool:
            return await over_rest(stranger, "GET", "/v1/auth/providers", headers=next(instead))()

        await let_through(call, TIGHT["without_token"]["address"])


async def test_an_address_may_call_so_often_with_any_token(limited: LimitedEdge) -> None:
    """A wrong one must be looked at before it is known to be wrong."""
    address = anywhere()
    async with limited.stranger(address) as stranger, limited.client(address=address) as user:
        wrong = over_rest(stranger, "GET", SCANS, headers={"authorization": "Bearer wrong"})
        await let_through(wrong, TIGHT["any"]["address"])

        assert (await user.get(SCANS)).status_code == 429


async def test_each_rpc_is_counted_by_itself(limited: LimitedEdge) -> None:
    """Who has created enough may still read, and search."""
    async with limited.client("busy") as busy:
        await let_through(over_rest(busy, "POST", SCANS, json={}), TIGHT["create"]["user"])

        assert (await busy.get(SCANS)).status_code == 200
        assert (await busy.get("/v1/items:search?q=x")).status_code == 200
