"""The demo provider by its wire: who is sent where with a code, and what a code is good for."""

import base64
import hashlib
from collections.abc import AsyncIterator
from urllib.parse import parse_qsl, urlsplit

import httpx2
import pytest
import pytest_asyncio
from joserfc import jwt
from joserfc.jwk import KeySet

from auth_svc.providers.providers import load_providers
from local.standins.demo_provider.codes import CODE_SECONDS, Codes, Grant
from local.standins.demo_provider.server import RegisteredClient, running
from tests.support.http import http_client
from tests.support.ports import free_port

pytestmark = pytest.mark.asyncio(loop_scope="module")

CLIENT = RegisteredClient("eco2", "a-secret", ["http://127.0.0.1/callback", "https://app.example/back?a=b"])
VERIFIER = "a-verifier-of-the-client-that-nobody-knows-01"
BACK = "http://127.0.0.1:40123/callback"


def hashed(verifier: str) -> str:
    """S256 of RFC 7636, by its letter."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")


ASKED = {
    "client_id": "eco2",
    "redirect_uri": BACK,
    "response_type": "code",
    "scope": "openid profile",
    "state": "a state&",
    "nonce": "a-nonce",
    "code_challenge": hashed(VERIFIER),
    "code_challenge_method": "S256",
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def http() -> AsyncIterator[httpx2.AsyncClient]:
    """A client of a running provider."""
    async with running(free_port(), CLIENT) as issuer, http_client(base_url=issuer) as client:
        yield client


def sent_back(reply: httpx2.Response) -> dict[str, str]:
    """With what somebody is sent back."""
    assert reply.status_code == 303, reply.text
    return dict(parse_qsl(urlsplit(reply.headers["location"]).query))


async def redeem(http: httpx2.AsyncClient, code: str, /, **changes: str) -> httpx2.Response:
    """What the token endpoint says; a change to "" leaves a field out."""
    fields = {
        "grant_type": "authorization_code",
        "client_id": "eco2",
        "client_secret": "a-secret",
        "code": code,
        "redirect_uri": BACK,
        "code_verifier": VERIFIER,
    }
    sent = {name: value for name, value in (fields | changes).items() if value}
    return await http.post("/token", data=sent)


async def code_of(http: httpx2.AsyncClient) -> str:
    """A new code."""
    return sent_back(await http.get("/authorize", params=ASKED))["code"]


async def test_the_demo_user_is_signed_in_without_a_page(http: httpx2.AsyncClient) -> None:
    """From its description to an ID token that its published key verifies."""
    described = (await http.get("/.well-known/openid-configuration")).json()
    assert described["issuer"] == str(http.base_url).rstrip("/")
    came = await http.get(described["authorization_endpoint"], params=ASKED)
    assert came.headers["location"].startswith(f"{BACK}?")
    back = sent_back(came)
    assert (back["state"], back["iss"]) == ("a state&", described["issuer"])
    reply = await redeem(http, back["code"])
    assert (reply.status_code, reply.headers["cache-control"]) == (200, "no-store")
    keys = (await http.get(described["jwks_uri"])).json()
    assert not {"d", "p", "q"} & keys["keys"][0].keys()
    claims = jwt.decode(reply.json()["id_token"], KeySet.import_key_set(keys), algorithms=["RS256"]).claims
    assert {name: claims[name] for name in ("iss", "aud", "sub", "nonce")} == {
        "iss": described["issuer"],
        "aud": "eco2",
        "sub": "demo",
        "nonce": "a-nonce",
    }


@pytest.mark.parametrize(
    "target",
    [
        "",
        "http://127.0.0.1:40123/callback/",
        "http://127.0.0.1:40123/callback?more=1",
        "http://127.0.0.1:1@evil.example/callback",
        "http://localhost:40123/callback",
        "https://app.example/back",
        "https://app.example:444/back?a=b",
        "https://evil.example/callback",
    ],
)
async def test_nobody_is_sent_to_an_address_that_is_not_the_clients(http: httpx2.AsyncClient, target: str) -> None:
    """An open redirect would hand out codes."""
    reply = await http.get("/authorize", params={**ASKED, "redirect_uri": target})
    assert (reply.status_code, "location" in reply.headers) == (400, False)


async def test_an_unknown_client_and_a_parameter_that_comes_twice_are_told_so_here(http: httpx2.AsyncClient) -> None:
    """Neither says for certain where to send somebody back to."""
    for asked in ([*ASKED.items(), ("redirect_uri", BACK)], list({**ASKED, "client_id": "another"}.items())):
        reply = await http.get("/authorize", params=asked)
        assert (reply.status_code, "location" in reply.headers) == (400, False)


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"scope": "profile"}, "invalid_scope"),
        ({"code_challenge": ""}, "invalid_request"),
        ({"code_challenge": "é" * 43}, "invalid_request"),
        ({"code_challenge": VERIFIER, "code_challenge_method": "plain"}, "invalid_request"),
    ],
)
async def test_other_errors_go_back_to_the_client(http: httpx2.AsyncClient, change: dict[str, str], error: str) -> None:
    """With the state, without a code."""
    back = sent_back(await http.get("/authorize", params=ASKED | change))
    assert (back["error"], back["state"], "code" in back) == (error, "a state&", False)


async def test_a_query_of_the_target_stays(http: httpx2.AsyncClient) -> None:
    """RFC 6749, 3.1.2; a form may be posted, too (OpenID Connect Core, 3.1.2.1)."""
    target = "https://app.example/back?a=b"
    reply = await http.post("/authorize", data=ASKED | {"redirect_uri": target})
    assert reply.headers["location"].startswith(f"{target}&code=")


async def test_a_code_is_good_once(http: httpx2.AsyncClient) -> None:
    """Whoever catches it later has nothing."""
    code = await code_of(http)
    assert (await redeem(http, code)).status_code == 200
    again = await redeem(http, code)
    assert (again.status_code, again.json()) == (400, {"error": "invalid_grant"})


@pytest.mark.parametrize(
    ("change", "status", "error"),
    [
        ({"code_verifier": VERIFIER[::-1]}, 400, "invalid_grant"),
        ({"code_verifier": "é" * 43}, 400, "invalid_grant"),
        ({"code_verifier": ""}, 400, "invalid_request"),
        ({"redirect_uri": "http://127.0.0.1:40124/callback"}, 400, "invalid_grant"),
        ({"code": "another"}, 400, "invalid_grant"),
        ({"client_secret": "another"}, 401, "invalid_client"),
        ({"client_secret": ""}, 401, "invalid_client"),
        ({"client_id": "another"}, 401, "invalid_client"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
    ],
)
async def test_a_code_is_good_for_what_it_was_given(
    http: httpx2.AsyncClient, change: dict[str, str], status: int, error: str
) -> None:
    """To the client that asked, at the address that it asked from, with the verifier whose hash it gave."""
    reply = await redeem(http, await code_of(http), **change)
    assert (reply.status_code, reply.json()) == (status, {"error": error})


async def test_a_wrong_verifier_spends_the_code(http: httpx2.AsyncClient) -> None:
    """Nobody tries verifiers until one fits."""
    code = await code_of(http)
    assert (await redeem(http, code, code_verifier=VERIFIER[::-1])).status_code == 400
    assert (await redeem(http, code)).json() == {"error": "invalid_grant"}


async def test_a_code_is_good_for_a_minute() -> None:
    """By a clock that the test moves."""
    now = 0.0
    codes = Codes(lambda: now)
    grant = Grant("eco2", BACK, hashed(VERIFIER), "")
    early, late = codes.give(grant), codes.give(grant)
    now = CODE_SECONDS - 1
    assert codes.redeem(early, "eco2", BACK, VERIFIER) == grant
    now = CODE_SECONDS
    assert codes.redeem(late, "eco2", BACK, VERIFIER) is None


async def test_what_is_installed_elsewhere_has_no_provider_on_loopback() -> None:
    """The demo provider signs in everybody: only the embedded stack's own file may describe it."""
    for provider in load_providers().values():
        for address in (provider.authorization_endpoint, provider.token_endpoint):
            assert address.startswith("https://")
            assert "127.0.0.1" not in address
