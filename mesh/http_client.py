"""An HTTP client of object storage: requests that may be sent twice, over connections that are kept.

General clients do more, and cost more. A request is sent a second time if the connection it went out on had been closed
by the server meanwhile, so requests must be idempotent.
"""

import asyncio
import math
import ssl
from collections.abc import AsyncGenerator, Mapping
from contextlib import AbstractAsyncContextManager
from urllib.parse import urlsplit

from mesh.connections import Connection, Connections
from mesh.http1 import Answer

_WORTH_READING = 1 << 16  # of a body nobody wants: a new connection costs more


class HttpReply:
    """A server's reply, whose body is still to come.

    Args:
        connection: Where it comes from.
        answer: Its head.
        patience: Seconds of silence that are borne.

    Attributes:
        status: Of HTTP.
        headers: By name in lower case.
    """

    def __init__(self, connection: Connection, answer: Answer, patience: float) -> None:
        self.status = answer.status
        self.headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in answer.headers}
        self._connection = connection
        self._patience = patience

    @property
    def ok(self) -> bool:
        """Whether the server did what it was asked for."""
        return 200 <= self.status < 300

    def pieces(self) -> AsyncGenerator[bytes, None]:
        """The body as it comes.

        Raises:
            Broken: The server broke off.
            TimeoutError: It was silent for too long.
        """
        return self._connection.read_within(self._patience, math.inf)

    async def finish(self) -> None:
        """Skips what is left of a short body, so that the connection can be used again."""
        answer = self._connection.answer
        if not answer.finished and answer.left and answer.left <= _WORTH_READING:
            async for _ in self.pieces():
                pass


class _Exchange(AbstractAsyncContextManager[HttpReply]):
    """A request under way; cheaper than a generator that does the same."""

    def __init__(self, client: "HttpClient", message: tuple[bytes, bytes], *, bodiless: bool) -> None:
        self._client = client
        self._message = message
        self._bodiless = bodiless

    async def __aenter__(self) -> HttpReply:
        self._connection, self._reply = await self._client.ask(self._message, bodiless=self._bodiless)
        return self._reply

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if kind is None or issubclass(kind, Exception):  # else there is no time
                await self._reply.finish()
        except OSError:
            pass
        finally:
            self._client.connections.give_back(self._connection)


class HttpClient:
    """A client of one server.

    Args:
        address: Such as `https://s3.example.com`; a path in it is ignored.
        connections: At once, at most; further requests wait.
        connect_seconds: To wait for a connection, a free or a new one.
        read_seconds: Of silence that are borne; not for the whole.
    """

    def __init__(self, address: str, *, connections: int, connect_seconds: float, read_seconds: float) -> None:
        parts = urlsplit(address)
        tls = ssl.create_default_context() if parts.scheme == "https" else None
        port = parts.port or (443 if tls else 80)
        self.connections = Connections(parts.hostname or "", port, tls, most=connections, seconds=connect_seconds)
        self._read_seconds = read_seconds

    def request(
        self, method: str, target: str, headers: Mapping[str, str], content: bytes | None = None
    ) -> AbstractAsyncContextManager[HttpReply]:
        """One request; its reply is there while the block runs, and what of it isn't read is skipped.

        Args:
            method: An idempotent one.
            target: Path and query, quoted.
            headers: All that are sent but `content-length`; `host` among them.
            content: The body.

        Raises:
            OSError: The server can't be reached, breaks off, doesn't speak HTTP, or is silent for too long.
        """
        lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
        if content is not None:
            lines.append(f"content-length: {len(content)}")
        head = "\r\n".join([*lines, "", ""]).encode("latin-1")
        return _Exchange(self, (head, content or b""), bodiless=method == "HEAD")

    async def ask(self, message: tuple[bytes, bytes], *, bodiless: bool) -> tuple[Connection, HttpReply]:
        """Sends a request on a connection, and reads the head of its reply."""
        while True:
            connection = await self.connections.take()
            is_new = connection.is_new
            try:
                async with asyncio.timeout(self._read_seconds):
                    answer = await connection.send(message, bodiless=bodiless)
            except BaseException as error:
                self.connections.give_back(connection)
                if isinstance(error, ConnectionError) and not is_new:
                    # Closed just now, by somebody who may not have seen the request; the others may be closed as well.
                    self.connections.close()
                    continue
                raise
            return connection, HttpReply(connection, answer, self._read_seconds)

    def close(self) -> None:
        """Closes the connections that are kept."""
        self.connections.close()
