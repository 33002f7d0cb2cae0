"""What users do with their sessions: begin, refresh, end."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from auth_svc.access_tokens import AccessTokens
from auth_svc.keys.token_signer import SignedToken
from auth_svc.sessions.accounts import Account, OpenSession, Refreshed
from auth_svc.sessions.refresh_tokens import RefreshToken
from auth_svc.sessions.store import SessionStore
from mesh.errors import Unauthenticated
from mesh.reasons import Reason


@dataclass(frozen=True, slots=True)
class Session:
    """A session with its pair of tokens, as its device gets it."""

    user_id: str
    guest: bool
    access: SignedToken
    refresh: RefreshToken
    refresh_expires_at: datetime


class Sessions:
    """Sessions with their tokens.

    Args:
        store: PostgreSQL.
        tokens: Issues access tokens.
        new_id: Makes users' ids.
    """

    def __init__(self, store: SessionStore, tokens: AccessTokens, new_id: Callable[[], str]) -> None:
        self._store = store
        self._tokens = tokens
        self._new_id = new_id

    async def opened(self, refreshed: Refreshed) -> Session:
        """A session as its device gets it: with an access token."""
        access = await self._tokens.issue(refreshed.user_id)
        return Session(refreshed.user_id, refreshed.guest, access, refreshed.token, refreshed.expires_at)

    async def create_guest(self) -> Session:
        """A new guest's first session."""
        return await self.opened(await self._store.create_guest(self._new_id()))

    async def refresh(self, text: str, request_id: str) -> Session:
        """The session of a refresh token, with its next pair.

        Args:
            text: The token.
            request_id: Of the request, so that a repetition gets the same token; "": there won't be one.

        Raises:
            Unauthenticated: SESSION_ENDED.
        """
        token = RefreshToken.parse(text)
        if token is None:
            raise Unauthenticated(Reason.SESSION_ENDED)
        return await self.opened(await self._store.rotate(token, request_id))

    async def end(self, text: str) -> None:
        """Ends the session of a refresh token; what isn't one has none."""
        if token := RefreshToken.parse(text):
            await self._store.end(token)

    async def end_all(self, user_id: str) -> None:
        """Ends all sessions of a user."""
        await self._store.end_all(user_id)

    async def account(self, user_id: str) -> Account:
        """A user's account, as far as there is one: another issuer's users have none here."""
        return await self._store.account(user_id) or Account(user_id)

    async def open_sessions(self, user_id: str) -> list[OpenSession]:
        """A user's open sessions, the first one first."""
        return await self._store.open_sessions(user_id)
