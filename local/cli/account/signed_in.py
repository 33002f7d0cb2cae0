"""The token of whoever is signed in, refreshed when it is about to expire."""

import time
from collections.abc import Mapping
from secrets import token_hex
from typing import TYPE_CHECKING

from local.cli.account.credentials import Credentials, CredentialStore
from mesh.locale import Locale

if TYPE_CHECKING:
    from eco2.auth.v1 import auth_pb2

# A command may take as long with the token that it began with.
_LEFT_SECONDS = 120.0


def of_session(session: "auth_pb2.Session") -> Credentials:
    """A session, as it is kept."""
    expires_at = float(session.access_token_expire_time.seconds)
    return Credentials(session.user_id, session.access_token, expires_at, session.refresh_token, token_hex(16))


def current_token(rest_url: str, environment: Mapping[str, str]) -> str:
    """The access token of whoever is signed in at an edge; empty if nobody is, any more.

    Raises:
        ApiError, Disconnected: It has to be refreshed, and can't be now.
    """
    store = CredentialStore.of(environment)
    if store is None or (held := store.get(rest_url)) is None:
        return ""
    if held.expires_at - time.time() > _LEFT_SECONDS:
        return held.access_token
    with store.locked():
        held = store.get(rest_url)  # another command may have been quicker
        if held is None or held.expires_at - time.time() > _LEFT_SECONDS:
            return held.access_token if held else ""
        renewed = _refreshed(rest_url, held)
        store.put(rest_url, renewed)
        return renewed.access_token if renewed else ""


def _refreshed(rest_url: str, held: Credentials) -> Credentials | None:
    """The session with its next pair of tokens; None if it has ended."""
    from local.cli.api.auth import AuthClient  # here: four commands in five need no new token
    from local.cli.api.errors import ApiError
    from mesh.reasons import Reason

    try:
        with AuthClient(rest_url, Locale.EN) as client:
            return of_session(client.refresh(held.refresh_token, held.refresh_id))
    except ApiError as error:
        if error.failure.reason != Reason.SESSION_ENDED:
            raise
        return None
