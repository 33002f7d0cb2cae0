"""The generator's own HTTP client, against bytes as a server may cut them."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from bench.mesh.http1 import Connection, Lost, Reply, encode

LENGTH = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
CHUNKS = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n"
EMPTY = b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n"


@asynccontextmanager
async def serving(answer: Callable[[asyncio.StreamWriter], None]) -> AsyncIterator[Connection]:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while await reader.readuntil(b"\r\n\r\n"):
                answer(writer)
        writer.close()
        gone.set()

    gone = asyncio.Event()
    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    async with server:
        connection = await Connection.open(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
        yield connection
        connection.close()
        await gone.wait()


@pytest.mark.parametrize(
    ("bytes_sent", "expected"),
    [(LENGTH, Reply(200, b"hello")), (CHUNKS, Reply(200, b"hello")), (EMPTY, Reply(404, b""))],
)
async def test_an_answer_is_the_same_however_it_is_cut(bytes_sent: bytes, expected: Reply) -> None:
    connection = Connection()
    for size in (1, 2, 7, len(bytes_sent)):
        waiting = connection._waiting = asyncio.get_running_loop().create_future()
        for start in range(0, len(bytes_sent), size):
            connection.data_received(bytes_sent[start : start + size])
        assert await waiting == expected


async def test_one_connection_carries_many_requests() -> None:
    async with serving(lambda writer: writer.write(LENGTH)) as connection:
        request = encode("GET", "/", "host", {})
        assert [await connection.send(request) for _ in range(3)] == [Reply(200, b"hello")] * 3


async def test_the_pieces_of_a_stream_are_handed_out_as_they_come() -> None:
    pieces: list[bytes] = []
    async with serving(lambda writer: writer.write(CHUNKS)) as connection:
        reply = await connection.send(encode("GET", "/", "host", {}), pieces.append)
    assert (pieces, reply) == ([b"hel", b"lo"], Reply(200, b""))


async def test_a_connection_that_closes_early_is_an_error() -> None:
    def cut(writer: asyncio.StreamWriter) -> None:
        writer.write(LENGTH[:-1])
        writer.close()

    async with serving(cut) as connection:
        with pytest.raises(Lost):
            await connection.send(encode("GET", "/", "host", {}))
