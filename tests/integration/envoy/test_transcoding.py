"""What REST becomes for services, and back: names of fields, sizes, deadlines.

The transcoder drops unknown names of a JSON body in silence, so the edge tells the services of all.
"""

import json
from typing import Any

import grpc
import httpx2
import pytest
from google.protobuf.message import Message

from eco2.scan.v1 import scan_service_pb2, scan_service_pb2_grpc
from tests.support.edge.fake_mesh import FakeMesh
from tests.support.edge.rest_contract import SCAN_ID, Binding, bindings

pytestmark = pytest.mark.asyncio(loop_scope="module")

JSON = {"Content-Type": "application/json"}
MEBIBYTE = 1 << 20
LIST_SCANS = "eco2.scan.v1.ScanService.ListScans"


async def told(
    content: bytes, mesh: FakeMesh, rest: httpx2.AsyncClient, path: str = "/v1/scans", verb: str = "POST"
) -> str | None:
    """What the service was told of this body's names."""
    response = await rest.request(verb, path, content=content, headers=JSON)
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
    names = await told(b'{"nonsense": 1}', mesh, rest, binding.path, binding.verb)

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


async def test_a_body_just_under_the_limit_passes(mesh: FakeMesh, rest: httpx2.AsyncClient) -> None:
    """Nothing on the way has a smaller limit."""
    response = await rest.post("/v1/scans", json={"user_input": "a" * (MEBIBYTE - 1000)})

    assert response.status_code == 200


async def test_a_large_reply_passes(mesh: FakeMesh, rest: httpx2.AsyncClient) -> None:
    """By default a reply over 1 MiB would be a 500."""

    async def page(request: Any, context: Any) -> Message:
        response = scan_service_pb2.ListScansResponse()
        response.scans.add(user_input="a" * 3 * MEBIBYTE)
        return response

    mesh.answers[LIST_SCANS] = page
    response = await rest.get("/v1/scans")

    assert response.status_code == 200
    assert len(response.json()["scans"][0]["user_input"]) == 3 * MEBIBYTE


async def test_replies_keep_field_names_and_name_enums(mesh: FakeMesh, rest: httpx2.AsyncClient) -> None:
    """Clients see the protos' own names; what isn't set is left out."""

    async def page(request: Any, context: Any) -> Message:
        response = scan_service_pb2.ListScansResponse(next_page_token="next")
        response.scans.add(scan_id=SCAN_ID, state="STATE_QUEUED")
        return response

    mesh.answers[LIST_SCANS] = page
    response = await rest.get("/v1/scans")

    assert response.json() == {
        "scans": [{"scan_id": SCAN_ID, "state": "STATE_QUEUED"}],
        "next_page_token": "next",
    }


async def test_a_rest_call_brings_a_deadline(mesh: FakeMesh, rest: httpx2.AsyncClient) -> None:
    """Under the edge's own 15 s, so that the service's error arrives and not the edge's."""
    await rest.get("/v1/scans")

    (call,) = mesh.calls
    assert call.seconds_left is not None
    assert 10 < call.seconds_left <= 14


async def test_a_grpc_callers_own_deadline_is_kept(
    mesh: FakeMesh, channel: grpc.aio.Channel, bearer: tuple[tuple[str, str], ...]
) -> None:
    """Ours is only for those who bring none."""
    scans = scan_service_pb2_grpc.ScanServiceStub(channel)
    await scans.GetScan(scan_service_pb2.GetScanRequest(), metadata=bearer, timeout=5)

    (call,) = mesh.calls
    assert call.seconds_left is not None
    assert call.seconds_left < 6
