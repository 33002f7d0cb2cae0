"""The names in a JSON body: the transcoder drops unknown ones in silence, so the edge tells the services of all."""

import json

import httpx2
import pytest

from tests.support.edge.fake_mesh import FakeMesh
from tests.support.edge.rest_contract import Binding, bindings

pytestmark = pytest.mark.asyncio(loop_scope="module")

JSON = {"Content-Type": "application/json"}
MEBIBYTE = 1 << 20


async def told(content: bytes, mesh: FakeMesh, rest: httpx2.AsyncClient, path: str = "/v1/scans") -> str | None:
    """What the service was told of this body's names."""
    response = await rest.post(path, content=content, headers=JSON)
    assert response.status_code == 200, response.text
    names = mesh.calls.pop().metadata.get("eco2-body-names")
    assert not isinstance(names, bytes)
    return names


@pytest.mark.parametrize(
    ("content", "names"),
    [
        (b'{"location": {"lat": 37.5, "lng": 126.9}}', "location,location.lat,location.lng"),
        (b'{"locale": "ko", "userInput": "{a: [1,2]}, \\"b\\": 1"}', "locale,userInput"),
        (b'{"x": [1, [2], {"y": 1}, {"y": 2, "z": 3}]}', "x,x[2].y,x[3].z"),
        (b'{"a.b": 1, "c,d": 2, "\xeb\xb3\x91": 3}', "a%2Eb,c%2Cd,%EB%B3%91"),
        (b'{"\\u006cocation": {}, "x\\u0041": 1}', "location,xA"),
        (b"{'locale': 'k\\'o', x : 1}", "locale,x"),
        (b'{"a": {"a": {"a": 1}}, "b": null}', "a,a.a,a.a.a,b"),
        (b'{"nested": {"' + b"n" * 500 + b'": 1}}', f"nested,nested.{'n' * 40}"),
        (b"{}", None),
        (b"", None),
    ],
    ids=["inside", "text", "list", "strange", "escaped", "lenient", "same", "long", "empty", "none"],
)
async def test_every_name_arrives_as_a_path(
    content: bytes, names: str | None, mesh: FakeMesh, rest: httpx2.AsyncClient
) -> None:
    """As the transcoder reads them, in whatever way they are written."""
    assert await told(content, mesh, rest) == names


@pytest.mark.parametrize("binding", [binding for binding in bindings() if binding.body], ids=str)
async def test_every_path_with_a_body_is_looked_into(
    binding: Binding, mesh: FakeMesh, rest: httpx2.AsyncClient
) -> None:
    """Older clients' too, whose unknown names the service is to ignore."""
    names = await told(b'{"nonsense": 1}', mesh, rest, binding.path)

    assert names == ("~nonsense" if binding.older else "nonsense")


@pytest.mark.parametrize(
    "content",
    [
        json.dumps({f"x{number}": number for number in range(65)}).encode(),
        json.dumps({"tags": ["x"] * 100_000}).encode(),
        json.dumps({"x": [{"y": number} for number in range(20_000)]}).encode(),
        b'{"x":' * 101 + b"1" + b"}" * 101,
    ],
    ids=["names", "values", "objects", "levels"],
)
async def test_a_body_made_to_be_slow_is_refused_at_once(
    content: bytes, mesh: FakeMesh, rest: httpx2.AsyncClient
) -> None:
    """The transcoder would hold everybody up for it, and the names travel as a header."""
    response = await rest.post("/v1/rules:match", content=content, headers=JSON)

    assert (response.status_code, response.json()["details"][0]["reason"]) == (400, "INVALID_FIELD")
    assert response.json()["message"].startswith("The request can't be read. The body ")
    assert mesh.calls == []


async def test_a_long_text_is_no_matter(mesh: FakeMesh, rest: httpx2.AsyncClient) -> None:
    """However many quotes in it are escaped."""
    assert await told(json.dumps({"user_input": '"' * (MEBIBYTE // 3)}).encode(), mesh, rest) == "user_input"


async def test_a_client_cannot_say_it_itself(mesh: FakeMesh, rest: httpx2.AsyncClient) -> None:
    """Or anybody could have their own unknown names ignored."""
    await rest.post("/v1/scans", content=b'{"x": 1}', headers={**JSON, "eco2-body-names": "~"})
    await rest.get("/v1/scans", headers={"eco2-body-names": "~"})

    assert [call.metadata.get("eco2-body-names") for call in mesh.calls] == ["x", None]
