"""What the edge and the services agree on."""

import re

import httpx2
import pytest

from local.stack.envoy import LUA
from tests.e2e.conftest import Phone, Sign
from tests.support.edge.rest_contract import Binding, bindings

PATHS = ["/v1/scans", "/v1/characters", "/v1/taxonomy"]


@pytest.mark.parametrize("path", PATHS)
async def test_headers_that_the_edge_passes_no_service_refuses(phone: Phone, path: str) -> None:
    """Beyond its soft limit gRPC refuses at random, so a cookie too many would fail some calls and not others."""
    found = re.search(r"MOST_HEADER_BYTES = 100, (\d+) \* 1024", LUA.read_text(encoding="utf-8"))
    assert found
    kibibytes, room = int(found[1]), 2048
    many = {f"x-{number}": "a" for number in range(80)}
    large = {"cookie": "a" * (kibibytes * 1024 - room - sum(len(name) + 1 for name in many))}

    replies = [await phone.http.get(path, headers=phone.headers | many | large) for _ in range(5)]

    assert [reply.status_code for reply in replies] == [200] * 5


@pytest.mark.parametrize(
    "headers", [{"cookie": "a" * 17_000}, {f"x-{n}": "a" for n in range(101)}], ids=["large", "many"]
)
async def test_larger_headers_are_refused_with_a_reason(phone: Phone, headers: dict[str, str]) -> None:
    """By the edge, in the form of every error."""
    reply: httpx2.Response = await phone.http.get("/v1/scans", headers=phone.headers | headers)

    assert (reply.status_code, reply.json()["code"]) == (431, 8)
    assert reply.json()["details"][0]["reason"] == "LIMIT_EXCEEDED"


@pytest.mark.parametrize("binding", [binding for binding in bindings() if binding.body], ids=str)
async def test_a_name_that_no_field_has_is_told(phone: Phone, binding: Binding) -> None:
    """It would be dropped in silence. Older clients' paths go on, since their apps can't be changed."""
    body = {"imageUrl": "https://example.com/a.jpg"} if binding.path.endswith("/scans") else {}
    reply = await phone.call(binding.verb, binding.path, {**body, "nonsense": {"a": 1}, "more": [1]})

    named = [
        violation["field"]
        for detail in reply.json().get("details", [])
        for violation in detail.get("field_violations", [])
    ]
    if binding.older:
        assert not {"nonsense", "more"} & {*named}
    else:
        assert (reply.status_code, named) == (400, ["nonsense", "more"])


async def test_a_misspelt_field_is_named_in_the_callers_language(sign_in: Sign) -> None:
    """Before what is missing because of it."""
    body = {"upload": {"content_type": "image/jpeg", "sizeBytes": 9}, "location": {"lat": 37.5, "longitude": 126.9}}
    for language, text in (("ko", "없는 항목이에요. 이름을 확인해 주세요"), ("en", "no such field")):
        reply = await sign_in(language=language).call("POST", "/v1/scans", body)

        (violation,) = reply.json()["details"][1]["field_violations"]
        assert (violation["field"], violation["localized_message"]["message"]) == ("location.lat", text)
