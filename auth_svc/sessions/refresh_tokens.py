"""Refresh tokens: `eco2rt_<session>.<secret>`, in base64url. Opaque to clients; only digests of them are kept.

The session's id in a token makes every reuse show, for as long as the session lasts, without a row for each old token:
a token that names a session and isn't its current one was used before, since only holders of its tokens know the id.
The successor of a token is derived from it and the request's id by a secret of the service, so that a repeated request
gets the same one; for a request without an id it is random.
"""

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID, uuid4

PREFIX = "eco2rt_"  # so that scanners for leaked secrets can know it
_SECRET_BYTES = 32
_SESSION_BYTES = 16


@dataclass(frozen=True, slots=True, repr=False)
class RefreshToken:
    """One refresh token. Has no `repr`, since it is a secret.

    Attributes:
        session_id: Of the session it belongs to: random, and known to its tokens' holders alone.
        secret: 32 bytes.
    """

    session_id: UUID
    secret: bytes

    @classmethod
    def first(cls) -> "RefreshToken":
        """The first one of a new session."""
        return cls(uuid4(), secrets.token_bytes(_SECRET_BYTES))

    @classmethod
    def parse(cls, text: str) -> "RefreshToken | None":
        """The token that a text is; None if it is none."""
        session, dot, secret = text.removeprefix(PREFIX).partition(".")
        try:
            parts = [_decoded(part) for part in (session, secret)]
        except (ValueError, binascii.Error):
            return None
        if not dot or [len(part) for part in parts] != [_SESSION_BYTES, _SECRET_BYTES]:
            return None
        token = cls(UUID(bytes=parts[0]), parts[1])
        return token if token.text == text else None  # one spelling each

    @property
    def text(self) -> str:
        """As clients hold it."""
        parts = (self.session_id.bytes, self.secret)
        return PREFIX + ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts)

    @property
    def digest(self) -> bytes:
        """What the database knows of it: SHA-256, which 32 random bytes need no more than."""
        return hashlib.sha256(self.text.encode()).digest()

    def successors(self, keys: Sequence[bytes], request_id: str) -> "list[RefreshToken]":
        """The token that follows, by each key: the first one's is given out, the others' were before keys changed."""
        if not request_id:
            return [RefreshToken(self.session_id, secrets.token_bytes(_SECRET_BYTES))]
        request = f"{self.text} {request_id}".encode()
        return [RefreshToken(self.session_id, hmac.digest(key, request, "sha256")) for key in keys]


def _decoded(part: str) -> bytes:
    return base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True)
