"""Photos at outside addresses."""

import asyncio

import httpx2

from mesh.errors import NotFound, Unavailable
from mesh.reasons import Reason
from vision_svc.photos.memfile import MemFile
from vision_svc.photos.photos import demand_size

_GONE = frozenset({httpx2.codes.NOT_FOUND, httpx2.codes.GONE})


class PhotoDownloader:
    """Downloads photos; only from public addresses, which is the client's business.

    Args:
        client: From `mesh.addresses.open_public_client`.
        seconds: For a whole download, redirects included; a server that drips can't stretch it.
    """

    def __init__(self, client: httpx2.AsyncClient, seconds: float) -> None:
        self._client = client
        self._seconds = seconds

    async def load(self, address: str, into: MemFile) -> None:
        """Loads the photo at this address.

        Raises:
            InvalidArgument: ADDRESS_REFUSED, PHOTO_EMPTY or PHOTO_TOO_LARGE.
            NotFound: PHOTO_NOT_FOUND.
            Unavailable: PHOTO_FETCH_FAILED: an error, too many redirects, too late, or no answer.
        """
        try:
            async with asyncio.timeout(self._seconds):
                await self._download(address, into)
        except TimeoutError as error:
            raise Unavailable(Reason.PHOTO_FETCH_FAILED, status="timeout") from error
        except httpx2.HTTPError as error:
            raise Unavailable(Reason.PHOTO_FETCH_FAILED, status=type(error).__name__) from error

    async def _download(self, address: str, into: MemFile) -> None:
        # A compressed reply could grow a thousandfold behind our back: it is neither asked for nor unpacked.
        async with self._client.stream("GET", address, headers={"accept-encoding": "identity"}) as reply:
            if reply.status_code in _GONE:
                raise NotFound(Reason.PHOTO_NOT_FOUND, image_url=address)
            if not reply.is_success:
                raise Unavailable(Reason.PHOTO_FETCH_FAILED, status=reply.status_code)
            async for piece in reply.aiter_raw():
                into.write(piece)
        demand_size(len(into))
