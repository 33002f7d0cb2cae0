# Written by `make gen` from _async/. Don't edit it.
"""Signing in and out."""

import secrets

from eco2_client._sync.api import Api
from eco2_client._sync.tokens import GivenToken, SessionTokens
from eco2_client.credentials import Credentials
from eco2_client.models import BeginSignInResponse, ListProvidersResponse, Provider, Session
from eco2_client.requests import Request, segment
from eco2_client.sign_in import SignIn, challenge, new_verifier
from eco2_client.structs import Message


class Auth:
    """`client.auth`. Each call may also raise Unavailable, Disconnected and TimedOut."""

    def __init__(self, api: Api) -> None:
        self._api = api

    @property
    def credentials(self) -> Credentials | None:
        """Who is signed in now; None if nobody is yet, or the client was given a token."""
        tokens = self._api.tokens
        return tokens.credentials if isinstance(tokens, SessionTokens) else None

    def guest(self) -> Session:
        """Begins a session as a new guest. The first call that needs a token does so by itself."""
        session = self._api.http.call(Request("POST", "/v1/auth/guest", Session, body={}))
        self._own_tokens().adopt(session)
        return session

    def providers(self) -> tuple[Provider, ...]:
        """Whom one can sign in with."""
        return (self._api.http.call(Request("GET", "/v1/auth/providers", ListProvidersResponse))).providers

    def begin(self, provider: str, redirect_uri: str) -> SignIn:
        """Begins to sign in. If the client is a guest's, or a user's, a new identity becomes theirs.

        Args:
            provider: Whom with, such as "kakao".
            redirect_uri: Where the user is sent back to with `state` and `code`; one that the API allows.

        Raises:
            NotFound: PROVIDER_UNKNOWN.
            InvalidArgument: `fields` says what is wrong.
        """
        verifier = new_verifier()
        body = {"redirect_uri": redirect_uri, "code_challenge": challenge(verifier)}
        request = Request("POST", f"/v1/auth/{segment(provider)}:begin", BeginSignInResponse, body=body)
        is_somebody = self.credentials is not None or isinstance(self._api.tokens, GivenToken)
        begun = self._api.call(request) if is_somebody else self._api.http.call(request)
        return SignIn(provider, begun.authorization_url, begun.state, begun.expire_time, verifier)

    def complete(self, sign_in: SignIn, *, state: str, code: str) -> Session:
        """Completes it: from now on the client is that user's. It isn't sent twice; after any error begin anew.

        Args:
            sign_in: What `begin` gave.
            state: As it came back with the user.
            code: As it came back.

        Raises:
            ValueError: This isn't the state that was begun with: somebody else's attempt.
            FailedPrecondition: SIGN_IN_EXPIRED.
            PermissionDenied: SIGN_IN_REFUSED.
            Aborted: The same user signs in elsewhere at this moment.
        """
        if not secrets.compare_digest(state.encode(), sign_in.state.encode()):
            raise ValueError("this isn't the state that the sign-in began with")
        body = {"state": state, "code": code, "code_verifier": sign_in.code_verifier}
        path = f"/v1/auth/{segment(sign_in.provider)}:complete"
        session = self._api.http.call(Request("POST", path, Session, body=body, repeatable=False))
        self._own_tokens().adopt(session)
        return session

    def logout(self) -> None:
        """Ends the session. Calls raise Unauthenticated afterwards, until somebody signs in."""
        tokens = self._own_tokens()
        if tokens.credentials is not None:
            body = {"refresh_token": tokens.credentials.session.refresh_token}
            self._api.http.call(Request("POST", "/v1/auth/token:revoke", Message, body=body))
        tokens.adopt(None)

    def _own_tokens(self) -> SessionTokens:
        if not isinstance(self._api.tokens, SessionTokens):
            raise TypeError("this client was given a token, which is not its to change")
        return self._api.tokens
