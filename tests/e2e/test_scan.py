"""The main job through every layer, and what happens to photos that are none."""

import io
import random
import struct
import uuid
import zlib
from typing import Any

import pytest
from PIL import Image

from tests.e2e.conftest import Json, Phone, Sign, jpeg
from tests.support.http import http_client

MAPO = {"latitude": 37.5636, "longitude": 126.9084}


async def test_a_photo_becomes_an_answer(phone: Phone, note_photo: bytes) -> None:
    """What the product is for."""
    scan_id = await phone.started(note_photo, location=MAPO, user_input="어떻게 버려요?")
    events = await phone.events(scan_id)
    assert events[0]["type"] in {"TYPE_SNAPSHOT", "TYPE_TERMINAL"}
    assert events[-1]["type"] == "TYPE_TERMINAL"
    scan = await phone.rewarded(scan_id)
    assert (scan["state"], scan["progress"]["percent"]) == ("STATE_SUCCEEDED", 100)
    assert scan["classification"]["category"] == {"major": "재활용폐기물", "middle": "종이"}
    assert scan["rules"][0]["steps"]
    assert scan["answer"]["rule_ids"]
    assert all(place["is_sample"] for place in scan["places"])
    assert scan["reward"]["character"]["character_id"] == "papey"
    polled = (await phone.call("GET", f"/v1/scans/{scan_id}")).json()
    assert polled == scan
    collection = (await phone.call("GET", "/v1/me/characters")).json()
    assert [entry["character"]["character_id"] for entry in collection["characters"]] == ["papey"]


async def test_a_user_may_be_called_anything_printable(sign_in: Sign, note_photo: bytes) -> None:
    """From the token through all services to the collection, in any script."""
    phone = sign_in(f"마포 {uuid.uuid4().hex}")
    assert (await phone.rewarded(await phone.started(note_photo)))["state"] == "STATE_SUCCEEDED"
    collection = (await phone.call("GET", "/v1/me/characters")).json()
    assert [entry["character"]["character_id"] for entry in collection["characters"]] == ["papey"]


async def test_a_subject_that_is_no_identity_is_refused_at_once(sign_in: Sign) -> None:
    """By the first service, before anything is stored or paid for."""
    phone = sign_in("x" * 129)
    for method, path, body in (("GET", "/v1/scans", None), ("POST", "/v1/scans", {"image_url": "https://example.com"})):
        reply = await phone.call(method, path, body)
        assert reply.status_code == 401
        assert reply.json()["details"][0]["reason"] == "UNAUTHENTICATED"


async def test_stages_run_and_are_told_in_order(phone: Phone, note_photo: bytes) -> None:
    """People watch the bar. Of changes that come at once only the last is told, so some stages may be over untold."""
    created = await phone.create(note_photo, location=MAPO)
    scan_id = created["scan"]["scan_id"]
    async with phone.watching(f"/v1/scans/{scan_id}:watch") as events:
        first = await anext(events)
        assert first["scan"]["state"] == "STATE_AWAITING_UPLOAD"
        await phone.put(created["upload"], note_photo)
        await phone.call("POST", f"/v1/scans/{scan_id}:start", {})
        progress = [event["scan"] async for event in events]
    told = [scan["progress"]["stage"] for scan in progress if "stage" in scan["progress"]]
    order = ["vision", "rules", "answer", "places", "reward", "done"]
    assert told == sorted(told, key=order.index)
    assert told[-1] == "done"
    percents = [scan["progress"]["percent"] for scan in progress]
    assert percents == sorted(percents)
    stages = (await phone.rewarded(scan_id))["stages"]
    assert [run["stage"] for run in stages] == ["vision", "rules", "answer", "places", "reward"]


async def test_the_same_rpc_streams_newline_json(phone: Phone, note_photo: bytes) -> None:
    """Clients without an EventSource read lines."""
    scan_id = await phone.started(note_photo)
    async with phone.watching(f"/v1/scans/{scan_id}:watch", accept="application/json") as events:
        kinds = [event["type"] async for event in events]
    assert kinds[-1] == "TYPE_TERMINAL"


async def test_a_large_rotated_photo_with_gps_is_scanned(phone: Phone) -> None:
    """What phones send: megabytes, sideways, and with the place in it."""
    noise = random.Random(7).randbytes(2400 * 1800 * 3)
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by 90 degrees
    exif.get_ifd(0x8825)[2] = (37.0, 33.0, 48.0)
    photo = jpeg(Image.frombytes("RGB", (2400, 1800), noise), exif=exif, quality=92)
    assert len(photo) > 4_000_000
    scan = await phone.finished(await phone.started(photo))
    assert scan["state"] == "STATE_SUCCEEDED"
    assert scan["classification"]["category"]["major"] == "미분류"


