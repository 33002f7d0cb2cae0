"""HTTP/1.1 to one server, over connections that are kept: as much of it as object storage speaks.

General clients do more, and cost more: aiohttp took 0.4 ms of CPU of every request, this takes 0.15 to 0.2. Missing on
purpose: redirects, cookies, compression, proxies, uploads in pieces. A request is sent a second time if the connection
it went out on had been closed by the server meanwhile, so requests must be idempotent.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager
from http import HTTPStatus
from urllib.parse import urlsplit

_HEAD_END = b"\r\n\r\n"
_LINE_END = b"\r\n"
_BUFFER_BYTES = 1 << 18  # head and chunk size lines must fit; more than that isn't read ahead
_PIECE_BYTES = 1 << 18
_WORTH_READING = 1 << 16  # of a body nobody wants: a new connection costs more
_BODILESS = frozenset({HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED})


class Broken(ConnectionError):
    """The server broke off, or what it says isn't HTTP."""


class Reply:
    """A server's reply, whose body is still to come.

    Attributes:
        status: Of HTTP.
        headers: By name in lower case.
    """

    def __init__(self, reader: asyncio.StreamReader, method: str, head: bytes, patience: float) -> None:
        first, *lines = head.decode("latin-1").split("\r\n")
        version, _, rest = first.partition(" ")
        status = rest[:3]
        if not (version.startswith("HTTP/1.") and status.isdecimal()):
            raise Broken("no HTTP")
        self.status = int(status)
        self.headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        self._reader = reader
        self._patience = patience
        self._chunked = self.headers.get("transfer-encoding", "").lower() == "chunked"
        length = self.headers.get("content-length", "")
        self._left: int | None = None  # bytes of the body to come; None if only the end will tell
        if method == "HEAD" or self.status in _BODILESS:
            self._left, self._chunked = 0, False
        elif not self._chunked and length.isdecimal():
            self._left = int(length)
        closes = self.headers.get("connection", "").lower() == "close" or version == "HTTP/1.0"
        self._reusable = not closes and (self._chunked or self._left is not None)

    @property
    def ok(self) -> bool:
        """Whether the server did what it was asked for."""
        return 200 <= self.status < 300

    async def pieces(self) -> AsyncIterator[bytes]:
        """The body as it comes.

        Raises:
            Broken: The server broke off.
            TimeoutError: It was silent for too long.
        """
        if self._chunked:
            self._chunked = False
            async for piece in self._chunks():
                yield piece
        while self._left != 0:
            piece = await self._read(self._left)
            if not piece and self._left is None:
                break
            if self._left is not None:
                self._left -= len(piece)
            yield piece
        self._left = 0

    async def finish(self) -> bool:
        """Skips what is left of a short body; tells whether the connection can be used again."""
        try:
            if self._reusable and self._left and self._left <= _WORTH_READING:
                async for _ in self.pieces():
                    pass
        except OSError:
            return False
        return self._reusable and self._left == 0

    async def _chunks(self) -> AsyncIterator[bytes]:
        while size := await self._chunk_size():
            while size:
                piece = await self._read(size)
                size -= len(piece)
                yield piece
            await self._line()
        while await self._line():  # trailers
            pass
        self._left = 0

    async def _chunk_size(self) -> int:
        try:
            return int((await self._line()).partition(b";")[0], 16)
        except ValueError as error:
            raise Broken("no chunk") from error

    async def _read(self, most: int | None) -> bytes:
        reusable, self._reusable = self._reusable, False  # until it has come
        async with asyncio.timeout(self._patience):
            piece = await self._reader.read(min(most or _PIECE_BYTES, _PIECE_BYTES))
        if most and not piece:
            raise Broken("cut off")
        self._reusable = reusable
        return piece

    async def _line(self) -> bytes:
        async with asyncio.timeout(self._patience):
            return (await _until(self._reader, _LINE_END)).removesuffix(_LINE_END)


