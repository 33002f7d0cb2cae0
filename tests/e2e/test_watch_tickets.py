"""A browser's EventSource, which sends no headers, from the ticket to the end of a scan."""

import json
import uuid

import httpx2

from tests.e2e.conftest import Json, Phone, Sign

EVENT_SOURCE = {"Accept": "text/event-stream", "Cache-Control": "no-cache"}


async def ticket(phone: Phone, scan_id: str) -> Json:
    reply = await phone.call("POST", f"/v1/scans/{scan_id}:watchTicket", {})
    assert reply.status_code == 200, reply.text
    given: Json = reply.json()
    return given


def events(reply: httpx2.Response) -> list[Json]:
    """The data of each event."""
    assert reply.status_code == 200, reply.text
    assert reply.headers["content-type"] == "text/event-stream"
    return [json.loads(line.removeprefix("data: ")) for line in reply.text.splitlines() if line.startswith("data: ")]


async def test_event_source_watches_a_scan_to_its_end(phone: Phone, note_photo: bytes) -> None:
    """With the ticket alone; it opens the watch again after a break, and goes on where it was."""
    scan_id = await phone.started(note_photo)
    url = (await ticket(phone, scan_id))["watch_url"]
    watched = events(await phone.http.get(url, headers=EVENT_SOURCE, timeout=30))
    assert watched[-1]["type"] == "TYPE_TERMINAL"
    last = watched[-1]["scan"]["version"]
    for again in (
        phone.http.get(url, headers={**EVENT_SOURCE, "Last-Event-ID": str(last)}),
        phone.http.get(f"{url}&after_version={last}", headers=EVENT_SOURCE),
    ):
        assert [event["type"] for event in events(await again)] == ["TYPE_TERMINAL"]


async def test_a_ticket_is_good_for_one_scan_of_its_user(phone: Phone, sign_in: Sign) -> None:
    """Put into the address of another scan it opens nothing; one for somebody else's scan shows nothing."""
    upload = {"upload": {"content_type": "image/jpeg", "size_bytes": 9}}
    own, another = [(await phone.call("POST", "/v1/scans", upload)).json()["scan"]["scan_id"] for _ in range(2)]
    url = (await ticket(phone, own))["watch_url"]
    moved = await phone.http.get(url.replace(own, another), headers=EVENT_SOURCE)
    strangers = await phone.http.get((await ticket(sign_in(), own))["watch_url"], headers=EVENT_SOURCE)
    nobodys = await phone.http.get((await ticket(phone, str(uuid.uuid4())))["watch_url"], headers=EVENT_SOURCE)

    replies = [moved, strangers, nobodys]
    assert [(each.status_code, each.json()["details"][0]["reason"]) for each in replies] == [
        (401, "UNAUTHENTICATED"),
        (404, "SCAN_NOT_FOUND"),
        (404, "SCAN_NOT_FOUND"),
    ]
