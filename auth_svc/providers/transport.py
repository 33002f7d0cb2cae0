"""What a provider may send: little. Whatever more it sends is an error of its own."""

from collections.abc import AsyncIterator

import httpx2

_MOST_BYTES = 256 << 10


class LimitedTransport(httpx2.AsyncBaseTransport):
    """Connections that several clients share, and that give up on a reply of more than 256 KiB.

    Args:
        inner: What connects.
    """

    def __init__(self, inner: httpx2.AsyncBaseTransport) -> None:
        self._inner = inner

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Sends one request."""
        response = await self._inner.handle_async_request(request)
        assert isinstance(response.stream, httpx2.AsyncByteStream)
        return httpx2.Response(
            response.status_code,
            headers=response.headers,
            stream=_Limited(response.stream, request),
            extensions=response.extensions,
        )


class _Limited(httpx2.AsyncByteStream):
    def __init__(self, inner: httpx2.AsyncByteStream, request: httpx2.Request) -> None:
        self._inner = inner
        self._request = request

    async def __aiter__(self) -> AsyncIterator[bytes]:
        received = 0
        async for chunk in self._inner:
            received += len(chunk)
            if received > _MOST_BYTES:
                raise httpx2.ReadError(f"more than {_MOST_BYTES} bytes", request=self._request)
            yield chunk

    async def aclose(self) -> None:
        await self._inner.aclose()
