"""Accounts and sessions, as the service thinks of them."""

from dataclasses import dataclass
from datetime import datetime

from auth_svc.sessions.refresh_tokens import RefreshToken


@dataclass(frozen=True, slots=True)
class Account:
    """A user.

    Attributes:
        user_id: The subject of its tokens.
        guest: Whether it has no identity at any provider.
        created_at: When it was made; None if it isn't known here.
        session_count: How many sessions are open.
    """

    user_id: str
    guest: bool = False
    created_at: datetime | None = None
    session_count: int = 0


@dataclass(frozen=True, slots=True)
class Refreshed:
    """A session after a refresh: whose, its good token, and until when that is good."""

    user_id: str
    guest: bool
    token: RefreshToken
    expires_at: datetime
