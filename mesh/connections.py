"""HTTP/1.1 connections to one server, kept alive, with no more than object storage and models need.

Missing on purpose: redirects, cookies, compression, proxies, HTTP/2, uploads in pieces.
"""

import asyncio
import ssl
from collections.abc import AsyncGenerator, Sequence
from typing import cast

from mesh.http1 import Answer

_MOST_UNREAD = 256 << 10  # then the server has to wait until somebody reads
# Shorter than servers wait, so that none is used in the moment in which they hang up.
_IDLE_SECONDS = 30.0
_GRAIN = 0.001  # of the loop's clock


class Broken(ConnectionError):
    """The server broke off, or what it says isn't HTTP/1."""


class Connection(asyncio.Protocol):
    """One connection. One request at a time: `send`, then `read` until there is nothing more.

    Attributes:
        answer: To the request sent last.
        is_new: Whether none was sent before.
    """

    def __init__(self) -> None:
        self.answer = Answer()
        self.is_new = True
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._pieces: list[bytes] = []
        self._unread = 0
        self._waiting: asyncio.Future[None] | None = None
        self._resting = False
        self._error: Exception | None = None
        self._heard_at = 0.0

    @property
    def reusable(self) -> bool:
        """Whether another request may be sent on it."""
        keeps = self.answer.keeps and self.answer.finished and self._error is None
        return keeps and self._loop.time() - self._heard_at < _IDLE_SECONDS

    async def send(self, request: Sequence[bytes], *, bodiless: bool = False) -> Answer:
        """Sends a request and waits for the head of its answer.

        Args:
            request: Its bytes, in parts.
            bodiless: Whether the answer has no body: it is a HEAD.

        Raises:
            Broken: The connection broke, or what came isn't HTTP.
        """
        assert self._transport is not None
        self._taken()  # what nobody read of the answer before
        self.is_new = False
        self.answer = Answer(bodiless=bodiless)
        self._transport.writelines(request)
        while not self.answer.status:
            await self._more()
        return self.answer

    async def read(self) -> bytes:
        """What has come of the body since; empty at its end.

        Raises:
            Broken: As for `send`.
        """
        while not self._pieces and not self.answer.finished:
            await self._more()
        return self._taken()

    async def read_within(self, patience: float, left: float, pause: float = 0.0) -> AsyncGenerator[bytes, None]:
        """The body as it comes.

        Args:
            patience: Seconds for which the server may be silent.
            left: Seconds for all of it.
            pause: Seconds in which what comes collects, between two pieces; its end doesn't wait.

        Raises:
            TimeoutError: It took longer.
            Broken: As for `send`.
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
                if pause and not self.answer.finished:
                    await self._rest(pause)
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
            self._fail(Broken(str(error)))
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
            self._fail(Broken(str(exc)))
        self._wake()

    def _taken(self) -> bytes:
        """What has come, which makes room for more."""
        data = b"".join(self._pieces)
        self._pieces.clear()
        if self._unread > _MOST_UNREAD and self._transport is not None:
            self._transport.resume_reading()
        self._unread = 0
        return data

    async def _rest(self, seconds: float) -> None:
        """Waits for the end, but no longer than so many seconds."""
        self._resting = True
        timer = self._loop.call_later(seconds, self._rested)
        try:
            await self._more()
        finally:
            timer.cancel()
            self._resting = False

    def _rested(self) -> None:
        self._resting = False
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
        if self._resting and not self.answer.finished and self._error is None:
            return
        if self._waiting and not self._waiting.done():
            self._waiting.set_result(None)


class Connections:
    """Connections to one server.

    Args:
        host: Its name or address.
        port: Its port.
        tls: How its certificate is verified; None for no TLS.
        most: Connections at once; who wants more waits.
        seconds: For a connection, a free or a new one.
    """

    def __init__(self, host: str, port: int, tls: ssl.SSLContext | None, *, most: int, seconds: float) -> None:
        self._host = host
        self._port = port
        self._tls = tls
        self._seconds = seconds
        self._idle: list[Connection] = []
        self._places = asyncio.Semaphore(most)

    async def take(self) -> Connection:
        """A connection, the one used last if one is idle; give it back.

        Raises:
            OSError: There is no way to the server, not in time (TimeoutError), or its certificate isn't trusted.
        """
        if not self._places.locked():
            await self._places.acquire()  # at once
        else:
            async with asyncio.timeout(self._seconds):
                await self._places.acquire()
        while self._idle:
            connection = self._idle.pop()
            if connection.reusable:
                return connection
            connection.close()
        try:
            async with asyncio.timeout(self._seconds):
                loop = asyncio.get_running_loop()
                _, connection = await loop.create_connection(Connection, self._host, self._port, ssl=self._tls)
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
