"""Characters, which well-sorted recyclables earn."""

from eco2_client._async.api import AsyncApi
from eco2_client.models import Character, ListCharactersResponse, ListOwnedCharactersResponse
from eco2_client.requests import Request


class AsyncCharacters:
    """`client.characters`. Each call may raise Unauthenticated, Unavailable, Disconnected and TimedOut."""

    def __init__(self, api: AsyncApi) -> None:
        self._api = api

    async def list(self) -> tuple[Character, ...]:
        """Every character that there is."""
        return (await self._api.call(Request("GET", "/v1/characters", ListCharactersResponse))).characters

    async def owned(self) -> ListOwnedCharactersResponse:
        """The user's own, first earned first; and who greets a user that has none."""
        return await self._api.call(Request("GET", "/v1/me/characters", ListOwnedCharactersResponse))
