"""What a phone can ask without a photo, through the real edge and the real services."""

import pytest

from tests.e2e.conftest import Phone


@pytest.mark.parametrize("question", ["우유갑을 어디에 버려요?", "ㅇㅇㅍ", "milk cartons"])
async def test_an_item_is_found_by_name_and_its_rules_by_the_item(phone: Phone, question: str) -> None:
    """The category that the search gives is the one that the rules are asked with."""
    found = await phone.http.get("/v1/items:search", params={"q": question}, headers=phone.headers)
    assert found.status_code == 200, found.text
    item = found.json()["items"][0]
    assert item["category"]["minor"] == "우유팩"
    assert item["category_path"][-1] == item["display_name"]
    matched = await phone.call("POST", "/v1/rules:match", {"category": item["category"]})
    assert matched.json()["rulebook_version"] == found.json()["rulebook_version"]


async def test_nonsense_finds_nothing_and_too_much_is_refused(phone: Phone) -> None:
    """Neither is an excuse for a wrong bin."""
    for question, status in (("asdfqwer", 200), ("", 400), ("가" * 101, 400)):
        reply = await phone.http.get("/v1/items:search", params={"q": question}, headers=phone.headers)
        assert reply.status_code == status
        assert "items" not in reply.json()


async def test_the_taxonomy_comes_once(phone: Phone) -> None:
    """The second time the tag is enough; in another language it is another taxonomy."""
    first = await phone.call("GET", "/v1/taxonomy")
    assert first.json()["majors"]
    again = await phone.http.get("/v1/taxonomy", headers=phone.headers | {"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    english = phone.headers | {"If-None-Match": first.headers["etag"], "Accept-Language": "en"}
    assert (await phone.http.get("/v1/taxonomy", headers=english)).status_code == 200


async def test_places_say_whether_they_are_open_and_where_they_are_on_a_map(phone: Phone) -> None:
    """The samples that ship, each marked as one."""
    here = {"location.latitude": 37.556, "location.longitude": 126.9235, "materials": "전지"}
    reply = await phone.http.get("/v1/places", params=here, headers=phone.headers)
    assert reply.status_code == 200, reply.text
    place = reply.json()["places"][0]
    assert (place["is_sample"], place["source"]) == (True, "sample")
    assert place["opening"]["state"] in {"STATE_OPEN", "STATE_CLOSED", "STATE_UNKNOWN"}
    assert [link["provider"] for link in place["map_links"]] == ["kakao", "openstreetmap", "geo"]


async def test_an_empty_collection_is_greeted(phone: Phone) -> None:
    """By the default character, which isn't owned thereby."""
    reply = await phone.call("GET", "/v1/me/characters")
    assert reply.json().keys() == {"default_character"}
