"""A keep-alive HTTP/1.1 connection that costs the generator next to nothing: about 40 us of CPU a request.

A benchmark on two cores pays for its own client; a general one would take as much as the server that is measured. This
one knows what Envoy sends (Content-Length or chunks) and sends one request at a time.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Self, cast
from urllib.parse import urlsplit

_HEAD_END = b"\r\n\r\n"
_CONNECT_SECONDS = 10.0

Piece = Callable[[bytes], None]


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer; the body is empty if its pieces were handed out as they came."""

    status: int
    body: bytes


class Lost(ConnectionError):
    """The server closed the connection before the answer was complete."""


def encode(method: str, path: str, host: str, headers: dict[str, str], body: bytes = b"") -> bytes:
    """A whole request as it goes over the wire; make it once if it is sent often."""
    lines = [f"{method} {path} HTTP/1.1", f"host: {host}", *(f"{name}: {value}" for name, value in headers.items())]
    if method in ("POST", "PUT"):
        lines.append(f"content-length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode() + body


class Connection(asyncio.Protocol):
    """One connection. Use `open`, then `send` one request after the other."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._buffer = b""
        self._waiting: asyncio.Future[Reply] | None = None
        self._each: Piece | None = None
        self._pieces: list[bytes] = []
        self._status = 0
        self._left: int | None = None  # bytes of the body to come; None while the head is, or in chunks
        self._chunked = False

    @classmethod
    async def open(cls, url: str) -> Self:
        """Connects to the server of a URL.

        Raises:
            OSError: It can't be reached.
        """
        host, _, port = urlsplit(url).netloc.rpartition(":")
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(_CONNECT_SECONDS):
            _, connection = await loop.create_connection(cls, host, int(port))
        return connection

    async def send(self, request: bytes, each: Piece | None = None) -> Reply:
        """Sends a request and waits for the whole answer.

        Args:
            request: As `encode` makes it.
            each: Gets the body's pieces as they arrive, for answers that are streams.

        Raises:
            Lost: The connection was closed instead.
        """
        if self.closed:
            raise Lost
        assert self._transport is not None
        assert self._waiting is None, "one request at a time"
        self._each = each
        self._waiting = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        try:
            return await self._waiting
        finally:
            self._waiting = None

    @property
    def closed(self) -> bool:
        """Whether it is of no more use."""
        return self._transport is None or self._transport.is_closing()

    def close(self) -> None:
        """Hangs up."""
        if self._transport is not None:
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by the event loop."""
        self._transport = cast(asyncio.Transport, transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """Called by the event loop."""
        if self._waiting and not self._waiting.done():
            self._waiting.set_exception(Lost(str(exc or "closed")))

    def data_received(self, data: bytes) -> None:
        """Called by the event loop."""
        self._buffer += data
        while self._advance():
            pass

    def _advance(self) -> bool:
        """Takes one head, chunk or body out of the buffer; False when there is none."""
        if not self._status:
            return self._take_head()
        if self._chunked:
            return self._take_chunk()
        assert self._left is not None
        if len(self._buffer) < self._left:
            return False
        body, self._buffer = self._buffer[: self._left], self._buffer[self._left :]
        if body:
            self._deliver(body)
        self._finish()
        return bool(self._buffer)

    def _take_head(self) -> bool:
        head, found, rest = self._buffer.partition(_HEAD_END)
        if not found:
            return False
        self._buffer = rest
        self._status = int(head[9:12])
        lowered = head.lower()
        self._chunked = b"\r\ntransfer-encoding: chunked" in lowered
        _, _, length = lowered.partition(b"\r\ncontent-length: ")
        self._left = int(length.partition(b"\r\n")[0] or 0)
        return True

    def _take_chunk(self) -> bool:
        size_line, found, rest = self._buffer.partition(b"\r\n")
        if not found:
            return False
        size = int(size_line, 16)
        if len(rest) < size + 2:
            return False
        self._buffer = rest[size + 2 :]
        if size:
            self._deliver(rest[:size])
        else:
            self._finish()
        return bool(self._buffer)

    def _deliver(self, piece: bytes) -> None:
        if self._each and self._status == 200:
            self._each(piece)
        else:
            self._pieces.append(piece)

    def _finish(self) -> None:
        reply = Reply(self._status, b"".join(self._pieces))
        self._pieces, self._status, self._left, self._chunked = [], 0, None, False
        if self._waiting and not self._waiting.done():
            self._waiting.set_result(reply)
