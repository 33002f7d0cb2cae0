"""Access tokens: given by the caller, or of a session that is refreshed in time."""

import math
from collections.abc import Callable

from eco2_client._async.http import AsyncHttp
from eco2_client._async.runtime import Lock, TokenFunction, asked
from eco2_client.credentials import Credentials
from eco2_client.errors import ApiError, Disconnected, TimedOut, Unauthenticated, session_ended
from eco2_client.models import Session
from eco2_client.requests import Request

_TRY_SECONDS = 5.0
_POSTPONED_SECONDS = 10.0
# However wrong this machine's clock is: a token that has just come isn't refreshed again at once.
_LEAST_SECONDS = 60.0

Changed = Callable[[Credentials | None], None]


class AsyncGivenToken:
    """A token of the caller's.

    Args:
        token: The token; or a function that gives one that is good now, asked before each call.
    """

    def __init__(self, token: str | TokenFunction) -> None:
        self._token = token

    async def current(self, rejected: str, seconds: float) -> str:
        """The token. Whether it is another one than the rejected one is the caller's affair."""
        return self._token if isinstance(self._token, str) else await asked(self._token)


class AsyncSessionTokens:
    """A session's tokens. The first call that needs one begins a session as a guest if there is none.

    One refresh runs at a time. Its request_id is made, and told with the session, before it is needed: whoever loses
    the reply sends the very same again.

    Args:
        http: The API.
        credentials: The session to go on with; None for none.
        changed: Is told of each new state, to keep it; None when the session has ended. It must not block for long.
    """

    def __init__(self, http: AsyncHttp, credentials: Credentials | None, changed: Changed | None) -> None:
        self._http = http
        self._changed = changed
        self._lock = Lock()
        self._held = credentials
        self._guest_by_itself = credentials is None
        self._failed_at = -math.inf
        self._refresh_at = self._now() + credentials.seconds_left() if credentials else 0.0

    @property
    def credentials(self) -> Credentials | None:
        """The session as it is now."""
        return self._held

    async def current(self, rejected: str, seconds: float) -> str:
        """A token that is good for a while, and not the rejected one.

        Raises:
            Eco2Error: There is none. If it is temporary, the next try may bring one.
        """
        if (held := self._held) is not None and not self._is_due(rejected):
            return held.session.access_token
        waiting_since = self._now()
        async with self._lock:
            if self._held is None or self._is_due(rejected):  # else somebody was faster
                if self._failed_at >= waiting_since:  # or has just tried in vain: not everybody does so in turn
                    raise Disconnected("nobody could be signed in")
                await self._renewed(rejected, min(seconds, _TRY_SECONDS))
            return self._held.session.access_token if self._held else ""

    async def adopt(self, session: Session | None) -> None:
        """Goes on with another session, or with none."""
        async with self._lock:
            self._hold(session)

    def _is_due(self, rejected: str) -> bool:
        token = self._held.session.access_token if self._held else ""
        return token == rejected or self._now() >= self._refresh_at

    async def _renewed(self, rejected: str, seconds: float) -> None:
        """Begins a session, or refreshes it. An outage isn't the end of the call, whose time may be longer."""
        try:
            if self._held is not None:
                await self._refresh(self._held, seconds)
            elif self._guest_by_itself:
                self._hold(await self._http.call(Request("POST", "/v1/auth/guest", Session, body={}), timeout=seconds))
            else:  # another user, without a word, would look like an empty history
                raise session_ended(self._http.locale)
        except (TimedOut, Disconnected, ApiError) as error:
            if not isinstance(error, TimedOut) and not error.temporary:
                raise
            self._failed_at = self._now()
            held = self._held
            left = held.seconds_left(margin=_POSTPONED_SECONDS) if held else 0.0
            if held is None or held.session.access_token == rejected or not left:
                raise Disconnected(str(error)) if isinstance(error, TimedOut) else error from None
            self._refresh_at = self._now() + _POSTPONED_SECONDS  # what it has is still good for a while

    async def _refresh(self, held: Credentials, seconds: float) -> None:
        body = {"refresh_token": held.session.refresh_token, "request_id": held.refresh_request_id}
        request = Request("POST", "/v1/auth/token:refresh", Session, body=body)
        try:
            session = await self._http.call(request, timeout=seconds)
        except Unauthenticated:
            self._hold(None)
            raise
        self._hold(session)

    def _hold(self, session: Session | None) -> None:
        self._guest_by_itself = False
        self._held = None if session is None else Credentials.of(session)
        left = self._held.seconds_left() if self._held else 0.0
        self._refresh_at = self._now() + max(left, _LEAST_SECONDS)
        if self._changed is not None:
            self._changed(self._held)

    def _now(self) -> float:
        return self._http.clock.now()
