"""Signing in with a provider, in two steps: where to go, and who came back.

Both ends are bound to who began. The provider's code is bound to our verifier (PKCE), which only this service knows,
and the attempt to the client's, which only the client knows: whoever catches the redirect can complete nothing.
"""

import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from authlib.oauth2.rfc7636 import create_s256_code_challenge

from auth_svc.metrics import SignInMeters
from auth_svc.providers.client import ProviderClient
from auth_svc.sign_in.attempts import Attempt, AttemptStore, new_authorization
from auth_svc.sign_in.redirects import RedirectTargets
from auth_svc.sign_in.store import IdentityStore, SignedIn
from mesh.errors import FailedPrecondition, FieldViolation, InvalidArgument, NotFound, PermissionDenied
from mesh.locale import Locale
from mesh.reasons import Reason

_NOT_ALLOWED = {Locale.KO: "허용된 주소가 아니에요", Locale.EN: "not among the allowed targets"}


@dataclass(frozen=True, slots=True)
class Begun:
    """An attempt that has begun.

    Attributes:
        authorization_url: Where to send the user.
        state: What comes back with them.
        expires_at: Until when they may come back.
    """

    authorization_url: str
    state: str
    expires_at: datetime


class SignIn:
    """Signing in.

    Args:
        clients: The providers on offer, by id.
        attempts: Those under way.
        targets: Where people may be sent back to.
        store: Whose identity is whose.
        new_id: Makes users' ids.
        clock: The time.
        meters: Count who came back, and how that ended.
    """

    def __init__(
        self,
        clients: Mapping[str, ProviderClient],
        attempts: AttemptStore,
        targets: RedirectTargets,
        store: IdentityStore,
        new_id: Callable[[], str],
        clock: Callable[[], datetime],
        meters: SignInMeters,
    ) -> None:
        self.clients = clients
        self._attempts = attempts
        self._targets = targets
        self._store = store
        self._new_id = new_id
        self._clock = clock
        self._meters = meters
        for provider in clients:
            meters.offered(provider)

    async def begin(self, provider: str, redirect_uri: str, challenge: str, caller: str) -> Begun:
        """Begins an attempt.

        Args:
            provider: Whom with.
            redirect_uri: Where the user is sent back to.
            challenge: S256 of the client's secret.
            caller: Who begins it; empty without a token.

        Raises:
            NotFound: PROVIDER_UNKNOWN.
            InvalidArgument: The target isn't allowed.
            RedisError, OSError, TimeoutError: Redis is away.
        """
        client = self._client(provider)
        if redirect_uri not in self._targets:
            violation = FieldViolation("redirect_uri", "redirect.allowed", _NOT_ALLOWED)
            raise InvalidArgument(Reason.INVALID_FIELD, violations=[violation], fields="redirect_uri")
        authorization = new_authorization(redirect_uri)
        await self._attempts.put(Attempt(provider, authorization, challenge, caller))
        expires_at = self._clock() + self._attempts.lifetime
        return Begun(client.authorization_url(authorization), authorization.state, expires_at)

    async def complete(self, provider: str, state: str, code: str, verifier: str) -> SignedIn:
        """Completes an attempt, or ends it: it is gone either way.

        Args:
            provider: Whom it was begun with.
            state: As it came back.
            code: The provider's.
            verifier: The client's secret.

        Raises:
            NotFound: PROVIDER_UNKNOWN.
            FailedPrecondition: SIGN_IN_EXPIRED: there is no such attempt, any more.
            PermissionDenied: SIGN_IN_REFUSED: another client began it, or the provider refuses the code.
            Unavailable: PROVIDER_UNAVAILABLE: it can't be used.
            RedisError, OSError, TimeoutError: Redis is away.
        """
        client = self._client(provider)
        try:
            signed_in = await self._complete(client, provider, state, code, verifier)
        except Exception as error:
            self._meters.ended(provider, error)
            raise
        self._meters.ended(provider, None)
        return signed_in

    async def _complete(self, client: ProviderClient, provider: str, state: str, code: str, verifier: str) -> SignedIn:
        attempt = await self._attempts.take(state)
        if attempt is None or attempt.provider != provider:
            raise FailedPrecondition(Reason.SIGN_IN_EXPIRED)
        if not hmac.compare_digest(create_s256_code_challenge(verifier), attempt.challenge):
            raise PermissionDenied(Reason.SIGN_IN_REFUSED, provider=provider, detail="code_verifier")
        identity = await client.identify(code, attempt.authorization)
        return await self._store.sign_in(identity, attempt.user_id, self._new_id())

    def _client(self, provider: str) -> ProviderClient:
        if provider not in self.clients:
            raise NotFound(Reason.PROVIDER_UNKNOWN, provider=provider)
        return self.clients[provider]
