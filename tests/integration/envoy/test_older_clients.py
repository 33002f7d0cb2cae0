"""What older clients send, which can't be changed: it reaches their service whatever is around it, and no other."""

import json
from typing import Any

import httpx2
import pytest
from google.api.httpbody_pb2 import HttpBody
from google.protobuf.message import Message

from eco2.compat.v1 import compat_service_pb2 as pb
from tests.support.edge.fake_mesh import FakeMesh
from tests.support.edge.rest_contract import SCAN_ID, Binding, bindings

pytestmark = pytest.mark.asyncio(loop_scope="module")

SERVICE = "eco2.compat.v1.CompatService"
ANALYZE = "/api/v1/waste/analyze"
COMPLETE = [f"/api/v1/waste/upload-complete/{SCAN_ID}", f"/upload-complete/{SCAN_ID}"]
OLDER = [binding for binding in bindings() if binding.older]
BODIES = {
    "none": (b"", None),
    "an object": (b"{}", "application/json"),
    "null": (b"null", "application/json"),
    "a list": (b"[]", "application/json"),
    "what the path says": (json.dumps({"job_id": SCAN_ID, "size": 7}).encode(), "application/json"),
    "many names": (json.dumps({f"x{number}": 1 for number in range(99)}).encode(), "application/json"),
    "a form": (b"name=a.jpg", "application/x-www-form-urlencoded"),
    "bytes": (b"\xff\xd8\xff\xe0", "image/jpeg"),
    "text without a type": (b"hello", None),
}


@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("path", [ANALYZE, *COMPLETE, f"{ANALYZE}?t=1"])
async def test_where_no_body_is_read_anything_may_come(
    path: str, body: str, mesh: FakeMesh, rest: httpx2.AsyncClient
) -> None:
    """Their apps send nothing, or whatever their HTTP library makes of nothing."""
    content, kind = BODIES[body]
    response = await rest.post(path, content=content, headers={"Content-Type": kind} if kind else {})

    assert response.status_code == 200, response.text
    (call,) = mesh.calls
    assert call.rpc.rpartition(".")[0] == SERVICE
    assert "eco2-body-names" not in call.metadata
    if path in COMPLETE:
        assert call.request.job_id == SCAN_ID


@pytest.mark.parametrize("path", [f"/media/videos/{SCAN_ID}/", f"/media/videos/{SCAN_ID}"])
async def test_a_clip_is_found_with_and_without_a_slash(path: str, mesh: FakeMesh, rest: httpx2.AsyncClient) -> None:
    """Their paths end in one."""
    response = await rest.get(path)
    assert response.status_code == 200, response.text
    (call,) = mesh.calls
    assert (call.rpc, call.request.id) == (f"{SERVICE}.GetVideo", SCAN_ID)


@pytest.mark.parametrize("path", ["/v1/scan", "/classify"])
@pytest.mark.parametrize("kind", ["application/json", "application/json; charset=utf-8", "text/plain", None])
async def test_a_task_is_read_whatever_its_content_is_called(
    path: str, kind: str | None, mesh: FakeMesh, rest: httpx2.AsyncClient
) -> None:
    """And whatever else it says; what is null isn't there."""
    body = {"image_url": "https://example.com/a.jpg", "callback_url": None, "user_input": "캔", "device": {"os": 1}}
    response = await rest.post(path, content=json.dumps(body).encode(), headers={"Content-Type": kind} if kind else {})

    assert response.status_code == 200, response.text
    (call,) = mesh.calls
    assert call.request == pb.CreateTaskRequest(image_url="https://example.com/a.jpg", user_input="캔")
    assert call.metadata["eco2-body-names"] == "~image_url,callback_url,user_input,device,device.os"


@pytest.mark.parametrize("content", [b"image_url=https://example.com/a.jpg", b"[]", b"{", b'{"image_url": ["a"]}'])
async def test_what_is_no_task_is_a_clear_400(content: bytes, mesh: FakeMesh, rest: httpx2.AsyncClient) -> None:
    """There is no other way to read it."""
    response = await rest.post("/classify", content=content)

    assert (response.status_code, response.json()["code"]) == (400, 3)
    assert mesh.calls == []


@pytest.mark.parametrize("binding", OLDER, ids=str)
async def test_every_response_says_until_when(binding: Binding, mesh: FakeMesh, rest: httpx2.AsyncClient) -> None:
    """Whoever still calls can find out, whatever they ask for; and parameters that nobody knows are ignored."""
    body: Any = {} if binding.body else None
    response = await rest.request(binding.verb, f"{binding.path}?_=1732870000&v=2", json=body)

    assert response.status_code == 200, response.text
    assert response.headers["deprecation"].startswith("@")
    assert response.headers["sunset"].endswith(" GMT")
    assert response.headers["link"] == '</docs>; rel="deprecation"; type="text/html"'
    assert [call.rpc for call in mesh.calls] == [binding.rpc]


async def test_what_is_nothing_is_left_out_and_zero_is_told(mesh: FakeMesh, rest: httpx2.AsyncClient) -> None:
    """Their apps look for `progress` in any case, and take the presence of `result` for the end."""

    async def answer(request: Any, context: Any) -> Message:
        return pb.WasteStatus(job_id=SCAN_ID, status="pending", progress=0, message="…", updated_at={"seconds": 5})

    mesh.answers[f"{SERVICE}.GetWasteStatus"] = answer
    response = await rest.get(f"/api/v1/waste/status/{SCAN_ID}")

    assert response.json() == {
        "job_id": SCAN_ID,
        "status": "pending",
        "progress": 0,
        "message": "…",
        "updated_at": "1970-01-01T00:00:05Z",
    }


@pytest.mark.parametrize("accept", ["text/event-stream", "*/*", "application/json"])
async def test_progress_is_an_event_stream_whatever_is_accepted(
    accept: str, mesh: FakeMesh, rest: httpx2.AsyncClient
) -> None:
    """They know no other kind. It arrives as the service wrote it, and may last."""

    async def stream(request: Any, context: Any) -> Any:
        for data in (b'data: {"step":"queue"}\n\n', b": heartbeat\n\n"):
            yield HttpBody(content_type="text/event-stream", data=data)

    mesh.streams[f"{SERVICE}.StreamTaskProgress"] = stream
    response = await rest.get(f"/v1/scan/{SCAN_ID}/progress", headers={"Accept": accept})

    assert response.headers["content-type"] == "text/event-stream"
    assert response.content == b'data: {"step":"queue"}\n\n: heartbeat\n\n'
    (call,) = mesh.calls
    assert call.seconds_left is not None
    assert call.seconds_left > 500


@pytest.mark.parametrize(
    "path", ["/v1/scanner", "/classify/", "/upload-complete", "/api/v1/waste", "/api/v1/scan/x/progress"]
)
async def test_what_only_looks_like_one_of_their_paths_is_none(
    path: str, mesh: FakeMesh, rest: httpx2.AsyncClient
) -> None:
    """404, as everywhere."""
    response = await rest.post(path, json={})

    assert (response.status_code, response.json()["code"]) == (404, 12)
    assert mesh.calls == []
