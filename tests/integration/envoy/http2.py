"""HTTP/2 by hand, for what no client library sends."""

import asyncio
from collections.abc import Iterable

_DATA, _HEADERS, _SETTINGS = 0, 1, 4
_END_STREAM, _ACK, _END_HEADERS = 1, 1, 4
_STREAM = 1

Headers = Iterable[tuple[str, str]]


async def call(port: int, headers: Headers, body: bytes, trailers: Headers) -> None:
    """One request with trailers, on a connection of its own, until the response or its reset.

    Raises:
        TimeoutError: Neither came within ten seconds.
    """
    async with asyncio.timeout(10):
        await _call(port, headers, body, trailers)


async def _call(port: int, headers: Headers, body: bytes, trailers: Headers) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + _frame(_SETTINGS, 0, 0))
    writer.write(_frame(_HEADERS, _END_HEADERS, _STREAM, _packed(headers)))
    writer.write(_frame(_DATA, 0, _STREAM, body))
    writer.write(_frame(_HEADERS, _END_HEADERS | _END_STREAM, _STREAM, _packed(trailers)))
    ended = False
    while not ended:
        head = await reader.readexactly(9)
        length, kind, flags, stream = int.from_bytes(head[:3]), head[3], head[4], int.from_bytes(head[5:])
        await reader.readexactly(length)
        if kind == _SETTINGS and not flags:
            writer.write(_frame(_SETTINGS, _ACK, 0))
        ended = stream == _STREAM and bool(flags & _END_STREAM or kind not in (_DATA, _HEADERS))
    writer.close()
    await writer.wait_closed()


def _frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    return len(payload).to_bytes(3) + bytes([kind, flags]) + stream.to_bytes(4) + payload


def _packed(headers: Headers) -> bytes:
    """HPACK without table or Huffman code: each name and value as it is."""
    return b"".join(b"\x00" + _string(name.encode()) + _string(value.encode()) for name, value in headers)


def _string(text: bytes) -> bytes:
    """A length with a prefix of seven bits, and the bytes."""
    if len(text) < 127:
        return bytes([len(text)]) + text
    length, rest = b"\x7f", len(text) - 127
    while rest >= 128:
        length, rest = length + bytes([rest % 128 | 128]), rest // 128
    return length + bytes([rest]) + text
