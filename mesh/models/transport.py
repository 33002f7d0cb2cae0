"""What the official SDK sends its requests through: kept-alive connections, and nothing it doesn't ask for."""

from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any

import httpx2

from mesh.models.connections import Connection, Connections


class Body(httpx2.AsyncByteStream):
    """The body of one answer. Closing it gives its connection back.

    Args:
        connection: Where it comes from.
        connections: To whom that belongs.
    """

    def __init__(self, connection: Connection, connections: Connections) -> None:
        self._connection = connection
        self._connections: Connections | None = connections

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while piece := await self._connection.read():
            yield piece

    def read_within(self, patience: float, left: float) -> AsyncGenerator[bytes, None]:
        """The pieces as they come; see `Connection.read_within`."""
        return self._connection.read_within(patience, left)

    async def aclose(self) -> None:
        """Gives the connection back."""
        connections, self._connections = self._connections, None
        if connections is not None:
            connections.give_back(self._connection)


class Transport(httpx2.AsyncBaseTransport):
    """Sends requests to one provider.

    Args:
        url: Where it is.
    """

    def __init__(self, url: httpx2.URL) -> None:
        self._connections = Connections(url)

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Sends a request whose body is in memory.

        Raises:
            TransportError: The provider can't be reached, hung up, or doesn't speak HTTP/1.1.
        """
        head = [
            b"%b %b HTTP/1.1\r\nhost: %b" % (request.method.encode(), request.url.raw_path, request.url.netloc),
            *(b"%b: %b" % header for header in request.headers.raw),
            b"content-length: %d\r\n\r\n" % len(request.content),
        ]
        connection = await self._connections.take()
        body = Body(connection, self._connections)
        try:
            answer = await connection.send((b"\r\n".join(head), request.content))
        except BaseException:
            await body.aclose()
            raise
        return httpx2.Response(answer.status, headers=answer.headers, stream=body, request=request)

    async def aclose(self) -> None:
        """Closes the connections that are idle."""
        self._connections.close()


class Client(httpx2.AsyncClient):
    """A client without cookies, redirects, authentication and compression, which the SDK's requests have no use for.

    Building and sending a request so takes a third of the CPU. Time limits are the caller's.

    Args:
        base_url: Of the provider.
    """

    def __init__(self, base_url: str) -> None:
        self._provider = Transport(httpx2.URL(base_url))
        super().__init__(transport=self._provider, trust_env=False)
        self._urls: dict[str, httpx2.URL] = {}

    def build_request(self, method: str, url: Any, *, headers: Any = None, content: Any = None, **_: Any) -> Any:
        """The request the SDK has put together."""
        if url not in self._urls:  # parsed once: there are only a few
            self._urls[url] = httpx2.URL(url)
        request = httpx2.Request(method, self._urls[url], headers=headers, stream=httpx2.ByteStream(content or b""))
        request.read()
        return request

    async def send(self, request: httpx2.Request, *, stream: bool = False, **_: Any) -> httpx2.Response:
        """The answer, whole or where it begins."""
        response = await self._provider.handle_async_request(request)
        if not stream:
            try:
                await response.aread()
            finally:
                await response.aclose()
        return response
