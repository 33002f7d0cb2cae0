"""A refusal costs its sender a call, and nobody else."""

import asyncio
import unicodedata
from typing import Any

import pytest

from tests.e2e.conftest import Phone

HOSTILE: dict[str, tuple[str, str, dict[str, Any] | None]] = {
    "a thousand tags": ("POST", "/v1/rules:match", {"category": {"major": "x"}, "tags": [""] * 1000}),
    "300,000 tags": ("POST", "/v1/rules:match", {"category": {"major": "x"}, "tags": [""] * 300_000}),
    "1,200 materials": ("GET", "/v1/places?location.latitude=37.5&location.longitude=127" + "&materials=" * 1200, None),
    "a long tag": ("POST", "/v1/rules:match", {"category": {"major": "종이"}, "tags": ["가" * 300_000]}),
    "a long category": ("POST", "/v1/rules:match", {"category": {"major": "가" * 300_000}}),
    "a long reply": ("POST", "/v1/scans/0197a000-0000-7000-8000-000000000000:answer", {"reply": "\x01" * 150_000}),
    "a long scan id": ("POST", "/v1/scans/" + "a" * 10_000 + ":cancel", {}),
}


@pytest.mark.parametrize(("method", "path", "body"), HOSTILE.values(), ids=HOSTILE)
async def test_what_is_too_much_is_refused_and_neighbours_go_on(
    phone: Phone, method: str, path: str, body: dict[str, Any] | None
) -> None:
    """Trailers of more than 60 kB once made Envoy drop the connection that all users share: 502 for a fifth of them."""

    async def hostile() -> list[int]:
        replies = [await phone.call(method, path, body) for _ in range(4)]
        assert all(len(reply.content) < 8192 for reply in replies)
        assert replies[0].json()["details"][0]["reason"] == "INVALID_FIELD"
        return [reply.status_code for reply in replies]

    async def neighbour() -> list[int]:
        match = {"category": {"major": "재활용폐기물", "middle": "종이"}}
        return [(await phone.call("POST", "/v1/rules:match", match)).status_code for _ in range(20)]

    refused, *served = await asyncio.gather(hostile(), *(neighbour() for _ in range(4)))

    assert refused == [400] * 4
    assert served == [[200] * 20] * 4


async def test_decomposed_korean_is_understood(phone: Phone) -> None:
    """As macOS sends it, in the body and in the query."""
    match = {"category": {"major": "재활용폐기물", "middle": "종이"}, "region": "서울특별시/마포구", "tags": []}
    decomposed = {"category": {key: nfd(text) for key, text in match["category"].items()}, "region": nfd("마포구")}  # type: ignore[attr-defined]
    composed = (await phone.call("POST", "/v1/rules:match", match)).json()
    assert (await phone.call("POST", "/v1/rules:match", decomposed)).json()["rules"] == composed["rules"]
    found = [
        (await phone.http.get("/v1/items:search", params={"q": q}, headers=phone.headers)).json()
        for q in ("우유갑", nfd("우유갑"))
    ]
    assert found[0] == found[1]


@pytest.mark.parametrize("query", ["", "?location.latitude=37.5", "?location.latitude=0&location.longitude=0"])
async def test_places_are_not_looked_for_nowhere(phone: Phone, query: str) -> None:
    """The field is named."""
    reply = await phone.call("GET", f"/v1/places{query}")
    assert (reply.status_code, reply.json()["details"][0]["metadata"]["fields"]) == (400, "location")


@pytest.mark.parametrize("locale", ["ja-JP", "en_US@calendar=japanese", "*"])
async def test_any_locale_is_answered(phone: Phone, locale: str) -> None:
    """In a language we speak."""
    reply = await phone.http.get("/v1/taxonomy", params={"locale": locale}, headers=phone.headers)
    assert reply.status_code == 200


def nfd(text: str) -> str:
    return unicodedata.normalize("NFD", text)
