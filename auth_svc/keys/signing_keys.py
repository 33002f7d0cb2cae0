"""Keys that sign access tokens, and which of them signs when."""

import itertools
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from joserfc.jwk import ECKey

# JWT (RFC 7518): the one algorithm that the edge believes.
ALGORITHM = "ES256"
_CURVE = "P-256"


@dataclass(frozen=True, slots=True)
class PublicKey:
    """The public half of a P-256 key, in a JSON Web Key's own words."""

    kid: str
    x: str
    y: str
    kty: str = "EC"
    crv: str = _CURVE
    alg: str = ALGORITHM
    use: str = "sig"


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A key.

    Attributes:
        public: What verifies.
        private: What signs; None if its seal can't be opened.
        signs_at: From when on it signs, until its successor does.
    """

    public: PublicKey
    private: ECKey | None
    signs_at: datetime


@dataclass(frozen=True, slots=True)
class RotationPolicy:
    """When keys come and go.

    Attributes:
        key: How long a key signs.
        lead: How long it is published before.
        tail: How long it is published after: as long as a token is good, and a little more.
    """

    key: timedelta
    lead: timedelta
    tail: timedelta

    def next_start(self, keys: Sequence[SigningKey], now: datetime) -> datetime | None:
        """From when on a new key has to sign; None if none is due.

        Args:
            keys: All there are.
            now: The time.
        """
        usable = [key for key in keys if key.private is not None]
        if not usable:
            return now
        newest = max(key.signs_at for key in usable)
        due = newest + self.key
        if now < due - self.lead:
            return None
        return max(due, now + self.lead)

    def outlived(self, keys: Sequence[SigningKey], now: datetime) -> list[str]:
        """The ids of keys whose last token has expired."""
        ordered = sorted(keys, key=lambda key: key.signs_at)
        return [
            key.public.kid
            for key, successor in itertools.pairwise(ordered)
            if successor.private is not None and successor.signs_at + self.tail < now
        ]


def signer(keys: Sequence[SigningKey], now: datetime) -> SigningKey | None:
    """The key that signs at a time; None if there is none."""
    begun = [key for key in keys if key.private is not None and key.signs_at <= now]
    return max(begun, key=lambda key: key.signs_at, default=None)


def generate() -> tuple[PublicKey, bytes]:
    """A new key: its public half, and its private one in PEM."""
    key = ECKey.generate_key(_CURVE, auto_kid=True)
    return public_key(key), key.as_pem(private=True)


def public_key(key: ECKey) -> PublicKey:
    """The public half of a key."""
    numbers = key.as_dict(private=False)
    return PublicKey(key.thumbprint(), str(numbers["x"]), str(numbers["y"]))


def parse_key_set(text: str) -> list[PublicKey]:
    """The keys of a JSON Web Key Set.

    Raises:
        ValueError: It isn't one, or not one of P-256 keys.
    """
    try:
        keys = json.loads(text)["keys"]
        return [PublicKey(key["kid"], key["x"], key["y"], key["kty"], key["crv"]) for key in keys]
    except (TypeError, KeyError) as error:
        raise ValueError("not a JSON Web Key Set of P-256 keys with ids") from error
