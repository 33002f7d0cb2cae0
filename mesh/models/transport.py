"""How requests get to a provider of models: through pyqwest, which is Rust's reqwest.

It keeps connections, speaks HTTP/2 where TLS negotiates it, and goes through `HTTPS_PROXY`, `HTTP_PROXY` and
`ALL_PROXY` but for hosts in `NO_PROXY`. What is cancelled or left early is aborted, its connection not used again.
"""

from collections.abc import AsyncIterator

import httpx2
import pyqwest

_CONNECT_SECONDS = 10.0
_IDLE_SECONDS = 30.0  # shorter than servers wait, so that none is used in the moment in which they hang up
_MOST_CONNECTIONS = 1000
_MOST_BYTES = 16 << 20  # of a response; an answer of the greatest length, streamed token by token, has 5 MiB
# What pyqwest finds out for itself; to say it twice is an error in HTTP/2.
_TRANSPORTS_OWN = frozenset({"host", "connection", "content-length", "accept-encoding"})


class _ResponseBody(httpx2.AsyncByteStream):
    """The body of one response. Closing it early aborts the exchange."""

    def __init__(self, response: pyqwest.Response) -> None:
        self._response = response

    async def __aiter__(self) -> AsyncIterator[bytes]:
        size = 0
        try:
            async for chunk in self._response.content:
                piece = bytes(chunk)
                size += len(piece)
                if size > _MOST_BYTES:
                    raise httpx2.RemoteProtocolError("the response is too long")
                yield piece
        except (pyqwest.RemoteProtocolError, pyqwest.ReadError, OSError) as error:
            raise httpx2.RemoteProtocolError(str(error)) from error

    async def aclose(self) -> None:
        await self._response.aclose()


class ProviderTransport(httpx2.AsyncBaseTransport):
    """Sends requests to a provider. Waits as long as its caller does, but for connecting; follows no redirect."""

    def __init__(self) -> None:
        self._inner = pyqwest.HTTPTransport(
            tls_include_system_certs=True,
            connect_timeout=_CONNECT_SECONDS,
            pool_idle_timeout=_IDLE_SECONDS,
            pool_max_idle_per_host=_MOST_CONNECTIONS,
            max_connections_per_address=_MOST_CONNECTIONS,
            use_system_dns=True,  # as everything else in the process, /etc/hosts and search domains included
            # Nothing asks for compression, so nothing that is sent can grow a thousandfold here.
            enable_gzip=False,
            enable_brotli=False,
            enable_zstd=False,
            follow_redirects=False,
            enable_otel=False,  # spans and trace headers are none of a provider's business
        )

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Sends a request whose body is in memory.

        Raises:
            httpx2.TransportError: The provider can't be reached, hung up, or doesn't speak HTTP.
        """
        headers = [(name, value) for name, value in request.headers.items() if name not in _TRANSPORTS_OWN]
        message = pyqwest.Request(request.method, str(request.url), pyqwest.Headers(headers), request.content)
        try:
            response = await self._inner.execute(message)
        except OSError as error:
            raise httpx2.ConnectError(str(error)) from error
        except (pyqwest.RemoteProtocolError, pyqwest.ReadError, pyqwest.WriteError) as error:
            raise httpx2.RemoteProtocolError(str(error)) from error
        return httpx2.Response(response.status, headers=list(response.headers.items()), stream=_ResponseBody(response))

    async def aclose(self) -> None:
        """Closes the connections."""
        await self._inner.aclose()
