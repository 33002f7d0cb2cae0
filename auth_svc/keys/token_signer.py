"""JWTs of the edge's: signed by the key of the day."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from joserfc import jwt

from auth_svc.keys.keyring import Keyring
from auth_svc.keys.signing_keys import ALGORITHM


@dataclass(frozen=True, slots=True)
class SignedToken:
    """A token, which no log may show, and when it expires."""

    value: str = field(repr=False)
    expires_at: datetime


class TokenSigner:
    """Signs tokens that the edge checks by itself.

    Args:
        keyring: What signs them.
        issuer: Their `iss`.
    """

    def __init__(self, keyring: Keyring, issuer: str) -> None:
        self._keyring = keyring
        self._issuer = issuer

    async def sign(self, audience: str, user_id: str, lifetime: timedelta, **claims: str) -> SignedToken:
        """A token of one user's.

        Args:
            audience: Its `aud`: what it is good for.
            user_id: Its `sub`.
            lifetime: How long it is good.
            claims: What else it says.

        Raises:
            Unavailable: Nothing can sign it.
        """
        key, now = await self._keyring.current()
        issued = int(now.timestamp())
        expires = issued + int(lifetime.total_seconds())
        usual = {"iss": self._issuer, "aud": audience, "sub": user_id, "iat": issued, "exp": expires}
        assert key.private is not None  # of one that signs
        header = {"alg": ALGORITHM, "kid": key.public.kid}
        value = jwt.encode(header, claims | usual, key.private, algorithms=[ALGORITHM])
        return SignedToken(value, datetime.fromtimestamp(expires, now.tzinfo))
