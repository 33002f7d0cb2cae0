"""Auth's API as an app uses it: JSON over REST, without a token."""

from types import TracebackType
from typing import Self, TypeVar

import httpx2
from google.protobuf import empty_pb2, json_format
from google.protobuf.message import Message

from eco2.auth.v1 import auth_pb2, auth_service_pb2
from local.cli.api.errors import ApiError
from local.errors import Disconnected, Misuse
from mesh.locale import Locale

_SECONDS = 20.0

M = TypeVar("M", bound=Message)


class AuthClient:
    """Signs in, refreshes, signs out. Use it in a `with` block.

    Args:
        base_url: Of the edge.
        locale: Language of texts and errors.

    Raises:
        Misuse: The base URL is no HTTP address.
    """

    def __init__(self, base_url: str, locale: Locale) -> None:
        headers = {"Accept-Language": locale, "Content-Type": "application/json"}
        try:
            self._http = httpx2.Client(base_url=base_url, headers=headers, timeout=_SECONDS)
        except httpx2.InvalidURL as error:
            raise Misuse(f"ECO2_REST_URL isn't an address: {error}") from None
        self._locale = locale

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._http.close()

    def providers(self) -> list[auth_pb2.Provider]:
        """Whom one can sign in with."""
        return list(self._call("GET", "/v1/auth/providers", auth_service_pb2.ListProvidersResponse()).providers)

    def begin(self, provider: str, redirect_uri: str, challenge: str) -> auth_service_pb2.BeginSignInResponse:
        """Where to send the user."""
        request = auth_service_pb2.BeginSignInRequest(redirect_uri=redirect_uri, code_challenge=challenge)
        answer = auth_service_pb2.BeginSignInResponse()
        return self._call("POST", f"/v1/auth/{provider}:begin", answer, request)

    def complete(self, provider: str, state: str, code: str, verifier: str) -> auth_pb2.Session:
        """The session of whoever came back."""
        request = auth_service_pb2.CompleteSignInRequest(state=state, code=code, code_verifier=verifier)
        return self._call("POST", f"/v1/auth/{provider}:complete", auth_pb2.Session(), request)

    def refresh(self, refresh_token: str, request_id: str) -> auth_pb2.Session:
        """The session with its next pair of tokens; soon afterwards the same again, in case the reply was lost."""
        request = auth_service_pb2.RefreshTokenRequest(refresh_token=refresh_token, request_id=request_id)
        return self._call("POST", "/v1/auth/token:refresh", auth_pb2.Session(), request)

    def revoke(self, refresh_token: str) -> None:
        """Ends a session."""
        request = auth_service_pb2.LogoutRequest(refresh_token=refresh_token)
        self._call("POST", "/v1/auth/token:revoke", empty_pb2.Empty(), request)

    def _call(self, verb: str, path: str, answer: M, request: Message | None = None) -> M:
        body = None
        if request is not None:
            body = json_format.MessageToJson(request, preserving_proto_field_name=True).encode()
        try:
            response = self._http.request(verb, path, content=body)
        except httpx2.HTTPError as error:
            raise Disconnected(str(error) or type(error).__name__) from None
        if response.status_code != httpx2.codes.OK:
            raise ApiError.from_json(response.content, response.status_code, self._locale)
        return json_format.Parse(response.content, answer, ignore_unknown_fields=True)
