"""A house's own days, through the real edge and the real services."""

import asyncio
from typing import Any

from tests.e2e.conftest import Json, Phone, Sign

HOUSE: Json = {
    "name": "한빛아파트",
    "region": "서울특별시/마포구",
    "place": {"ko": "지하 1층 분리수거장"},
    "collections": [{"kind": "KIND_RECYCLABLE", "days": ["TUESDAY"], "open_time": "18:00", "close_time": "06:00"}],
    "bins": [{"kind": "KIND_BATTERY", "place": {"ko": "관리사무소 앞"}}],
}


async def created(phone: Phone) -> Json:
    reply = await phone.call("POST", "/v1/buildings", {"building": HOUSE})
    assert reply.status_code == 200, reply.text
    building: Json = reply.json()
    return building


def refusal(reply: Any) -> tuple[int, str]:
    return reply.status_code, reply.json()["details"][0]["reason"]


async def test_a_scan_goes_by_the_building_that_was_joined(phone: Phone, sign_in: Sign, note_photo: bytes) -> None:
    """From the manager's phone to a neighbour's answer and evening; deleted, it leaves its district, which is said."""
    building = await created(phone)
    code = building["code"]
    neighbour = sign_in()
    scan_id = await neighbour.started(note_photo, building=f"{code[:4].lower()}-{code[4:]}")
    scan = await neighbour.finished(scan_id)
    rule = scan["rules"][0]
    assert (rule["when"], rule["place"]) == ("매주 화요일 18:00~다음 날 06:00", "지하 1층 분리수거장")
    assert rule["local_source"].startswith("우리 건물(한빛아파트) 안내예요.")
    assert rule["local_source"] in scan["answer"]["when"]
    schedule = (await neighbour.call("GET", "/v1/me/schedule?date=2026-12-01")).json()
    [planned] = schedule["tonight"]
    assert (planned["scan_id"], planned["plan"]["region"]["building"]) == (scan_id, code)
    assert (await phone.call("DELETE", f"/v1/buildings/{code}")).status_code == 200
    schedule = (await neighbour.call("GET", f"/v1/me/schedule?date=2026-12-02&building={code}")).json()
    [planned] = [one for plans in (schedule.get("tonight", []), schedule.get("later", [])) for one in plans]
    assert "등록된 건물을 찾을 수 없어 서울특별시 마포구 기준이에요." in planned["plan"]["region"]["notice"]
    refused = await neighbour.call("POST", "/v1/scans", {"image_url": "https://example.com/a.jpg", "building": code})
    assert refusal(refused) == (404, "BUILDING_UNKNOWN")


async def test_only_its_manager_changes_a_building_over_rest(phone: Phone, sign_in: Sign) -> None:
    """By every path of it; nobody's reply names a user."""
    building = await created(phone)
    path = f"/v1/buildings/{building['code']}"
    stranger = sign_in()
    read = await stranger.call("GET", path.lower())
    assert read.json() == {key: value for key, value in building.items() if key != "yours"}
    assert refusal(await stranger.call("PUT", path, {"building": building})) == (403, "BUILDING_NOT_YOURS")
    assert refusal(await stranger.call("DELETE", path)) == (403, "BUILDING_NOT_YOURS")
    assert refusal(await stranger.call("GET", "/v1/buildings/00000000")) == (404, "BUILDING_UNKNOWN")
    assert (await stranger.call("GET", "/v1/buildings")).json() == {}
    assert [one["code"] for one in (await phone.call("GET", "/v1/buildings")).json()["buildings"]] == [building["code"]]
    unsigned = await phone.http.get(path)
    assert unsigned.status_code == 401


async def test_of_two_managers_phones_one_is_told_that_the_other_was_first(phone: Phone) -> None:
    """409, as for any conflict; the etag of the one that was read makes it right."""
    building = await created(phone)
    path = f"/v1/buildings/{building['code']}"
    changes = [{"building": building | {"name": name}} for name in ("하나", "둘")]
    replies = await asyncio.gather(*(phone.call("PUT", path, change) for change in changes))
    assert sorted(reply.status_code for reply in replies) == [200, 409]
    [late] = [reply for reply in replies if reply.status_code == 409]
    assert refusal(late) == (409, "BUILDING_CHANGED")
    now = (await phone.call("GET", path)).json()
    assert (await phone.call("PUT", path, {"building": now | {"name": "셋"}})).json()["name"] == "셋"


async def test_a_body_that_is_no_building_is_refused_with_its_field(phone: Phone) -> None:
    """Whatever it is, small, and nothing is stored."""
    bodies: list[Any] = [
        {},
        {"building": {}},
        {"building": []},
        {"building": HOUSE | {"manager": "me"}},
        {"building": HOUSE | {"collections": [{"kind": "KIND_HANDOVER"}]}},
        {"building": HOUSE | {"collections": [{"kind": "KIND_FOOD", "days": ["FUNDAY"]}]}},
        {"building": HOUSE | {"name": "가" * 300_000}},
        {"building": HOUSE | {"bins": [{"kind": "KIND_LAMP"}] * 5000}},
        {"building": HOUSE | {"region": "아틀란티스"}},
        {"building": HOUSE | {"notice": {"ko": "a\u0000b"}}},
        [HOUSE],
        "house",
    ]
    for body in bodies:
        reply = await phone.call("POST", "/v1/buildings", body)
        assert refusal(reply) == (400, "INVALID_FIELD"), body
        assert len(reply.content) < 8192
    assert (await phone.call("GET", "/v1/buildings")).json() == {}
    for path in ("/v1/buildings/K7PD", "/v1/buildings/%00", "/v1/buildings/K7PD2MTX?code=00000000"):
        assert (await phone.call("GET", path)).status_code == 400
