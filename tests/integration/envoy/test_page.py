"""The users' page, as the edge serves it: every file, others' scripts kept away, and cheap the second time."""

from pathlib import Path

import pytest

from local.stack.page import FOLDER
from tests.support.edge.envoy import Edge, Limiting, running
from tests.support.edge.fake_mesh import FakeMesh
from tests.support.http import http_client
from tests.support.ports import free_port

pytestmark = pytest.mark.asyncio(loop_scope="module")

TYPES = {".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8"}
TYPES |= {".css": "text/css; charset=utf-8", ".svg": "image/svg+xml"}
FILES = {f"/app/{file.name}": file for file in FOLDER.iterdir() if file.name != "index.html"}
PAGES = {"/": FOLDER / "index.html", "/callback?code=c&state=s": FOLDER / "index.html"}


async def test_every_file_is_served_to_everybody_and_asked_for_once(edge: Edge) -> None:
    """Whoever comes has no token yet. What a browser has already it isn't sent again, compressed or not."""
    async with http_client(base_url=edge.url) as stranger:
        for path, file in (PAGES | FILES).items():
            first = await stranger.get(path, headers={"Accept-Encoding": "identity"})
            small = await stranger.get(path, headers={"Accept-Encoding": "gzip"})
            assert (first.status_code, first.content, small.content) == (200, file.read_bytes(), file.read_bytes()), (
                path
            )
            assert first.headers["content-type"] == TYPES[file.suffix]
            assert (first.headers["x-content-type-options"], first.headers["cache-control"]) == ("nosniff", "no-cache")
            for tag in (first.headers["etag"], small.headers["etag"]):
                again = await stranger.get(path, headers={"If-None-Match": tag})
                assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", first.headers["etag"])
            other = await stranger.get(path, headers={"If-None-Match": '"another"'})
            assert other.status_code == 200


async def test_the_page_runs_its_own_scripts_alone(edge: Edge) -> None:
    """On the origin where users' tokens are; photos and uploads go where the settings say."""
    async with http_client(base_url=edge.url) as stranger:
        headers = (await stranger.get("/")).headers

    policy = dict(part.strip().split(" ", 1) for part in headers["content-security-policy"].split(";"))
    assert (policy["default-src"], policy["script-src"]) == ("'none'", "'self'")
    assert policy["img-src"] == "'self' blob: https://photos.test"
    assert policy["connect-src"] == "'self' https://uploads.test"
    assert (policy["frame-ancestors"], headers["referrer-policy"]) == ("'none'", "no-referrer")


@pytest.mark.parametrize(("verb", "path"), [("POST", "/"), ("DELETE", "/app/main.js"), ("GET", "/app/none.js")])
async def test_nothing_else_is_there(verb: str, path: str, edge: Edge) -> None:
    """Refused as everywhere."""
    async with http_client(base_url=edge.url) as stranger:
        response = await stranger.request(verb, path)

    assert (response.status_code, response.json()["details"][0]["reason"]) == (404, "NOT_IMPLEMENTED")


async def test_loading_the_page_takes_nothing_from_what_strangers_may_call(tmp_path: Path) -> None:
    """A class of pupils at one address opens it at once, and each of them becomes a guest."""
    port = free_port()
    limiting = Limiting(changes={"without_token": {"address": 60}})
    async with (
        running(tmp_path, port, limiting=limiting) as edge,
        FakeMesh().serving(port),
        http_client(base_url=edge.url) as stranger,
    ):
        loaded = {(await stranger.get(path)).status_code for _ in range(3) for path in FILES}
        called = await stranger.post("/v1/auth/guest", json={})

    assert (loaded, called.status_code) == ({200}, 200)
