"""An attempt to sign in with a provider: OAuth 2.0's code flow with a secret of the client's own (RFC 7636)."""

import base64
import hashlib
import secrets
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class SignIn:
    """An attempt that has begun. Open the address in the user's browser; keep this until the user comes back.

    Attributes:
        provider: Whom with.
        authorization_url: The provider's page.
        state: What comes back with the user; `complete` refuses any other.
        expire_time: Until when the user may come back.
        code_verifier: The secret of this attempt.
    """

    provider: str
    authorization_url: str
    state: str
    expire_time: datetime | None
    code_verifier: str = field(repr=False)


def new_verifier() -> str:
    """A secret for one attempt."""
    return secrets.token_urlsafe(48)


def challenge(verifier: str) -> str:
    """What the API is told of it before the user comes back."""
    digest = hashlib.sha256(verifier.encode("ascii")).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode("ascii")
