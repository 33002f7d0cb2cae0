"""Accounts and sessions in PostgreSQL.

A session is one row. Its rotation is one UPDATE that compares the digest: of two that come with the same token one
finds it, the other waits for its commit and then finds its successor. A session that has ended is no row.
"""

from collections.abc import Sequence
from datetime import timedelta

import asyncpg
import structlog

from auth_svc.sessions.accounts import Account, LinkedIdentity, OpenSession, Refreshed
from auth_svc.sessions.refresh_tokens import RefreshToken
from mesh.errors import Unauthenticated
from mesh.postgres import Queries
from mesh.reasons import Reason

_log = structlog.get_logger("sessions")


class SessionStore:
    """Accounts and sessions.

    Args:
        pool: Connections to the database.
        keys: What successors of refresh tokens are derived by; the first one's are given out.
        refresh: How long a refresh token is good.
        longest: How long a session lasts at most.
        again: How long the same refresh brings the same token.
    """

    def __init__(
        self, pool: asyncpg.Pool, keys: Sequence[bytes], refresh: timedelta, longest: timedelta, again: timedelta
    ) -> None:
        self._pool = pool
        self._sql = Queries("auth_svc.sessions")
        self._keys = keys
        self._refresh = refresh
        self._longest = longest
        self._again = again

    async def create_guest(self, user_id: str) -> Refreshed:
        """Makes an account and its first session."""
        token = RefreshToken.first()
        expires_at = await self._pool.fetchval(
            self._sql["create_guest"], user_id, token.session_id, token.digest, self._refresh, self._longest
        )
        return Refreshed(user_id, True, token, expires_at)

    async def rotate(self, token: RefreshToken, request_id: str) -> Refreshed:
        """The session with its next refresh token, or with the one that the same request has brought before.

        Raises:
            Unauthenticated: SESSION_ENDED. If the token was used before, the session ends with this.
        """
        successors = token.successors(self._keys, request_id)
        row = await self._pool.fetchrow(
            self._sql["rotate_session"], token.session_id, token.digest, successors[0].digest, self._refresh
        )
        if row is not None:
            return Refreshed(row["user_id"], row["guest"], successors[0], row["expires_at"])
        # A second statement: the snapshot of the first doesn't show what another one has committed meanwhile.
        row = await self._pool.fetchrow(self._sql["find_lost_reply"], token.session_id, token.digest, self._again)
        for successor in successors:
            if row is not None and successor.digest == row["digest"]:
                return Refreshed(row["user_id"], row["guest"], successor, row["expires_at"])
        if await self._pool.fetchval(self._sql["end_stolen_session"], token.session_id, token.digest):
            _log.warning("a refresh token was used twice: its session has ended")
        raise Unauthenticated(Reason.SESSION_ENDED)

    async def end(self, token: RefreshToken) -> None:
        """Ends the session of a token, whichever of its tokens that is."""
        await self._pool.execute(self._sql["end_session"], token.session_id)

    async def end_all(self, user_id: str) -> None:
        """Ends all sessions of a user."""
        await self._pool.execute(self._sql["end_sessions"], user_id)

    async def account(self, user_id: str) -> Account | None:
        """A user's account; None of a user whose token is another issuer's."""
        row = await self._pool.fetchrow(self._sql["find_account"], user_id)
        if row is None:
            return None
        identities = await self._pool.fetch(self._sql["list_identities"], user_id)
        linked = tuple(LinkedIdentity(*one) for one in identities)
        return Account(row["user_id"], row["created_at"], row["session_count"], linked)

    async def open_sessions(self, user_id: str) -> list[OpenSession]:
        """A user's open sessions, the first one first."""
        return [OpenSession(*row) for row in await self._pool.fetch(self._sql["list_sessions"], user_id)]

    async def forget_expired(self) -> None:
        """Removes sessions whose last token has expired."""
        await self._pool.execute(self._sql["forget_expired"])