def huge_png() -> bytes:
    """A hundred megapixels in a few kilobytes."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    rows = zlib.compress(b"\0" * (10_000 // 8 + 1) * 10_000, 9)
    header = struct.pack(">IIBBBBB", 10_000, 10_000, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def animated_gif() -> bytes:
    file = io.BytesIO()
    frames = [Image.new("P", (20, 20), color) for color in (1, 2)]
    frames[0].save(file, "GIF", save_all=True, append_images=frames[1:])
    return file.getvalue()


def truncated_jpeg() -> bytes:
    whole = jpeg(Image.effect_noise((400, 400), 50))
    return whole[: len(whole) // 2]


@pytest.mark.parametrize(
    ("photo", "reason"),
    [
        pytest.param(b"", "PHOTO_EMPTY", id="empty"),
        pytest.param(b"I am a text file, whatever my name says.\n" * 10, "PHOTO_UNREADABLE", id="text"),
        pytest.param(huge_png(), "PHOTO_TOO_LARGE", id="100 megapixels"),
        pytest.param(truncated_jpeg(), "PHOTO_TRUNCATED", id="truncated"),
        pytest.param(animated_gif(), "PHOTO_FORMAT", id="animated GIF"),
    ],
)
async def test_a_file_that_is_no_photo_fails_with_its_reason_in_both_languages(
    phone: Phone, note_photo: bytes, photo: bytes, reason: str
) -> None:
    """A failed scan is data, tells the person what to do, and harms nobody else's."""
    scan = await phone.finished(await phone.started(photo))
    assert (scan["state"], reason_of(scan["error"])) == ("STATE_FAILED", reason)
    texts = {one["locale"]: one["message"] for one in scan["error"]["details"] if "locale" in one}
    assert set(texts) == {"ko", "en"}
    assert len(set(texts.values())) == 2
    assert (await phone.finished(await phone.started(note_photo)))["state"] == "STATE_SUCCEEDED"


async def test_a_bad_field_is_told_in_the_callers_language(sign_in: Sign) -> None:
    """A size that wasn't sent must not count as zero."""
    body = {"upload": {"content_type": "image/jpeg"}}
    korean, english = [await sign_in(language=language).call("POST", "/v1/scans", body) for language in ("ko", "en")]
    assert (korean.status_code, reason_of(korean.json())) == (400, "INVALID_FIELD")
    violations = [
        detail["field_violations"][0]
        for reply in (korean, english)
        for detail in reply.json()["details"]
        if "field_violations" in detail
    ]
    assert [violation["field"] for violation in violations] == ["upload.size_bytes"] * 2
    assert len({violation["localized_message"]["message"] for violation in violations}) == 2


async def test_a_photo_that_never_came_fails_with_its_reason(phone: Phone, note_photo: bytes) -> None:
    """An address of our own CDN with nothing behind it."""
    created = await phone.create(note_photo)
    reply = await phone.call("POST", "/v1/scans", {"image_url": created["image_url"]})
    scan = await phone.finished(reply.json()["scan"]["scan_id"])
    assert (scan["state"], reason_of(scan["error"])) == ("STATE_FAILED", "PHOTO_NOT_FOUND")


async def test_a_user_sees_only_their_own_scans(phone: Phone, sign_in: Sign, note_photo: bytes) -> None:
    """404 and not 403: even that it exists is the owner's."""
    scan_id = await phone.started(note_photo)
    stranger = sign_in()
    for method, path in (
        ("GET", f"/v1/scans/{scan_id}"),
        ("GET", f"/v1/scans/{scan_id}:watch"),
        ("POST", f"/v1/scans/{scan_id}:start"),
        ("POST", f"/v1/scans/{scan_id}:cancel"),
        ("DELETE", f"/v1/scans/{scan_id}"),
        ("GET", f"/api/v1/waste/result/{scan_id}"),
    ):
        reply = await stranger.call(method, path, {} if method == "POST" else None)
        assert reply.status_code == 404 or not reply.content, (method, path)
    assert (await stranger.call("GET", "/v1/scans")).json() == {}
    assert (await phone.finished(scan_id))["state"] == "STATE_SUCCEEDED"


async def test_an_identity_header_from_outside_is_worth_nothing(phone: Phone, sign_in: Sign, note_photo: bytes) -> None:
    """Only the token says who calls."""
    scan_id = await phone.started(note_photo)
    thief = sign_in("thief")
    thief.headers["eco2-user-id"] = "whoever"
    assert (await thief.call("GET", f"/v1/scans/{scan_id}")).status_code == 404


async def test_the_catalogue_the_taxonomy_and_places_are_served(phone: Phone) -> None:
    """The public RPCs beside the scan."""
    taxonomy = (await phone.call("GET", "/v1/taxonomy?locale=en")).json()
    assert taxonomy["majors"][0]["key"] == "재활용폐기물"
    assert len((await phone.call("GET", "/v1/characters")).json()["characters"]) == 13
    where = "location.latitude=37.5636&location.longitude=126.9084"
    places = (await phone.call("GET", f"/v1/places?{where}&materials=전지&limit=2")).json()["places"]
    assert len(places) == 2
    rules = await phone.call("POST", "/v1/rules:match", {"category": {"major": "재활용폐기물", "middle": "금속류"}})
    assert rules.json()["rules"][0]["steps"]


async def test_without_a_token_nothing_is_served(phone: Phone) -> None:
    """The error is a Status like every other."""
    phone.headers.pop("Authorization")
    reply = await phone.call("GET", "/v1/scans")
    assert (reply.status_code, reply.json()["code"]) == (401, 16)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\x00\xff", b'{"upload": 7}', b'{"upload": {"size_bytes": "x"}}'])
async def test_rubbish_is_a_clear_400(phone: Phone, body: bytes) -> None:
    """Whatever is sent, the answer is a Status, and the service lives on."""
    headers = {**phone.headers, "Content-Type": "application/json"}
    reply = await phone.http.post("/v1/scans", headers=headers, content=body)
    assert reply.status_code == 400
    assert reply.json()["code"] == 3


def reason_of(status: Json) -> Any:
    """The ErrorInfo reason of a Status in JSON."""
    return next(detail["reason"] for detail in status["details"] if "reason" in detail)


async def test_the_photo_is_public_only_by_its_unguessable_address(phone: Phone, note_photo: bytes) -> None:
    """The bucket can't be listed."""
    created = await phone.create(note_photo)
    bucket = created["image_url"].rsplit("/photos/", 1)[0]
    async with http_client() as anybody:
        assert (await anybody.get(f"{bucket}?list-type=2")).status_code == 403
