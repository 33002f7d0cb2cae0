"""Accounts and sessions, as the service thinks of them."""

from dataclasses import dataclass
from datetime import datetime

from auth_svc.sessions.refresh_tokens import RefreshToken


@dataclass(frozen=True, slots=True)
class LinkedIdentity:
    """Somebody at a provider, as their account shows it.

    Attributes:
        provider: Its id.
        name: What they are called there; may be empty.
        linked_at: When they first signed in with it.
    """

    provider: str
    name: str
    linked_at: datetime


@dataclass(frozen=True, slots=True)
class Account:
    """A user.

    Attributes:
        user_id: The subject of its tokens.
        created_at: When it was made; None if it isn't known here.
        session_count: How many sessions are open.
        identities: Who it is at providers.
    """

    user_id: str
    created_at: datetime | None = None
    session_count: int = 0
    identities: tuple[LinkedIdentity, ...] = ()

    @property
    def guest(self) -> bool:
        """Whether it has no identity at any provider; of another issuer's user nothing is known."""
        return self.created_at is not None and not self.identities


@dataclass(frozen=True, slots=True)
class Refreshed:
    """A session after a refresh: whose, its good token, and until when that is good."""

    user_id: str
    guest: bool
    token: RefreshToken
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class OpenSession:
    """A signed-in device or browser, as its user may see it: when it began, was last refreshed, and ends."""

    created_at: datetime
    refreshed_at: datetime | None
    expires_at: datetime
