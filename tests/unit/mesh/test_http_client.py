"""The HTTP client of object storage, against servers as they may behave."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from mesh.connections import Broken
from mesh.http_client import HttpClient

_LENGTH = b'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nETag: "x"\r\n\r\nhello'
_CHUNKS = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2;x=y\r\nlo\r\n0\r\nTrailer: x\r\n\r\n"
_CLOSED = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhello"
_OLD = b"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello"
_HINTED = b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + _LENGTH
_HANG_UP = b"hang up"  # instead of a reply
_MISSING = b"HTTP/1.1 404 Not Found\r\nContent-Length: 5\r\n\r\nhello"


@dataclass
class Server:
    """What a server saw."""

    port: int = 0
    connections: int = 0
    requests: list[bytes] = field(default_factory=list)


@asynccontextmanager
async def _serving(*replies: bytes) -> AsyncIterator[tuple[Server, HttpClient]]:
    """A server that gives these replies in turn, and closes the connection where one says so; and its client."""
    server, turn = Server(), iter(replies)
    handlers: set[asyncio.Task[None]] = set()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        handlers.add(asyncio.current_task())
        server.connections += 1
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                server.requests.append(head)
                if (reply := next(turn)) == _HANG_UP:
                    break
                writer.write(reply)
                if b"close" in reply or b"HTTP/1.0" in reply:
                    break
        writer.close()

    async with await asyncio.start_server(handle, "127.0.0.1", 0) as listening:
        server.port = listening.sockets[0].getsockname()[1]
        client = HttpClient(f"http://127.0.0.1:{server.port}", connections=2, connect_seconds=1, read_seconds=0.2)
        yield server, client
        client.close()
        listening.close()
        await asyncio.gather(*handlers)


async def _get(client: HttpClient, method: str = "GET") -> tuple[int, bytes]:
    async with client.request(method, "/path", {"host": "example.com"}) as reply:
        return reply.status, b"".join([piece async for piece in reply.pieces()])


@pytest.mark.parametrize("reply", [_LENGTH, _CHUNKS, _CLOSED, _OLD, _HINTED])
async def test_a_body_is_whole_however_its_end_is_told(reply: bytes) -> None:
    """By length, by chunks, or by the end of the connection; and the next request isn't spoilt by it."""
    async with _serving(reply, reply) as (_, client):
        assert await _get(client) == (200, b"hello")
        assert await _get(client) == (200, b"hello")


async def test_a_connection_is_kept() -> None:
    """After whole bodies, after a HEAD, and after short bodies that nobody read."""
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 5000000\r\n\r\n"
    async with _serving(_LENGTH, head, _CHUNKS, _MISSING, _LENGTH) as (server, client):
        assert await _get(client) == (200, b"hello")
        assert await _get(client, "HEAD") == (200, b"")
        assert await _get(client) == (200, b"hello")
        with contextlib.suppress(LookupError):
            async with client.request("GET", "/", {}) as reply:
                assert not reply.ok
                raise LookupError
        assert await _get(client) == (200, b"hello")
    assert server.connections == 1


async def test_a_long_body_that_is_left_unread_is_not_loaded() -> None:
    """A photo that is known already may have 20 MiB."""
    long = b"HTTP/1.1 200 OK\r\nContent-Length: 5000000\r\n\r\nthe beginning"
    async with _serving(long, _LENGTH) as (server, client):
        async with client.request("GET", "/", {}) as reply:
            assert reply.headers["content-length"] == "5000000"
        assert await _get(client) == (200, b"hello")
    assert server.connections == 2


async def test_what_is_sent_is_what_was_given() -> None:
    """Signed headers must arrive as they were signed."""
    async with _serving(_LENGTH) as (server, client):
        headers = {"host": "example.com", "x-amz-date": "now"}
        async with client.request("PUT", "/a%20b", headers, b"12"):
            pass
    expected = b"PUT /a%20b HTTP/1.1\r\nhost: example.com\r\nx-amz-date: now\r\ncontent-length: 2\r\n\r\n"
    assert server.requests == [expected]


async def test_a_connection_the_server_closed_costs_no_request() -> None:
    """Servers close what is idle; the request that finds out goes out again, once, on a new connection."""
    async with _serving(_LENGTH, _HANG_UP, _LENGTH, _HANG_UP, _HANG_UP, _LENGTH) as (server, client):
        assert await _get(client) == (200, b"hello")
        assert await _get(client) == (200, b"hello")
        with pytest.raises(Broken):
            await _get(client)
    assert (server.connections, len(server.requests)) == (3, 5)


@pytest.mark.parametrize(
    "reply",
    [
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 10\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhe",
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nconnection: close\r\n",
        b"close\r\n\r\n",
    ],
)
async def test_a_reply_that_is_cut_off_or_no_http_is_an_error(reply: bytes) -> None:
    """Half a photo must not be taken for a whole one."""
    async with _serving(reply) as (_, client):
        with pytest.raises(Broken):
            await _get(client)


@pytest.mark.parametrize("reply", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello"])
async def test_silence_is_not_borne_for_ever(reply: bytes) -> None:
    """Before the head, and in the middle of a body; afterwards the connection isn't used again."""
    async with _serving(reply, _LENGTH) as (server, client):
        with pytest.raises(TimeoutError):
            await _get(client)
        assert await _get(client) == (200, b"hello")
    assert server.connections == 2


async def test_nobody_there_is_an_error(unused_tcp_port: int) -> None:
    """As a store that is down."""
    client = HttpClient(f"http://127.0.0.1:{unused_tcp_port}", connections=1, connect_seconds=1, read_seconds=1)
    with pytest.raises(ConnectionRefusedError):
        await _get(client)


async def test_requests_beyond_the_limit_wait_for_a_connection() -> None:
    """Two are under way; the third gets the connection of the first that ends, or gives up in time."""
    async with _serving(_LENGTH, _LENGTH, _LENGTH) as (server, client):
        async with client.request("GET", "/1", {}), client.request("GET", "/2", {}):
            waiting = asyncio.create_task(_get(client))
            await asyncio.sleep(0)
            assert len(server.requests) <= 2
        assert await waiting == (200, b"hello")
    assert (len(server.requests), server.connections) == (3, 2)


async def test_a_request_that_is_given_up_gives_its_place_back() -> None:
    """A caller's deadline mustn't use up the connections."""
    async with _serving(*[b""] * 5) as (_, client):
        for _ in range(5):
            asking = asyncio.create_task(_get(client))
            await asyncio.sleep(0.01)
            asking.cancel()
            with pytest.raises(asyncio.CancelledError):
                await asking
