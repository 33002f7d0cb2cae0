# Written by `make gen` from _async/. Don't edit it.
"""Characters, which well-sorted recyclables earn."""

from eco2_client._sync.api import Api
from eco2_client.models import Character, ListCharactersResponse, ListOwnedCharactersResponse
from eco2_client.requests import Request


class Characters:
    """`client.characters`. Each call may raise Unauthenticated, Unavailable, Disconnected and TimedOut."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def list(self) -> tuple[Character, ...]:
        """Every character that there is."""
        return (self._api.call(Request("GET", "/v1/characters", ListCharactersResponse))).characters

    def owned(self) -> ListOwnedCharactersResponse:
        """The user's own, first earned first; and who greets a user that has none."""
        return self._api.call(Request("GET", "/v1/me/characters", ListOwnedCharactersResponse))
