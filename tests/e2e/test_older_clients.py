"""Older clients through the edge, with exactly what they send: plain JSON, no field more than they ever knew."""

import asyncio
import json
from typing import Any

import httpx2
import pytest

from tests.e2e.conftest import Json, Phone, Sign
from tests.support.http import http_client

STATUS = {"job_id", "status", "progress", "message", "updated_at"}
RESULT = {"waste_type", "confidence", "feedback"}


async def uploaded(upload_url: str, photo: bytes) -> httpx2.Response:
    """As the documents say: the type, and nothing else."""
    async with http_client() as storage:
        return await storage.put(upload_url, content=photo, headers={"Content-Type": "image/jpeg"})


async def status(phone: Phone, job_id: str) -> Json:
    """What a poll tells."""
    reply = await phone.call("GET", f"/api/v1/waste/status/{job_id}")
    assert reply.status_code == 200, reply.text
    told: Json = reply.json()
    return told


async def progress(phone: Phone, task_id: str) -> list[Json]:
    """The events of a task, by a client that says nothing of what it accepts."""
    async with phone.http.stream("GET", f"/v1/scan/{task_id}/progress", headers=phone.headers, timeout=30) as reply:
        assert (reply.status_code, reply.headers["content-type"]) == (200, "text/event-stream")
        return [json.loads(line.removeprefix("data: ")) async for line in reply.aiter_lines() if line[:5] == "data:"]


@pytest.mark.parametrize(
    ("body", "complete"),
    [(None, "/api/v1/waste/upload-complete"), ({}, "/upload-complete")],
    ids=["no body", "an empty one"],
)
async def test_a_mobile_app_goes_from_analyze_to_result(
    phone: Phone, note_photo: bytes, body: Json | None, complete: str
) -> None:
    """Upload, say so, poll, read."""
    reply = await phone.call("POST", "/api/v1/waste/analyze", body)
    assert reply.status_code == 200, reply.text
    job = reply.json()
    assert {*job} == {"job_id", "upload_url", "image_url"}
    before = await status(phone, job["job_id"])
    assert ({*before}, before["status"], before["progress"]) == (STATUS, "pending", 0)

    assert (await uploaded(job["upload_url"], note_photo)).status_code == 200
    for _ in range(2):
        completed = await phone.call("POST", f"{complete}/{job['job_id']}", body)
        assert (completed.status_code, completed.json()) == (200, {"status": "processing"})
    assert (await progress(phone, job["job_id"]))[-1]["status"] == "completed"
    done = await status(phone, job["job_id"])
    assert ({*done}, done["status"], done["progress"]) == ({*STATUS, "result"}, "completed", 100)

    result = await phone.call("GET", f"/api/v1/waste/result/{job['job_id']}")
    assert result.status_code == 200
    told = result.json()
    assert {*told} >= RESULT
    assert told["waste_type"] == "종이"
    assert 0 < told["confidence"] <= 1
    assert told["feedback"]
    async with http_client() as anybody:
        assert (await anybody.get(job["image_url"])).status_code == 200


@pytest.mark.parametrize("path", ["/v1/scan", "/classify"])
async def test_a_partner_goes_from_an_address_to_the_end(phone: Phone, note_photo: bytes, path: str) -> None:
    """The older reply, then events; the app that polls reads the same task."""
    address = (await phone.finished(await phone.started(note_photo)))["image_url"]
    asked = {"image_url": address, "callback_url": "https://hook.example/done", "user_input": "이거 어떻게 버려요?"}
    reply = await phone.call("POST", path, asked)
    assert reply.status_code == 200, reply.text
    task = reply.json()
    assert {*task} == {"task_id", "status"}
    assert task["status"] == "processing"
    assert reply.headers["deprecation"] == "@1795910400"
    assert reply.headers["sunset"] == "Tue, 30 Nov 2027 00:00:00 GMT"

    events = await progress(phone, task["task_id"])
    assert all({*event} == {"step", "status", "progress"} for event in events)
    assert events[-1] == {"step": "done", "status": "completed", "progress": 100}
    percents = [event["progress"] for event in events]
    assert percents == sorted(percents)
    done = await status(phone, task["task_id"])
    assert done["status"] == "completed"
    scan = (await phone.call("GET", f"/v1/scans/{task['task_id']}")).json()
    assert scan["user_input"] == asked["user_input"]
    assert scan["answer"]["text"] == done["result"]["feedback"]


async def test_a_photo_that_cant_be_read_is_a_failed_job(sign_in: Sign) -> None:
    """The content is looked at as everywhere; the reason comes in the reader's language."""
    phone = sign_in(language="en")
    job = (await phone.call("POST", "/api/v1/waste/analyze")).json()
    early = await phone.call("POST", f"/upload-complete/{job['job_id']}")
    assert (early.status_code, reason_of(early)) == (400, "PHOTO_NOT_UPLOADED")
    assert (await uploaded(job["upload_url"], b"no photo at all")).status_code == 200
    waiting = await phone.call("GET", f"/api/v1/waste/result/{job['job_id']}")
    assert (waiting.status_code, reason_of(waiting), waiting.headers["retry-after"]) == (404, "RESULT_NOT_READY", "1")
    assert (await phone.call("POST", f"/upload-complete/{job['job_id']}")).status_code == 200
    assert (await progress(phone, job["job_id"]))[-1]["status"] == "failed"
    failed = await status(phone, job["job_id"])
    assert ({*failed}, failed["status"]) == (STATUS, "failed")
    assert failed["message"] == "The photo can't be read. Check that the file is whole, or take it again."
    none = await phone.call("GET", f"/api/v1/waste/result/{job['job_id']}")
    assert (none.status_code, reason_of(none)) == (400, "NO_RESULT")


async def test_a_job_is_its_users_alone(phone: Phone, sign_in: Sign) -> None:
    """404 to others, 401 to nobody, in the shape of every error."""
    job_id = (await phone.call("POST", "/api/v1/waste/analyze", {})).json()["job_id"]
    nobody = sign_in()
    nobody.headers.pop("Authorization")
    calls = [
        ("POST", f"/api/v1/waste/upload-complete/{job_id}"),
        ("POST", f"/upload-complete/{job_id}"),
        ("GET", f"/api/v1/waste/status/{job_id}"),
        ("GET", f"/api/v1/waste/result/{job_id}"),
        ("GET", f"/v1/scan/{job_id}/progress"),
    ]
    for somebody, status, reason in ((sign_in(), 404, "SCAN_NOT_FOUND"), (nobody, 401, "UNAUTHENTICATED")):
        replies = await asyncio.gather(*(somebody.call(*one) for one in calls))
        assert [(reply.status_code, reason_of(reply)) for reply in replies] == [(status, reason)] * len(calls)


def reason_of(reply: httpx2.Response) -> Any:
    """Why a call was refused."""
    return reply.json()["details"][0]["reason"]
