"""Authorization codes: each for one client, one redirect and one verifier, good once and for a minute."""

import hmac
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass

from authlib.oauth2.rfc7636 import create_s256_code_challenge

CODE_SECONDS = 60.0
# RFC 7636, 4.1 and 4.2: the letters and lengths of both; S256 makes 43.
_VERIFIER = re.compile(r"[A-Za-z0-9\-._~]{43,128}")
CHALLENGE = re.compile(r"[A-Za-z0-9\-_]{43}")
# Whoever asks for more without redeeming any loses the oldest.
_MOST = 1000


@dataclass(frozen=True, slots=True, repr=False)
class Grant:
    """What a code was given for. Has no `repr`, since it holds secrets.

    Attributes:
        client_id: Whom for.
        redirect_uri: Where the code was sent.
        challenge: S256 of the client's verifier (PKCE).
        nonce: Goes into the ID token; empty if none was given.
    """

    client_id: str
    redirect_uri: str
    challenge: str
    nonce: str


class Codes:
    """The codes that nobody has redeemed yet.

    Args:
        clock: Seconds, from any moment on.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._given: dict[str, tuple[Grant, float]] = {}

    def give(self, grant: Grant) -> str:
        """A new code."""
        if len(self._given) >= _MOST:
            del self._given[next(iter(self._given))]
        code = secrets.token_urlsafe(32)
        self._given[code] = grant, self._clock() + CODE_SECONDS
        return code

    def redeem(self, code: str, client_id: str, redirect_uri: str, verifier: str) -> Grant | None:
        """What a code was given for, or None if it isn't good for that. The code is gone either way."""
        grant, until = self._given.pop(code, (None, 0.0))
        if grant is None or self._clock() >= until:
            return None
        if (grant.client_id, grant.redirect_uri) != (client_id, redirect_uri):
            return None
        if not _VERIFIER.fullmatch(verifier):
            return None
        return grant if hmac.compare_digest(create_s256_code_challenge(verifier), grant.challenge) else None
