"""Auth's API as an app uses it: JSON over REST, without a token."""

from types import TracebackType
from typing import Self
from urllib.parse import quote

from google.protobuf import empty_pb2

from eco2.auth.v1 import auth_pb2, auth_service_pb2
from local.cli.api.http import Http
from mesh.locale import Locale

_SECONDS = 20.0


class AuthClient:
    """Signs in, refreshes, signs out. Use it in a `with` block.

    Args:
        base_url: Of the edge.
        locale: Language of texts and errors.

    Raises:
        Misuse: The base URL is no HTTP address.
    """

    def __init__(self, base_url: str, locale: Locale) -> None:
        self._http = Http(base_url, locale)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._http.__exit__(kind, error, at)

    def providers(self) -> list[auth_pb2.Provider]:
        """Whom one can sign in with."""
        reply = auth_service_pb2.ListProvidersResponse()
        return list(self._http.call("GET", "/v1/auth/providers", reply, seconds=_SECONDS).providers)

    def guest(self) -> auth_pb2.Session:
        """The session of a new guest."""
        request = auth_service_pb2.CreateGuestRequest()
        return self._http.call("POST", "/v1/auth/guest", auth_pb2.Session(), request, seconds=_SECONDS)

    def begin(self, provider: str, redirect_uri: str, challenge: str) -> auth_service_pb2.BeginSignInResponse:
        """Where to send the user."""
        request = auth_service_pb2.BeginSignInRequest(redirect_uri=redirect_uri, code_challenge=challenge)
        reply = auth_service_pb2.BeginSignInResponse()
        return self._http.call("POST", f"{_path(provider)}:begin", reply, request, seconds=_SECONDS)

    def complete(self, provider: str, state: str, code: str, verifier: str) -> auth_pb2.Session:
        """The session of whoever came back."""
        request = auth_service_pb2.CompleteSignInRequest(state=state, code=code, code_verifier=verifier)
        return self._http.call("POST", f"{_path(provider)}:complete", auth_pb2.Session(), request, seconds=_SECONDS)

    def refresh(self, refresh_token: str, request_id: str) -> auth_pb2.Session:
        """The session with its next pair of tokens; soon afterwards the same again, in case the reply was lost."""
        request = auth_service_pb2.RefreshTokenRequest(refresh_token=refresh_token, request_id=request_id)
        return self._http.call("POST", f"{_path('token')}:refresh", auth_pb2.Session(), request, seconds=_SECONDS)

    def revoke(self, refresh_token: str) -> None:
        """Ends a session."""
        request = auth_service_pb2.LogoutRequest(refresh_token=refresh_token)
        self._http.call("POST", f"{_path('token')}:revoke", empty_pb2.Empty(), request, seconds=_SECONDS)


def _path(name: str) -> str:
    return f"/v1/auth/{quote(name, safe='')}"
