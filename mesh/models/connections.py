"""Connections to a provider, kept alive: a connection of its own for each answer would cost a TLS handshake each."""

import asyncio
import ssl
from collections.abc import AsyncGenerator, Sequence
from typing import cast

import httpx2

from mesh.models.http1 import Answer

_MOST = 1000
_MOST_UNREAD = 256 << 10  # then the provider has to wait until somebody reads
# Shorter than providers wait, so that none is used in the moment in which they hang up.
_IDLE_SECONDS = 30.0
_GRAIN = 0.001  # of the loop's clock


class Connection(asyncio.Protocol):
    """One connection. One request at a time: `send`, then `head`, then `read` until there is nothing more."""

    def __init__(self) -> None:
        self.answer = Answer()
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._pieces: list[bytes] = []
        self._unread = 0
        self._waiting: asyncio.Future[None] | None = None
        self._error: Exception | None = None
        self._heard_at = 0.0

    @property
    def reusable(self) -> bool:
        """Whether another request may be sent on it."""
        keeps = self.answer.keeps and self.answer.finished and self._error is None
        return keeps and self._loop.time() - self._heard_at < _IDLE_SECONDS

    async def send(self, request: Sequence[bytes]) -> Answer:
        """Sends a request and waits for the head of its answer.

        Raises:
            TransportError: The connection broke, or what came isn't HTTP.
        """
        assert self._transport is not None
        self.answer = Answer()
        self._transport.writelines(request)
        while not self.answer.status:
            await self._more()
        return self.answer

    async def read(self) -> bytes:
        """What has come of the body since; empty at its end.

        Raises:
            TransportError: As for `send`.
        """
        while not self._pieces and not self.answer.finished:
            await self._more()
        data = b"".join(self._pieces)
        self._pieces.clear()
        if self._unread > _MOST_UNREAD and self._transport is not None:
            self._transport.resume_reading()
        self._unread = 0
        return data

    async def read_within(self, patience: float, left: float) -> AsyncGenerator[bytes, None]:
        """The body as it comes.

        Args:
            patience: Seconds for which the provider may be silent.
            left: Seconds for all of it.

        Raises:
            TimeoutError: It took longer.
            TransportError: As for `send`.
        """
        self._heard_at = self._loop.time()
        until = self._heard_at + left
        timer: asyncio.TimerHandle

        # One timer for the whole body: setting one for each piece costs more than reading it.
        def look() -> None:
            nonlocal timer
            now = self._loop.time()
            due = min((self._heard_at if self._waiting else now) + patience, until)
            if due - now > _GRAIN:
                timer = self._loop.call_at(due, look)
            else:
                self._fail(TimeoutError())

        timer = self._loop.call_later(min(patience, left), look)
        try:
            while piece := await self.read():
                yield piece
        finally:
            timer.cancel()

    def close(self) -> None:
        """Hangs up at once."""
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by the loop."""
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """Called by the loop."""
        self._heard_at = self._loop.time()
        try:
            piece = self.answer.feed(data)
        except ValueError as error:
            self._fail(httpx2.RemoteProtocolError(str(error)))
            return
        if piece:
            self._pieces.append(piece)
            self._unread += len(piece)
            if self._unread > _MOST_UNREAD and self._transport is not None:
                self._transport.pause_reading()
        self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        """Called by the loop."""
        try:
            self.answer.end()
        except ValueError as error:
            exc = exc or error
        if exc:
            self._fail(httpx2.RemoteProtocolError(str(exc)))
        self._wake()

    async def _more(self) -> None:
        """Waits until something has come."""
        if self._error is None:
            self._waiting = self._loop.create_future()
            try:
                await self._waiting
            finally:
                self._waiting = None
        if self._error is not None:
            raise self._error

    def _fail(self, error: Exception) -> None:
        self._error = self._error or error
        self._wake()

    def _wake(self) -> None:
        if self._waiting and not self._waiting.done():
            self._waiting.set_result(None)


class Connections:
    """Connections to one provider.

    Args:
        url: Where it is; scheme, host and port count.
    """

    def __init__(self, url: httpx2.URL) -> None:
        self._host = url.raw_host.decode("ascii")
        self._port = url.port or (443 if url.scheme == "https" else 80)
        self._tls = httpx2.create_ssl_context() if url.scheme == "https" else None
        self._idle: list[Connection] = []
        self._places = asyncio.Semaphore(_MOST)

    async def take(self) -> Connection:
        """A connection, the one used last if one is idle; give it back.

        Raises:
            ConnectError: There is no way to the provider.
        """
        await self._places.acquire()
        try:
            while self._idle:
                connection = self._idle.pop()
                if connection.reusable:
                    return connection
                connection.close()
            loop = asyncio.get_running_loop()
            _, connection = await loop.create_connection(Connection, self._host, self._port, ssl=self._tls)
        except (OSError, ssl.SSLError) as error:
            self._places.release()
            raise httpx2.ConnectError(str(error)) from error
        except BaseException:
            self._places.release()
            raise
        return connection

    def give_back(self, connection: Connection) -> None:
        """Keeps a connection for the next request, or closes it if its answer was left early."""
        self._places.release()
        if connection.reusable:
            self._idle.append(connection)
        else:
            connection.close()

    def close(self) -> None:
        """Closes those that are idle."""
        while self._idle:
            self._idle.pop().close()
