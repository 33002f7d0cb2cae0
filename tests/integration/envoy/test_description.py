"""The API's description and its page, served by the edge itself."""

import httpx2
import pytest

from local.stack.envoy import DESCRIPTION, REFERENCE
from tests.support.description import Json, operations
from tests.support.edge.envoy import Edge
from tests.support.edge.fake_mesh import FakeMesh
from tests.support.edge.rest_contract import SCAN_ID
from tests.support.http import http_client

pytestmark = pytest.mark.asyncio(loop_scope="module")

FILES = [
    ("/openapi.yaml", DESCRIPTION.read_bytes(), "application/yaml"),
    ("/docs", REFERENCE.read_bytes(), "text/html; charset=utf-8"),
]
NAMES = [f"{verb} {path}" for verb, path, _ in operations()]


@pytest.mark.parametrize(("path", "content", "media_type"), FILES, ids=["description", "page"])
async def test_a_file_is_served_to_everybody(path: str, content: bytes, media_type: str, edge: Edge) -> None:
    """Whoever looks for how to sign in has no token yet."""
    async with http_client(base_url=edge.url) as stranger:
        whole = await stranger.get(path, headers={"Accept-Encoding": "identity"})
        small = await stranger.get(path, headers={"Accept-Encoding": "br"})
        head = await stranger.head(path)

    assert (whole.status_code, whole.headers["content-type"]) == (200, media_type)
    assert whole.content == content
    assert whole.headers["x-content-type-options"] == "nosniff"
    assert small.headers["content-encoding"] == "br"
    assert (head.status_code, head.headers["content-type"], head.content) == (200, media_type, b"")


async def test_the_page_may_run_nothing(edge: Edge) -> None:
    """On the origin where users' tokens are."""
    async with http_client(base_url=edge.url) as stranger:
        response = await stranger.get("/docs")

    assert response.headers["content-security-policy"].startswith("default-src 'none';")


@pytest.mark.parametrize("path", [path for path, _, _ in FILES])
async def test_a_file_is_only_read(path: str, rest: httpx2.AsyncClient) -> None:
    """Another verb is refused as everywhere."""
    response = await rest.post(path, json={})

    assert (response.status_code, response.json()["details"][0]["reason"]) == (404, "NOT_IMPLEMENTED")


@pytest.mark.parametrize(("verb", "path", "operation"), [*operations()], ids=NAMES)
async def test_who_needs_a_token_is_as_described(
    verb: str, path: str, operation: Json, edge: Edge, mesh: FakeMesh
) -> None:
    """Without one it is a 401, where the description says so and nowhere else."""
    filled = path.replace("{scan_id}", SCAN_ID).replace("{code}", "K7PD2MTX").replace("{provider}", "kakao")
    async with http_client(base_url=edge.url) as stranger:
        response = await stranger.request(verb, filled, json={} if "requestBody" in operation else None)

    needed = bool(operation["security"]) and {} not in operation["security"]  # a token, or a ticket in its place
    assert (response.status_code == 401) is needed
    assert str(response.status_code) in operation["responses"]
