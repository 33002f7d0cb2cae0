"""How the one load generator speaks to the peer: its paths, and its words for how a scan ended."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from bench.mesh.http1 import Connection
from bench.mesh.users import version_of
from bench.peer.targets import PeerPhone

RUNNING = b'{"job_id":"1","stage":"answer","progress":70,"version":10002,"draft":"\\"stage\\":\\"done\\""}'
DONE = b'{"job_id":"1","stage":"done","progress":100,"result":{"stage":"answer"}}'
REPLIES = {
    "POST /api/v1/scan": ("application/json", b'{"task_id":"1","status":"processing"}'),
    "GET /api/v1/waste/status/1": ("application/json", DONE),
    "GET /api/v1/scan/1/progress": (
        "text/event-stream",
        b"data: " + RUNNING + b"\n\n: ping\n\ndata: " + DONE + b"\n\n",
    ),
}


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answers as uvicorn does, and refuses who doesn't sign in."""
    while head := (await reader.readuntil(b"\r\n\r\n")).decode():
        length = next((int(line[16:]) for line in head.split("\r\n") if line.startswith("content-length: ")), 0)
        await reader.readexactly(length)
        kind, body = REPLIES[head.partition(" HTTP/1.1")[0]]
        status = "200 OK" if "authorization: Bearer token" in head else "401 Unauthorized"
        writer.write(f"HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ntransfer-encoding: chunked\r\n\r\n".encode())
        writer.write(b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body))


@pytest.fixture
async def phone() -> AsyncIterator[PeerPhone]:
    hung_up = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError):
            await _answer(reader, writer)
        writer.close()
        await writer.wait_closed()
        hung_up.set()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        phone = PeerPhone(await Connection.open(url), "peer", "token")
        yield phone
        phone.close()
        await hung_up.wait()


async def test_a_scan_is_created_watched_and_read(phone: PeerPhone) -> None:
    events: list[bytes] = []
    scan_id = await phone.create(image_url="https://cdn.example/1.jpg")
    await phone.watch(scan_id, events.append)
    assert [phone.state(event) for event in events] == ["", "SUCCEEDED"]
    assert version_of(events[0]) == 10002
    assert phone.state(await phone.read(phone.reading(scan_id))) == "SUCCEEDED"


def test_a_failed_scan_is_told_from_one_that_runs() -> None:
    phone = PeerPhone(Connection(), "peer", "token")
    assert phone.state(b'{"job_id":"1","stage":"failed","progress":-1,"error":"budget spent"}') == "FAILED"
    assert phone.state(b'{"job_id":"1","stage":"queued","progress":0}') == ""
    assert phone.state(b"{}") == ""