async def _until(reader: asyncio.StreamReader, end: bytes) -> bytes:
    """What comes up to an end, which is included.

    Raises:
        Broken: It doesn't come.
    """
    try:
        return await reader.readuntil(end)
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError) as error:
        raise Broken("cut off") from error


class _Connection:
    """One connection: one request after the other."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @property
    def usable(self) -> bool:
        """Whether the server hasn't closed it, as far as we have heard."""
        return not (self._reader.at_eof() or self._writer.is_closing())

    async def ask(self, method: str, request: bytes, patience: float) -> Reply:
        """Sends a request and reads the head of its reply."""
        async with asyncio.timeout(patience):
            self._writer.write(request)
            await self._writer.drain()
            while True:
                head = await _until(self._reader, _HEAD_END)
                reply = Reply(self._reader, method, head.removesuffix(_HEAD_END), patience)
                if reply.status >= HTTPStatus.OK:  # before it may stand "processing" or early hints
                    return reply

    def close(self) -> None:
        """Closes it; what is under way is lost."""
        self._writer.close()


class _Exchange(AbstractAsyncContextManager[Reply]):
    """A request under way; cheaper than a generator that does the same."""

    def __init__(self, client: "HttpClient", method: str, message: bytes) -> None:
        self._client = client
        self._method = method
        self._message = message

    async def __aenter__(self) -> Reply:
        self._connection, self._reply = await self._client.ask(self._method, self._message)
        return self._reply

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        cancelled = kind is not None and not issubclass(kind, Exception)
        await self._client.settle(self._connection, self._reply, whole=not cancelled)


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
        self._host, self._port = parts.hostname or "", parts.port
        self._tls = ssl.create_default_context() if parts.scheme == "https" else None
        self._free = asyncio.Semaphore(connections)
        self._connect_seconds = connect_seconds
        self._read_seconds = read_seconds
        self._idle: list[_Connection] = []

    def request(
        self, method: str, target: str, headers: Mapping[str, str], content: bytes | None = None
    ) -> AbstractAsyncContextManager[Reply]:
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
        message = "\r\n".join([*lines, "", ""]).encode("latin-1") + (content or b"")
        return _Exchange(self, method, message)

    async def ask(self, method: str, message: bytes) -> tuple[_Connection, Reply]:
        """Sends a request on a connection, and reads the head of its reply."""
        async with asyncio.timeout(self._connect_seconds):
            await self._free.acquire()
        try:
            return await self._ask(method, message)
        except BaseException:
            self._free.release()
            raise

    async def settle(self, connection: _Connection, reply: Reply, *, whole: bool) -> None:
        """Takes a connection back when its reply isn't needed any more.

        Args:
            connection: From `ask`.
            reply: Likewise.
            whole: Whether there is time to skip what is left of it.
        """
        kept = False
        try:
            kept = whole and await reply.finish()
        finally:
            if kept:
                self._idle.append(connection)
            else:
                connection.close()
            self._free.release()

    async def _ask(self, method: str, message: bytes) -> tuple[_Connection, Reply]:
        while self._idle:
            connection = self._idle.pop()  # the one used last: the others may be closed by the server
            if connection.usable:
                try:
                    return await self._ask_on(connection, method, message)
                except ConnectionError:
                    break  # closed just now, by somebody who may not have seen the request
            connection.close()
        async with asyncio.timeout(self._connect_seconds):
            streams = await asyncio.open_connection(self._host, self._port, ssl=self._tls, limit=_BUFFER_BYTES)
        return await self._ask_on(_Connection(*streams), method, message)

    async def _ask_on(self, connection: _Connection, method: str, message: bytes) -> tuple[_Connection, Reply]:
        try:
            return connection, await connection.ask(method, message, self._read_seconds)
        except BaseException:
            connection.close()
            raise

    def close(self) -> None:
        """Closes the connections that are kept."""
        for connection in self._idle:
            connection.close()
        self._idle.clear()
