"""What the edge and the services agree on."""

import re

import httpx2
import pytest

from local.envoy import TEMPLATE
from tests.e2e.conftest import Phone

PATHS = ["/v1/scans", "/v1/characters", "/v1/taxonomy"]


@pytest.mark.parametrize("path", PATHS)
async def test_headers_that_the_edge_passes_no_service_refuses(phone: Phone, path: str) -> None:
    """Beyond its soft limit gRPC refuses at random, so a cookie too many would fail some calls and not others."""
    found = re.search(r"max_request_headers_kb: (\d+)", TEMPLATE.read_text(encoding="utf-8"))
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
