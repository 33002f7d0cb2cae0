"""Jobs as a phone sees them, by REST through the edge."""

from tests.e2e.conftest import Json, Phone, Sign


async def exported(phone: Phone) -> str:
    """An export of the user's history, asked for."""
    reply = await phone.call("POST", "/v1/jobs", {"export": {}})
    assert reply.status_code == 200, reply.text
    job_id: str = reply.json()["job"]["job_id"]
    assert reply.json()["status_url"] == f"/v1/jobs/{job_id}"
    return job_id


async def watched(phone: Phone, job_id: str, accept: str) -> list[Json]:
    async with phone.watching(f"/v1/jobs/{job_id}:watch", accept) as events:
        return [event async for event in events]


async def test_a_job_is_watched_to_its_end(phone: Phone) -> None:
    """As Server-Sent Events and as lines of JSON; then both paths show the same, with an address for the file."""
    job_id = await exported(phone)
    for accept in ("text/event-stream", "application/json"):
        events = await watched(phone, job_id, accept)
        last = events[-1].get("result", events[-1])
        assert (last["type"], last["job"]["state"]) == ("TYPE_TERMINAL", "STATE_SUCCEEDED")
    shown = [(await phone.call("GET", f"{path}/{job_id}")).json() for path in ("/v1/jobs", "/api/v1/jobs")]
    for job in shown:
        assert (job["job_id"], job["kind"], job["percent"]) == (job_id, "KIND_EXPORT", 100)
        assert job["download_url"]


async def test_a_scan_is_a_job_too(phone: Phone, note_photo: bytes) -> None:
    """At the path that older clients poll, and at the new one; it can be watched, and isn't stopped here."""
    scan_id = await phone.started(note_photo)
    await phone.finished(scan_id)
    for path in ("/api/v1/jobs", "/v1/jobs"):
        job = (await phone.call("GET", f"{path}/{scan_id}")).json()
        assert (job["job_id"], job["kind"], job["state"]) == (scan_id, "KIND_SCAN", "STATE_SUCCEEDED")
    assert (await watched(phone, scan_id, "text/event-stream"))[-1]["job"]["kind"] == "KIND_SCAN"
    refused = await phone.call("POST", f"/v1/jobs/{scan_id}:cancel", {})
    assert (refused.status_code, refused.json()["details"][0]["reason"]) == (400, "JOB_STATE")


async def test_a_job_is_its_users_alone(phone: Phone, sign_in: Sign, note_photo: bytes) -> None:
    """To anybody else there is none, whatever they ask of it; a scan's id tells no more."""
    scan_id, job_id, other = await phone.started(note_photo), await exported(phone), sign_in()
    asked = [
        *(("GET", f"{path}/{id_}") for path in ("/v1/jobs", "/api/v1/jobs") for id_ in (job_id, scan_id)),
        ("GET", f"/v1/jobs/{job_id}:watch"),
        ("POST", f"/v1/jobs/{job_id}:start"),
        ("POST", f"/v1/jobs/{job_id}:cancel"),
        ("DELETE", f"/v1/jobs/{job_id}"),
    ]
    for method, path in asked:
        reply = await other.call(method, path, {} if method == "POST" else None)
        assert (reply.status_code, "JOB_NOT_FOUND" in reply.text) == (404, True), (method, path, reply.text)
    listed = (await other.call("GET", "/v1/jobs")).json()
    assert listed.get("jobs", []) == []
    assert (await phone.call("GET", f"/v1/jobs/{job_id}")).status_code == 200
