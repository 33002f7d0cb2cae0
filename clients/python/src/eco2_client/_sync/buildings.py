# Written by `make gen` from _async/. Don't edit it.
"""Houses with days of their own."""

from eco2_client._sync.api import Api
from eco2_client.models import Building, ListBuildingsResponse
from eco2_client.requests import Request, given, segment
from eco2_client.structs import Message


class Buildings:
    """`client.buildings`. Each call may also raise Unauthenticated, Unavailable, Disconnected and TimedOut."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def create(self, building: Building) -> Building:
        """Registers a building; the reply has its code. It isn't sent twice: after a Disconnected see `list`.

        Raises:
            InvalidArgument: `fields` says what is wrong.
            ResourceExhausted: BUILDING_LIMIT.
        """
        body = {"building": building}
        return self._api.call(Request("POST", "/v1/buildings", Building, body=body, repeatable=False))

    def get(self, code: str) -> Building:
        """The building with a code.

        Raises:
            NotFound: BUILDING_UNKNOWN.
        """
        return self._api.call(Request("GET", _path(code), Building))

    def list(self) -> tuple[Building, ...]:
        """The buildings that the user manages, oldest first."""
        return (self._api.call(Request("GET", "/v1/buildings", ListBuildingsResponse))).buildings

    def update(self, building: Building) -> Building:
        """Replaces what a building says, whole. Read it, change it (`msgspec.structs.replace`), send it with its etag.

        It isn't sent twice: after a Disconnected read it again.

        Raises:
            NotFound: BUILDING_UNKNOWN.
            PermissionDenied: BUILDING_NOT_YOURS.
            Aborted: BUILDING_CHANGED: somebody was faster; read it again.
        """
        body = {"building": building}
        return self._api.call(Request("PUT", _path(building.code), Building, body=body, repeatable=False))

    def delete(self, code: str, *, etag: str = "") -> None:
        """Deletes a building; whoever joined it is told.

        Raises:
            NotFound: BUILDING_UNKNOWN.
            PermissionDenied: BUILDING_NOT_YOURS.
            Aborted: BUILDING_CHANGED: not the state of that etag any more.
        """
        self._api.call(Request("DELETE", _path(code), Message, query=given(etag=etag), removes=True))


def _path(code: str) -> str:
    return f"/v1/buildings/{segment(code)}"
