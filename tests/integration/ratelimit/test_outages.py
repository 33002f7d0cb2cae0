"""Redis or the service goes away in the middle: nobody is refused for it, and the edge's own limits hold."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from tests.integration.ratelimit.calls import let_through, over_rest
from tests.integration.ratelimit.conftest import LimitedEdge, limited_edge

# The edge alone counts twice as many, of a shared limit.
CREATIONS = 40

Loss = Callable[[LimitedEdge], Awaitable[None]]


@pytest.fixture
async def roomy(tmp_path: Path) -> AsyncIterator[LimitedEdge]:
    """An edge of the test's own, whose parts it ends."""
    async with limited_edge(tmp_path, {"create": {"user": CREATIONS}}, patient=False) as edge:
        yield edge


async def killed_redis(limited: LimitedEdge) -> None:
    await limited.redis.kill()


async def frozen_redis(limited: LimitedEdge) -> None:
    limited.redis.freeze()


async def ended_service(limited: LimitedEdge) -> None:
    await limited.end_service()


@pytest.mark.parametrize("lose", [killed_redis, frozen_redis, ended_service])
async def test_calls_go_on_and_the_edges_own_limit_holds(lose: Loss, roomy: LimitedEdge) -> None:
    """No call fails, whatever is lost while calls are under way; then the edge refuses by itself."""
    async with roomy.client() as client:
        call = over_rest(client, "POST", "/v1/scans", json={})
        for _ in range(CREATIONS // 2):
            assert await call()
        await lose(roomy)

        await let_through(call, 2 * CREATIONS - CREATIONS // 2, refill=2 * CREATIONS)
        refused = await client.post("/v1/scans", json={})
        while refused.status_code == 200:  # refilled meanwhile
            refused = await client.post("/v1/scans", json={})

    assert refused.headers["retry-after"] == "1"
    assert "most" not in refused.json()["details"][0]["metadata"]
