"""The event log through the operators' edge: as it comes, in order, and again from where a consumer stopped."""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing

import httpx2

from tests.e2e.conftest import Json, Phone
from tests.support.http import http_client

_SERVICE = "/eco2.events.v1.EventsService/"
_SECONDS = 30.0


async def test_an_operator_follows_a_scan_as_it_happens(
    stack: Mapping[str, str], phone: Phone, note_photo: bytes
) -> None:
    """The stream tells of it while it is open, and once more after the last id; the list says the same."""
    headers = {"Authorization": f"Bearer {stack['ECO2_OPERATOR_TOKEN']}"}
    async with http_client(base_url=stack["ECO2_OPERATORS_URL"], headers=headers, timeout=_SECONDS) as operators:
        async with aclosing(_followed(operators, {"cursor": "latest"})) as frames:
            assert "data" not in await anext(frames)  # where the log ended before the scan was there
            scan_id = await phone.started(note_photo)
            seen = await _up_to_success(frames, scan_id)
        mine = {"filter": {"job_id": scan_id}}
        async with aclosing(_followed(operators, mine, last=seen[0]["id"])) as frames:
            again = await _up_to_success(frames, scan_id)
        listed = await operators.post(f"{_SERVICE}ListEvents", json={"job_id": scan_id})
    told = [json.loads(frame["data"]) for frame in seen]
    assert again == seen[1:]
    assert [event["type"] for event in told[:2]] == ["eco2.scan.upload.awaited", "eco2.scan.accepted"]
    assert {event["specversion"] for event in told} == {"1.0"}
    assert [event["id"] for event in told] == [
        event["id"] for event in listed.json()["events"] if event["kind"] == "scan"
    ]


async def test_a_cursor_beyond_the_log_is_refused_as_json(stack: Mapping[str, str]) -> None:
    """A stream that is refused is an answer like others, not a stream of text that ends."""
    headers = {"Authorization": f"Bearer {stack['ECO2_OPERATOR_TOKEN']}"}
    async with http_client(base_url=stack["ECO2_OPERATORS_URL"], headers=headers, timeout=_SECONDS) as operators:
        refused = await operators.post(f"{_SERVICE}StreamEvents", json={"cursor": "1-900000000000-1-1"})
    assert (refused.status_code, refused.json()["details"][0]["reason"]) == (400, "EVENTS_AHEAD")


async def _followed(
    operators: httpx2.AsyncClient, request: Json, last: str = ""
) -> AsyncGenerator[dict[str, str], None]:
    """The messages of a stream, each with what it has of `id` and `data`."""
    headers = {"Last-Event-ID": last} if last else {}
    async with operators.stream("POST", f"{_SERVICE}StreamEvents", json=request, headers=headers) as response:
        assert (response.status_code, response.headers["content-type"]) == (200, "text/event-stream")
        frame: dict[str, str] = {}
        async for line in response.aiter_lines():
            if not line:
                yield frame
                frame = {}
            elif not line.startswith(":"):
                name, _, value = line.partition(": ")
                frame[name] = value


async def _up_to_success(frames: AsyncIterator[dict[str, str]], scan_id: str) -> list[dict[str, str]]:
    """What is told of a scan, without its reward and its webhooks, to its end."""
    seen = []
    async with asyncio.timeout(_SECONDS):
        async for frame in frames:
            event = json.loads(frame.get("data", "{}"))
            if event.get("subject") == scan_id and event["type"].startswith("eco2.scan."):
                seen.append(frame)
                if event["type"] == "eco2.scan.succeeded":
                    return seen
    raise AssertionError("the stream ended before the scan did")
