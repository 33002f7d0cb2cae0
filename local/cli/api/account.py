"""A user's own account over REST: who it is, what is kept of it, its end."""

from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote

from google.protobuf import empty_pb2

from eco2.auth.v1 import auth_pb2, auth_service_pb2
from eco2.scan.v1.export_pb2 import Export
from local.cli.api.http import Http
from mesh.locale import Locale


class AccountClient:
    """A signed-in user's client of their account. Use it in a `with` block.

    Args:
        base_url: Of the edge.
        token: The user's bearer token.
        locale: Language of texts and errors.
    """

    def __init__(self, base_url: str, token: str, locale: Locale) -> None:
        self._http = Http(base_url, locale, token)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._http.__exit__(kind, error, at)

    def me(self) -> auth_pb2.Account:
        """The account."""
        return self._http.call("GET", "/v1/me", auth_pb2.Account())

    def logout_everywhere(self) -> None:
        """Ends all sessions."""
        request = auth_service_pb2.LogoutEverywhereRequest()
        self._http.call("POST", "/v1/me:logoutEverywhere", empty_pb2.Empty(), request)

    def begin_export(self) -> Export:
        """Begins to put all that is kept of the user into one file."""
        return self._http.call("POST", "/v1/me:export", Export(), auth_service_pb2.ExportMeRequest())

    def export(self, export_id: str) -> Export:
        """How far that is."""
        return self._http.call("GET", f"/v1/exports/{quote(export_id, safe='')}", Export())

    def fetch(self, address: str, file: Path) -> None:
        """Puts what is at a presigned address into a file, readable by its owner alone."""
        self._http.fetch(address, file)

    def delete(self) -> auth_service_pb2.DeleteMeResponse:
        """Closes the account and erases all that is kept of its user."""
        return self._http.call("DELETE", "/v1/me", auth_service_pb2.DeleteMeResponse())
