"""Access tokens: JWTs that the edge checks by itself."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from joserfc import jwt

from auth_svc.keys.keyring import Keyring
from auth_svc.keys.signing_keys import ALGORITHM


@dataclass(frozen=True, slots=True)
class AccessToken:
    """A token, which no log may show, and when it expires."""

    value: str = field(repr=False)
    expires_at: datetime


class AccessTokens:
    """Issues access tokens.

    Args:
        keyring: What signs them.
        issuer: Their `iss`.
        audience: Their `aud`.
        lifetime: How long they are good.
    """

    def __init__(self, keyring: Keyring, issuer: str, audience: str, lifetime: timedelta) -> None:
        self._keyring = keyring
        self._issuer = issuer
        self._audience = audience
        self._lifetime = lifetime

    async def issue(self, user_id: str) -> AccessToken:
        """A token that says who its bearer is.

        Raises:
            Unavailable: Nothing can sign it.
        """
        key, now = await self._keyring.current()
        issued = int(now.timestamp())
        expires = issued + int(self._lifetime.total_seconds())
        claims = {"iss": self._issuer, "aud": self._audience, "sub": user_id, "iat": issued, "exp": expires}
        assert key.private is not None  # of one that signs
        value = jwt.encode({"alg": ALGORITHM, "kid": key.public.kid}, claims, key.private, algorithms=[ALGORITHM])
        return AccessToken(value, datetime.fromtimestamp(expires, now.tzinfo))
