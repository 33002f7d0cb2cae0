"""The provider on aiohttp, in the wire format of OpenID Connect Core and Discovery 1.0, with PKCE (RFC 7636).

Whoever comes is the demo user, so it must listen on loopback only. Its key is new at each start.
"""

import hmac
import secrets
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from urllib.parse import urlencode

from aiohttp import web
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey

from auth_svc.sign_in.redirects import RedirectTargets
from local.standins.demo_provider.codes import CHALLENGE, Codes, Grant

HOST = "127.0.0.1"
SUBJECT, NAME = "demo", "데모 사용자"

_ALGORITHM = "RS256"  # the one that every OpenID provider has
_TOKEN_SECONDS = 60
# A code or a token is nobody else's, however close a cache is.
_UNCACHED = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}


@dataclass(frozen=True, slots=True)
class RegisteredClient:
    """A client, in the words of RFC 7591.

    Attributes:
        client_id: Public.
        client_secret: Not.
        redirect_uris: Where people may be sent back to; of http addresses on loopback the port may be any (RFC 8252).
    """

    client_id: str
    client_secret: str
    redirect_uris: Sequence[str]


class DemoProvider:
    """The provider.

    Args:
        issuer: Its base address.
        client: Its one client.
    """

    def __init__(self, issuer: str, client: RegisteredClient) -> None:
        self._issuer = issuer
        self._client = client
        self._targets = RedirectTargets(client.redirect_uris)
        self._codes = Codes(time.monotonic)
        self._key = RSAKey.generate_key(2048, {"use": "sig", "alg": _ALGORITHM}, auto_kid=True)

    def application(self) -> web.Application:
        """What serves it."""
        application = web.Application(client_max_size=64 << 10)
        application.router.add_get("/.well-known/openid-configuration", self._configuration)
        application.router.add_get("/authorize", self._authorize)
        application.router.add_post("/authorize", self._authorize)
        application.router.add_post("/token", self._token)
        application.router.add_get("/jwks", self._jwks)
        return application

    async def _configuration(self, _: web.Request) -> web.Response:
        described = {
            "issuer": self._issuer,
            "authorization_endpoint": f"{self._issuer}/authorize",
            "token_endpoint": f"{self._issuer}/token",
            "jwks_uri": f"{self._issuer}/jwks",
            "response_types_supported": ["code"],
            "response_modes_supported": ["query"],
            "grant_types_supported": ["authorization_code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": [_ALGORITHM],
            "token_endpoint_auth_methods_supported": ["client_secret_post"],
            "code_challenge_methods_supported": ["S256"],
            "scopes_supported": ["openid", "profile"],
            "claims_supported": ["sub", "name"],
        }
        return web.json_response(described)

    async def _jwks(self, _: web.Request) -> web.Response:
        return web.json_response(KeySet([self._key]).as_dict(private=False))

    async def _authorize(self, http: web.Request) -> web.Response:
        """Sends the demo user back at once. Nobody is sent to an address that isn't the client's."""
        asked = _single(http.query if http.method == "GET" else await http.post())
        if asked is None or asked.get("client_id") != self._client.client_id:
            return web.Response(status=400, text="There is no such client, or a parameter comes twice.")
        target = asked.get("redirect_uri", "")
        if target not in self._targets:
            return web.Response(status=400, text="redirect_uri isn't one of the client's.")
        if error := _refused(asked):
            return self._back(target, {"error": error}, asked)
        grant = Grant(self._client.client_id, target, asked["code_challenge"], asked.get("nonce", ""))
        return self._back(target, {"code": self._codes.give(grant)}, asked)

    def _back(self, target: str, answer: Mapping[str, str], asked: Mapping[str, str]) -> web.Response:
        state = {"state": asked["state"]} if "state" in asked else {}
        query = urlencode({**answer, **state, "iss": self._issuer})  # iss: RFC 9207
        location = f"{target}{'&' if '?' in target else '?'}{query}"
        return web.Response(status=303, headers={**_UNCACHED, "Location": location})

    async def _token(self, http: web.Request) -> web.Response:
        asked = _single(await http.post())
        if asked is None:
            return _error(400, "invalid_request")
        given = asked.get("client_secret", "").encode()
        known = hmac.compare_digest(given, self._client.client_secret.encode())
        if asked.get("client_id") != self._client.client_id or not known:
            return _error(401, "invalid_client")
        if asked.get("grant_type") != "authorization_code":
            return _error(400, "unsupported_grant_type")
        names = ("code", "client_id", "redirect_uri", "code_verifier")
        if not all(asked.get(name) for name in names):
            return _error(400, "invalid_request")
        grant = self._codes.redeem(*(asked[name] for name in names))
        if grant is None:
            return _error(400, "invalid_grant")
        answer = {
            "access_token": secrets.token_urlsafe(32),
            "token_type": "Bearer",
            "expires_in": _TOKEN_SECONDS,
            "scope": "openid profile",
            "id_token": self._id_token(grant),
        }
        return web.json_response(answer, headers=_UNCACHED)

    def _id_token(self, grant: Grant) -> str:
        now = int(time.time())
        claims = {
            "iss": self._issuer,
            "aud": grant.client_id,
            "sub": SUBJECT,
            "name": NAME,
            "iat": now,
            "exp": now + _TOKEN_SECONDS,
            **({"nonce": grant.nonce} if grant.nonce else {}),
        }
        return jwt.encode({"alg": _ALGORITHM, "kid": self._key.kid}, claims, self._key)


def _single(fields: Mapping[str, object]) -> Mapping[str, str] | None:
    """The parameters; None if one comes twice (RFC 6749, 3.1 and 3.2) or is a file."""
    found = {name: value for name, value in fields.items() if isinstance(value, str)}
    return found if len(found) == len(fields) else None


def _refused(asked: Mapping[str, str]) -> str:
    """The error of a request to sign in; empty if it is fine."""
    if asked.get("response_type") != "code":
        return "unsupported_response_type"
    if "openid" not in asked.get("scope", "").split():
        return "invalid_scope"
    hashed = asked.get("code_challenge_method") == "S256"
    return "" if hashed and CHALLENGE.fullmatch(asked.get("code_challenge", "")) else "invalid_request"


def _error(status: int, error: str) -> web.Response:
    return web.json_response({"error": error}, status=status, headers=_UNCACHED)


@asynccontextmanager
async def running(port: int, client: RegisteredClient) -> AsyncIterator[str]:
    """The provider, listening on loopback until the block is left.

    Args:
        port: Where.
        client: Its one client.

    Yields:
        Its issuer.
    """
    issuer = f"http://{HOST}:{port}"
    # Without a log of requests: their addresses hold codes and states.
    runner = web.AppRunner(DemoProvider(issuer, client).application(), access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, HOST, port).start()
        yield issuer
    finally:
        await runner.cleanup()
