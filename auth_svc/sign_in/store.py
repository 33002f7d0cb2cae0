"""Whose identity is whose, in PostgreSQL.

Signing in is one transaction: the identity gets its user, and the user a session, or neither. The identity's primary
key decides who was first when two devices sign in for the first time at once; the other begins again and finds it. A
guest who turns out to be a user who has an account already departs in the same transaction.
"""

from dataclasses import dataclass
from datetime import timedelta

import asyncpg

from auth_svc.departures.departures import Departure
from auth_svc.providers.providers import Identity
from auth_svc.sessions.accounts import Refreshed
from auth_svc.sessions.refresh_tokens import RefreshToken
from mesh.errors import Aborted
from mesh.postgres import Queries
from mesh.reasons import Reason

_TRIES = 3


class _Raced(Exception):
    """Another transaction has given the identity a user, which this one couldn't see when it began."""


@dataclass(frozen=True, slots=True, repr=False)
class SignedIn:
    """Somebody who has signed in.

    Attributes:
        session: Their new session.
        departure: Who they were until then, if that was a guest whose data is theirs from now on.
    """

    session: Refreshed
    departure: Departure | None = None


class IdentityStore:
    """Identities, and the sessions that begin with them.

    Args:
        pool: Connections to the database.
        refresh: How long a refresh token is good.
        longest: How long a session lasts at most.
    """

    def __init__(self, pool: asyncpg.Pool, refresh: timedelta, longest: timedelta) -> None:
        self._pool = pool
        self._sql = Queries("auth_svc.sign_in")
        self._refresh = refresh
        self._longest = longest

    async def sign_in(self, identity: Identity, caller: str, new_id: str) -> SignedIn:
        """A session of the user whose identity this is.

        Args:
            identity: Who signed in.
            caller: Who they were until then, if they had a token: an identity that is new becomes theirs; a guest whose
                identity has a user becomes that one.
            new_id: The id of the user who is made if neither is known.
        """
        for _ in range(_TRIES):
            try:
                async with self._pool.acquire() as connection, connection.transaction():
                    user_id, departed = await self._user(connection, identity, caller, new_id)
                    session = await self._session(connection, user_id)
                    return SignedIn(session, Departure(caller, user_id) if departed else None)
            except (_Raced, asyncpg.ForeignKeyViolationError):  # or its account was deleted at this moment
                continue
        raise Aborted(Reason.UNAVAILABLE, peer="identities", retry_after=1.0)

    async def _user(
        self, connection: asyncpg.pool.PoolConnectionProxy, identity: Identity, caller: str, new_id: str
    ) -> tuple[str, bool]:
        """The identity's user, and whether the caller was a guest who is that user from now on.

        Raises:
            _Raced: Somebody else has just made one; nothing of this transaction may stay.
        """
        known: str | None = await connection.fetchval(
            self._sql["find_identity"], identity.provider, identity.subject, identity.name
        )
        if known is not None:
            return known, known != caller and await self._departs(connection, caller, known)
        user_id: str = await connection.fetchval(self._sql["account_of"], caller, new_id)
        claimed = await connection.fetchval(
            self._sql["claim_identity"], identity.provider, identity.subject, identity.name, user_id
        )
        if not claimed:
            raise _Raced
        return user_id, False

    async def _departs(self, connection: asyncpg.pool.PoolConnectionProxy, caller: str, user_id: str) -> bool:
        """Ends a guest who has become a user; False if the caller is none."""
        await connection.execute(self._sql["lock_account"], caller)
        return await connection.fetchval(self._sql["depart_guest"], caller, user_id) is not None

    async def _session(self, connection: asyncpg.pool.PoolConnectionProxy, user_id: str) -> Refreshed:
        token = RefreshToken.first()
        expires_at = await connection.fetchval(
            self._sql["begin_session"], token.session_id, user_id, token.digest, self._refresh, self._longest
        )
        return Refreshed(user_id, False, token, expires_at)
