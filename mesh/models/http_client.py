"""The HTTP client that the SDK is given: a request as the SDK made it, sent once.

httpx2's own would merge it with defaults, cookies and the environment, and look for redirects, another sign-in and
hooks, none of which there are here. That is a third of what a call costs beyond its exchange.
"""

from functools import lru_cache
from typing import Any

import httpx2

from mesh.models.transport import ProviderTransport


class ProviderHttpClient(httpx2.AsyncClient):
    """Sends requests to a provider: no redirects, no cookies, no sign-in but the headers that a request has."""

    def __init__(self) -> None:
        self._provider = ProviderTransport()
        # The transport reads the environment's proxies; httpx2 would put one of its own before it.
        super().__init__(transport=self._provider, trust_env=False)

    def build_request(
        self, method: str, url: httpx2.URL | str, *, content: Any = None, headers: Any = None, **other: Any
    ) -> httpx2.Request:
        """A request; `other`, of which the SDK gives what a body of bytes doesn't need, is left out."""
        return httpx2.Request(method, parsed(str(url)), headers=headers, content=content)

    async def send(self, request: httpx2.Request, *, stream: bool = False, **other: Any) -> httpx2.Response:
        """The response, read to its end unless it is a stream, which is to be closed.

        Raises:
            httpx2.TransportError: As the transport does.
        """
        response = await self._provider.handle_async_request(request)
        response.request = request
        try:
            if not stream:
                await response.aread()
        except BaseException:
            await response.aclose()
            raise
        return response


@lru_cache(maxsize=16)
def parsed(url: str) -> httpx2.URL:
    """An address; there are few, and the SDK asks for each three times a call."""
    return httpx2.URL(url)
