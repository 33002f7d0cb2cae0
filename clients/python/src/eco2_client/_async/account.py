"""The user's account, and all that is kept of them."""

from eco2_client._async.api import AsyncApi
from eco2_client.models import Account, DeleteMeResponse, Export, ExportState
from eco2_client.requests import Request, segment
from eco2_client.structs import Message

_POLL_SECONDS = 2.0


class AsyncOwnAccount:
    """`client.account`. Each call may also raise Unauthenticated, Unavailable, Disconnected and TimedOut."""

    def __init__(self, api: AsyncApi) -> None:
        self._api = api

    async def get(self) -> Account:
        """The user's account."""
        return await self._api.call(Request("GET", "/v1/me", Account))

    async def delete(self) -> DeleteMeResponse:
        """Closes the account and erases all that is kept of the user. Nobody can take it back."""
        return await self._api.call(Request("DELETE", "/v1/me", DeleteMeResponse))

    async def logout_everywhere(self) -> None:
        """Ends all sessions of the user; access tokens stay good for 15 minutes at most."""
        await self._api.call(Request("POST", "/v1/me:logoutEverywhere", Message, body={}))

    async def export(self, *, timeout: float = 600) -> Export:
        """Puts all that is kept of the user into a file; `download_url` is good for five minutes.

        Args:
            timeout: Most seconds to wait for it.

        Returns:
            The export when it has ended: `state` says whether the file is there.

        Raises:
            TimedOut: It takes longer; `get_export` tells how far it is.
        """
        attempts = self._api.http.attempts(timeout)
        export = await self._api.call(Request("POST", "/v1/me:export", Export, body={}), attempts.left())
        while export.state is ExportState.RUNNING:
            await self._api.http.clock.sleep(min(_POLL_SECONDS, attempts.left()))
            export = await self._api.call(_reading(export.export_id), attempts.left())
        return export

    async def get_export(self, export_id: str) -> Export:
        """An export as it is now.

        Raises:
            NotFound: EXPORT_NOT_FOUND: there is none, any more.
        """
        return await self._api.call(_reading(export_id))


def _reading(export_id: str) -> Request[Export]:
    return Request("GET", f"/v1/exports/{segment(export_id)}", Export)
