"""A real OpenID provider, and a browser in which somebody signs in there."""

import asyncio
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from urllib.parse import parse_qs, urljoin, urlsplit

import pytest

from local.npm import NoNode
from local.standins.oidc.install import installed
from tests.support.http import http_client
from tests.support.ports import free_port

CLIENT_ID, CLIENT_SECRET = "eco2", "a-secret-of-the-client"
REDIRECT = "https://app.example/signed-in"
LOOPBACK = "http://127.0.0.1/callback"


@dataclass(frozen=True, slots=True)
class OidcProvider:
    """A running provider.

    Attributes:
        issuer: Its base address.
    """

    issuer: str

    def described(self) -> dict[str, object]:
        """It, as an entry of a file of providers."""
        return {
            "name": {"ko": "스탠드인", "en": "Stand-in"},
            "authorization_endpoint": f"{self.issuer}/auth",
            "token_endpoint": f"{self.issuer}/token",
            "scopes": ["openid", "profile"],
            "issuer": self.issuer,
            "jwks_uri": f"{self.issuer}/jwks",
        }

    def described_without_id_token(self) -> dict[str, object]:
        """The same for those who ask who somebody is, as Naver has to be asked."""
        oauth = {name: value for name, value in self.described().items() if name not in {"issuer", "jwks_uri"}}
        return {**oauth, "userinfo_endpoint": f"{self.issuer}/me", "token_needs_state": True}


@dataclass(frozen=True, slots=True)
class CameBack:
    """What a browser is sent back with."""

    redirect_uri: str
    state: str
    code: str


@asynccontextmanager
async def running_provider(port: int | None = None) -> AsyncIterator[OidcProvider]:
    """panva's oidc-provider, until the block is left. Skips the test where there is no Node."""
    try:
        program = await asyncio.to_thread(installed)
    except NoNode as missing:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(missing))
    port = port or free_port()
    client = {
        "client_id": CLIENT_ID,
        "client_secret": CLIENT_SECRET,
        "application_type": "native",  # of which loopback addresses may have any port
        "redirect_uris": [REDIRECT, LOOPBACK],
        "grant_types": ["authorization_code"],
        "response_types": ["code"],
        "token_endpoint_auth_method": "client_secret_post",
    }
    process = await asyncio.create_subprocess_exec(
        "node",
        program,
        env={**os.environ, "OIDC_PORT": str(port), "OIDC_CLIENTS": json.dumps([client])},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        assert process.stdout is not None
        assert (await process.stdout.readline()).strip() == b"ready"
        yield OidcProvider(f"http://127.0.0.1:{port}")
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def sign_in_there(authorization_url: str, login: str) -> CameBack:
    """What a person does in a browser: goes where they are sent, says who they are, and is sent back."""
    async with http_client(timeout=20) as browser:
        page = await browser.get(authorization_url)
        form = urljoin(authorization_url, page.headers["location"])
        assert "<form" in (await browser.get(form)).text
        answer = await browser.post(form, data={"login": login})
        back = await browser.get(urljoin(authorization_url, answer.headers["location"]))
    address = back.headers["location"]
    query = parse_qs(urlsplit(address).query)
    return CameBack(address.partition("?")[0], query["state"][0], query["code"][0])
