"""Photos at outside addresses."""

import asyncio
from urllib.parse import urlsplit

import httpx2

from mesh.errors import NotFound, Unavailable
from mesh.observability import tracing
from mesh.reasons import Reason
from vision_svc.photos.memfile import MemFile
from vision_svc.photos.photos import demand_size

_GRACE_SECONDS = 6.0  # names are resolved and connections made; silence ends after five
_GONE = frozenset({httpx2.codes.NOT_FOUND, httpx2.codes.GONE})


class PhotoDownloader:
    """Downloads photos; only from public addresses, which is the client's business.

    Args:
        client: From `mesh.addresses.open_public_client`.
        seconds: For a whole download, redirects included; a server that drips can't stretch it.
        least_rate: Bytes a second that must have come on average once the grace is over. A server that drips is
            given up then: its share of the slots is better spent.
        grace_seconds: Until when nothing need have come.
    """

    def __init__(
        self,
        client: httpx2.AsyncClient,
        seconds: float,
        least_rate: float = 32_768,
        grace_seconds: float = _GRACE_SECONDS,
    ) -> None:
        self._client = client
        self._seconds = seconds
        self._least_rate = least_rate
        self._grace_seconds = grace_seconds

    async def load(self, address: str, into: MemFile) -> None:
        """Loads the photo at this address.

        Raises:
            InvalidArgument: ADDRESS_REFUSED, PHOTO_EMPTY or PHOTO_TOO_LARGE.
            NotFound: PHOTO_NOT_FOUND.
            Unavailable: PHOTO_FETCH_FAILED: an error, too many redirects, too late, too slow, or no answer.
        """
        now = asyncio.get_running_loop().time
        ends_at = now() + self._seconds
        try:
            async with asyncio.timeout_at(min(ends_at, now() + self._grace_seconds)) as timer:
                await self._download(address, into, timer, ends_at)
        except TimeoutError as error:
            status = "timeout" if now() >= ends_at else "too slow"
            raise Unavailable(Reason.PHOTO_FETCH_FAILED, status=status) from error
        except httpx2.HTTPError as error:
            raise Unavailable(Reason.PHOTO_FETCH_FAILED, status=type(error).__name__) from error

    async def _download(self, address: str, into: MemFile, timer: asyncio.Timeout, ends_at: float) -> None:
        began = ends_at - self._seconds
        host = urlsplit(address).hostname or ""  # the rest may be a secret of whoever sent it
        with tracing.asking("GET", {"http.request.method": "GET", "server.address": host}) as span:
            # A compressed reply could grow a thousandfold behind our back: it is neither asked for nor unpacked.
            async with self._client.stream("GET", address, headers={"accept-encoding": "identity"}) as reply:
                span.set_attribute("http.response.status_code", reply.status_code)
                if reply.status_code in _GONE:
                    raise NotFound(Reason.PHOTO_NOT_FOUND, image_url=address)
                if not reply.is_success:
                    raise Unavailable(Reason.PHOTO_FETCH_FAILED, status=reply.status_code)
                async for piece in reply.aiter_raw():
                    into.write(piece)
                    timer.reschedule(min(ends_at, began + self._grace_seconds + len(into) / self._least_rate))
        demand_size(len(into))
