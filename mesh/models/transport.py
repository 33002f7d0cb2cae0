"""The official SDK, sending through kept-alive connections of ours and nothing it doesn't ask for."""

from collections.abc import AsyncGenerator, AsyncIterator
from functools import lru_cache
from typing import Any, cast

import httpx2
import openai
from openai._models import FinalRequestOptions

from mesh.connections import Connection, Connections

# Where a request's headers stand: as httpx2's own they would be parsed, folded and written again.
_HEADERS = "headers"
_MOST_CONNECTIONS = 1000
_CONNECT_SECONDS = 10.0
# What is read of an answer's headers, by the SDK and by us.
_READ = frozenset({b"content-type", b"retry-after", b"x-request-id", b"x-should-retry"})


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
        try:
            while piece := await self._connection.read():
                yield piece
        except OSError as error:
            raise httpx2.RemoteProtocolError(str(error)) from error

    def read_within(self, patience: float, left: float, pause: float) -> AsyncGenerator[bytes, None]:
        """The pieces as they come; see `Connection.read_within`."""
        return self._connection.read_within(patience, left, pause)

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
        tls = httpx2.create_ssl_context() if url.scheme == "https" else None
        port = url.port or (443 if tls else 80)
        self._connections = Connections(url.host, port, tls, most=_MOST_CONNECTIONS, seconds=_CONNECT_SECONDS)

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Sends a request that `Client` has built.

        Raises:
            TransportError: The provider can't be reached, hung up, or doesn't speak HTTP/1.1.
        """
        lines = [f"{name}: {value}" for name, value in request.extensions[_HEADERS]]
        lines.append(f"content-length: {len(request.content)}\r\n\r\n")
        first = b"%b %b HTTP/1.1\r\nhost: %b\r\n" % (request.method.encode(), request.url.raw_path, request.url.netloc)
        try:
            connection = await self._connections.take()
        except OSError as error:
            raise httpx2.ConnectError(str(error)) from error
        body = Body(connection, self._connections)
        try:
            answer = await connection.send((first, "\r\n".join(lines).encode("ascii"), request.content))
        except BaseException as error:
            await body.aclose()
            if isinstance(error, OSError):
                raise httpx2.RemoteProtocolError(str(error)) from error
            raise
        headers = [header for header in answer.headers if header[0] in _READ]
        return httpx2.Response(answer.status, headers=headers, stream=body, request=request)

    async def aclose(self) -> None:
        """Closes the connections that are idle."""
        self._connections.close()


class Client(httpx2.AsyncClient):
    """A client without cookies, redirects, authentication and compression, which the SDK's requests have no use for.

    Time limits are the caller's.

    Args:
        base_url: Of the provider.
    """

    def __init__(self, base_url: str) -> None:
        self._provider = Transport(httpx2.URL(base_url))
        super().__init__(transport=self._provider, trust_env=False)

    def build_request(self, method: str, url: Any, *, headers: Any = None, content: Any = None, **_: Any) -> Any:
        """The request as the SDK has put it together; its headers are only handed on."""
        stream, extensions = httpx2.ByteStream(content or b""), {_HEADERS: headers or ()}
        request = httpx2.Request(method, _parsed(url), stream=stream, extensions=extensions)
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


class Sdk(openai.AsyncOpenAI):
    """The official SDK. What it would work out anew for every request is worked out once.

    Args:
        api_key: Of the provider.
        base_url: Likewise.
    """

    def __init__(self, api_key: str, base_url: str) -> None:
        # Its own retries know neither deadline nor budget.
        super().__init__(api_key=api_key, base_url=base_url, max_retries=0, http_client=Client(base_url))
        self._completion = FinalRequestOptions.construct(
            method="post", url=f"{self.base_url}chat/completions", headers={"Content-Type": "application/json"}
        )

    async def complete(self, content: bytes, seconds: float, *, streamed: bool) -> httpx2.Response:
        """The response to a chat completion's body: the whole of it, or where it begins.

        Args:
            content: JSON.
            seconds: What the provider is told that we wait; nobody here keeps it.
            streamed: Whether the body asks for a stream.

        Raises:
            OpenAIError: Whatever the SDK makes of a failure.
        """
        options = self._completion.model_copy(update={"content": content, "timeout": seconds})
        response: Any = await self.request(httpx2.Response, options, stream=streamed, stream_cls=None)
        return cast(httpx2.Response, response)

    def _prepare_url(self, url: str) -> httpx2.URL:
        # A hook of the SDK, which its client for Azure uses too.
        return _parsed(url)


@lru_cache(maxsize=16)
def _parsed(url: str) -> httpx2.URL:
    return httpx2.URL(url)
