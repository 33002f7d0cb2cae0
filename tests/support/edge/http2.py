"""HTTP/2 as no client library speaks it: on a connection of one's own, with every frame and header at hand."""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import (
    ConnectionTerminated,
    DataReceived,
    Event,
    ResponseReceived,
    StreamEnded,
    StreamReset,
    TrailersReceived,
)

Headers = Iterable[tuple[str, str]]


@dataclass(slots=True)
class Response:
    """What came of one request.

    Attributes:
        status: HTTP status; 0 if the stream was reset.
        headers: Its headers and trailers.
        body: Its body.
    """

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytearray = field(default_factory=bytearray)


class Connection:
    """One connection. Nothing is checked before it is sent, and no window is opened again by itself.

    Args:
        reader: What the edge sends.
        writer: Where to send.
    """

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self.h2 = H2Connection(
            H2Configuration(
                header_encoding="utf-8",
                validate_outbound_headers=False,
                normalize_outbound_headers=False,
                validate_inbound_headers=False,
            )
        )

    async def send(self) -> None:
        """Sends what was asked of `h2`."""
        self._writer.write(self.h2.data_to_send())
        await self._writer.drain()

    def write(self, data: bytes) -> None:
        """Sends bytes as they are."""
        self._writer.write(data)

    async def events(self) -> AsyncIterator[Event]:
        """What the edge does, until it closes the connection."""
        while data := await self._reader.read(1 << 16):
            for event in self.h2.receive_data(data):
                yield event
                if isinstance(event, ConnectionTerminated):
                    return
            await self.send()  # acknowledgements


@asynccontextmanager
async def connected(port: int, receive_buffer: int | None = None) -> AsyncIterator[Connection]:
    """A connection with its preface sent; on request with so many bytes of room for what nobody reads."""
    own = socket.socket()
    own.setblocking(False)
    if receive_buffer:
        own.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    try:
        await asyncio.get_running_loop().sock_connect(own, ("127.0.0.1", port))
        reader, writer = await asyncio.open_connection(sock=own)
    except BaseException:
        own.close()
        raise
    connection = Connection(reader, writer)
    connection.h2.initiate_connection()
    await connection.send()
    try:
        yield connection
    finally:
        writer.close()


async def get(port: int, path: str, headers: Mapping[str, str]) -> Response:
    """One GET request, on a connection of its own."""
    own = [(":method", "GET"), (":scheme", "http"), (":authority", "edge"), (":path", path)]
    return await _call(port, [*own, *headers.items()], None, ())


async def call(port: int, headers: Headers, body: bytes, trailers: Headers) -> Response:
    """One request with a body, and trailers if there are any, on a connection of its own.

    Raises:
        TimeoutError: Neither response nor reset came within ten seconds.
    """
    return await _call(port, headers, body, trailers)


async def exchange(connection: Connection, requests: Sequence[tuple[Headers, bytes]]) -> list[Response]:
    """Requests all at once, on streams of one connection: a hundred at most, as the edge allows.

    Raises:
        TimeoutError: Something neither was answered nor reset within ten seconds.
    """
    open_streams: dict[int, Response] = {}
    for headers, body in requests:
        stream = connection.h2.get_next_available_stream_id()
        connection.h2.send_headers(stream, list(headers), end_stream=not body)
        if body:
            connection.h2.send_data(stream, body, end_stream=True)
        open_streams[stream] = Response()
    responses = list(open_streams.values())
    async with asyncio.timeout(10):
        await connection.send()
        async for event in connection.events():
            _note(event, open_streams)
            if isinstance(event, DataReceived) and event.flow_controlled_length:
                connection.h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id or 0)
            if not open_streams:
                break
    return responses


def _note(event: Event, open_streams: dict[int, Response]) -> None:
    response = open_streams.get(getattr(event, "stream_id", None) or 0)
    if response is None:
        return
    if isinstance(event, ResponseReceived | TrailersReceived):
        response.headers |= {str(name): str(value) for name, value in event.headers or ()}
        response.status = int(response.headers[":status"])
    elif isinstance(event, DataReceived):
        response.body += event.data or b""
    elif isinstance(event, StreamEnded | StreamReset):
        del open_streams[event.stream_id or 0]


async def _call(port: int, headers: Headers, body: bytes | None, trailers: Headers) -> Response:
    response = Response()
    async with connected(port) as connection, asyncio.timeout(10):
        stream = connection.h2.get_next_available_stream_id()
        connection.h2.send_headers(stream, list(headers), end_stream=body is None)
        if body is not None:
            connection.h2.send_data(stream, body, end_stream=not trailers)
        if trailers:
            connection.h2.send_headers(stream, list(trailers), end_stream=True)
        await connection.send()
        async for event in connection.events():
            if isinstance(event, ResponseReceived):
                response.status = int(next(str(value) for name, value in event.headers or () if str(name) == ":status"))
            elif isinstance(event, DataReceived):
                response.body += event.data or b""
            if isinstance(event, StreamEnded | StreamReset | ConnectionTerminated):
                break
    return response
