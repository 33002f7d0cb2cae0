"""The code flow of OAuth 2.0 and OpenID Connect, through Authlib: where to send people, and who came back."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import httpx2
import structlog
from authlib.integrations.base_client import OAuthError
from authlib.integrations.httpx_client import AsyncOAuth2Client
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet
from joserfc.jws import JWSRegistry

from auth_svc.providers.providers import Client, Identity, Provider, identity
from auth_svc.providers.transport import LimitedTransport
from mesh.errors import PermissionDenied, Unavailable, quoted
from mesh.reasons import Reason

_log = structlog.get_logger("providers")

# Clocks differ. ID tokens are used at once, so their time is checked for rubbish rather than for age.
_LEEWAY_SECONDS = 120
# What is wrong with the code, or with whoever brings it. Naver calls a code that it doesn't know an invalid request.
_CALLERS_FAULTS = frozenset({"invalid_grant", "invalid_request", "access_denied"})


@dataclass(frozen=True, slots=True, repr=False)
class Authorization:
    """What one authorization is bound to. Has no `repr`, since it holds secrets.

    Attributes:
        redirect_uri: Where the provider sends people back to.
        state: Names the attempt.
        nonce: Has to be in the ID token.
        verifier: PKCE's secret, whose hash the provider is given first.
    """

    redirect_uri: str
    state: str
    nonce: str
    verifier: str


class ProviderClient:
    """One provider.

    Args:
        id: Its id.
        provider: What is known of it.
        client: What it knows us as.
        transport: What connects.
        seconds: How long an exchange may take.
    """

    def __init__(
        self, id: str, provider: Provider, client: Client, transport: httpx2.AsyncBaseTransport, seconds: float
    ) -> None:
        self.provider = provider
        self._id = id
        self._client = client
        self._transport = transport
        self._seconds = seconds
        self._keys: KeySet | None = None

    def authorization_url(self, authorization: Authorization) -> str:
        """Where to send somebody who wants to sign in."""
        oidc = {"nonce": authorization.nonce} if self.provider.issuer else {}
        url, _ = self._session().create_authorization_url(
            self.provider.authorization_endpoint,
            state=authorization.state,
            code_verifier=authorization.verifier,
            redirect_uri=authorization.redirect_uri,
            **oidc,
        )
        return str(url)

    async def identify(self, code: str, authorization: Authorization) -> Identity:
        """Who came back with a code.

        Raises:
            PermissionDenied: SIGN_IN_REFUSED: the provider refuses the code, or its ID token isn't for this attempt.
            Unavailable: PROVIDER_UNAVAILABLE: it can't be reached, or what it says can't be used.
        """
        try:
            async with asyncio.timeout(self._seconds):
                claims = await self._claims(code, authorization)
        except OAuthError as error:
            told = quoted(error.error, 60)
            if told in _CALLERS_FAULTS:
                raise self._refused(told) from None
            raise self._unusable(f"error {told}") from None
        except JoseError as error:
            _log.warning("id token refused", provider=self._id, error=type(error).__name__)
            raise self._refused("id_token") from None
        # None of these texts is told: they may quote a token.
        except (httpx2.HTTPError, OSError, TimeoutError, _Rubbish) as error:
            detail = str(error) if isinstance(error, _Rubbish) else type(error).__name__
            raise self._unusable(detail) from None
        found = identity(self._id, self.provider, claims)
        if found is None:
            raise self._unusable("no subject")
        return found

    async def _claims(self, code: str, authorization: Authorization) -> Mapping[str, Any]:
        session = self._session()
        state = {"state": authorization.state} if self.provider.token_needs_state else {}
        with _foreign_data():
            token = await session.fetch_token(
                self.provider.token_endpoint,
                body=urlencode(state),
                grant_type="authorization_code",
                code=code,
                code_verifier=authorization.verifier,
                redirect_uri=authorization.redirect_uri,
            )
        match token:
            case {"id_token": str(id_token), "access_token": str(access_token)} if self.provider.issuer:
                return await self._verified(id_token, access_token, authorization.nonce)
            case {"access_token": str()} if self.provider.userinfo_endpoint:
                with _foreign_data():
                    response = await session.get(self.provider.userinfo_endpoint)
                    return dict(response.raise_for_status().json())
        raise _Rubbish("no token")

    async def _verified(self, id_token: str, access_token: str | None, nonce: str) -> Mapping[str, Any]:
        """The claims of an ID token for us, of this issuer and this attempt."""
        registry = JWSRegistry(algorithms=list(self.provider.algorithms), strict_check_header=False)
        keys = await self._key_set()
        with _foreign_data():
            try:
                token = jwt.decode(id_token, keys, registry=registry)
            except InvalidKeyIdError:  # a key that the provider has begun to use since
                token = jwt.decode(id_token, await self._key_set(anew=True), registry=registry)
        options = {
            "iss": {"essential": True, "value": self.provider.issuer},
            "aud": {"essential": True, "value": self._client.id},
        }
        params = {"nonce": nonce, "client_id": self._client.id, "access_token": access_token}
        with _foreign_data():
            claims = CodeIDToken(token.claims, token.header, options, params)
            claims.validate(leeway=_LEEWAY_SECONDS)
            return dict(claims)

    async def _key_set(self, *, anew: bool = False) -> KeySet:
        if self._keys is None or anew:
            response = await self._session().request("GET", self.provider.jwks_uri, withhold_token=True)
            with _foreign_data():
                try:
                    self._keys = KeySet.import_key_set(response.raise_for_status().json())
                except JoseError as error:
                    raise _Rubbish("no key set") from error
        return self._keys

    def _session(self) -> AsyncOAuth2Client:
        """A client of one exchange: Authlib's keeps the token, and nobody may get another one's."""
        return AsyncOAuth2Client(
            client_id=self._client.id,
            client_secret=self._client.secret or None,
            token_endpoint_auth_method=self.provider.token_auth,
            scope=" ".join(self.provider.scopes) or None,
            code_challenge_method="S256",
            leeway=0,  # the token is used at once; by itself one of a minute counts as expired
            transport=self._transport,
            timeout=self._seconds,
            headers={"user-agent": "eco2", "accept-encoding": "identity"},
        )

    def _refused(self, detail: str) -> PermissionDenied:
        return PermissionDenied(Reason.SIGN_IN_REFUSED, provider=self._id, detail=detail)

    def _unusable(self, detail: str) -> Unavailable:
        _log.warning("provider unusable", provider=self._id, detail=detail)
        return Unavailable(Reason.PROVIDER_UNAVAILABLE, provider=self._id)


class _Rubbish(Exception):
    """What a provider sent has another form than it must have."""


@contextmanager
def _foreign_data() -> Iterator[None]:
    """Around what libraries make of a provider's data: of another form it makes them raise anything.

    Raises:
        OAuthError, JoseError, httpx2.HTTPError, OSError, TimeoutError: What they raise on purpose.
        _Rubbish: All else.
    """
    try:
        yield
    except (OAuthError, JoseError, httpx2.HTTPError, OSError, TimeoutError, _Rubbish):
        raise
    except Exception as error:
        raise _Rubbish(type(error).__name__) from None


@asynccontextmanager
async def open_clients(
    providers: Mapping[str, Provider], clients: Mapping[str, Client], seconds: float
) -> AsyncIterator[Mapping[str, ProviderClient]]:
    """The providers that have a client, in the clients' order. They share connections, which are closed at exit."""
    async with httpx2.AsyncHTTPTransport() as connections:
        transport = LimitedTransport(connections)
        yield {
            name: ProviderClient(name, providers[name], client, transport, seconds) for name, client in clients.items()
        }
