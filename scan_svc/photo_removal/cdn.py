"""Tells a CDN which photos are gone: by one HTTP call, which docs/operations.md describes for the common ones."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import httpx2

from mesh.errors import Unavailable
from mesh.reasons import Reason

_SECONDS = 10.0
_AT_ONCE = 30  # what Cloudflare takes in a call


class CdnPurge:
    """The hook.

    Args:
        client: Any.
        url: What is called.
        token: Sent as a bearer; empty for none.
    """

    def __init__(self, client: httpx2.AsyncClient, url: str, token: str) -> None:
        self._client = client
        self._url = url
        self._headers = {"authorization": f"Bearer {token}"} if token else {}

    async def purge(self, image_urls: Sequence[str]) -> None:
        """Has the CDN forget what it holds of these addresses. Safe to repeat.

        Raises:
            Unavailable: It didn't say that it will.
        """
        for first in range(0, len(image_urls), _AT_ONCE):
            files = {"files": image_urls[first : first + _AT_ONCE]}
            try:
                reply = await self._client.post(self._url, json=files, headers=self._headers)
            except httpx2.HTTPError as error:
                raise Unavailable(Reason.UNAVAILABLE, peer="cdn", status=type(error).__name__) from error
            if not reply.is_success:
                raise Unavailable(Reason.UNAVAILABLE, peer="cdn", status=reply.status_code)


@asynccontextmanager
async def open_purge(url: str, token: str) -> AsyncIterator[CdnPurge | None]:
    """The hook of these settings; None without an address."""
    if not url:
        yield None
        return
    async with httpx2.AsyncClient(timeout=_SECONDS) as client:
        yield CdnPurge(client, url, token)
