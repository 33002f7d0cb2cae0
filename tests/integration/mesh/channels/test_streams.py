"""Streams of replies: the same over both channels, by wire and within a process."""

import asyncio
from collections.abc import AsyncGenerator

import grpc

from eco2.scan.v1 import scan_service_pb2 as pb
from mesh.errors import NotFound
from mesh.grpc.limits import MOST_RESPONSE_BYTES
from mesh.grpc.status import DETAILS_HEADER
from mesh.reasons import Reason
from tests.integration.mesh.channels.scripted import ID, WATCH, Code, Connect, Scripted, event, failing, rest, until


async def test_a_stream_is_read_to_its_end(connect: Connect) -> None:
    """By `read`, or by iterating."""

    async def watch() -> AsyncGenerator[pb.WatchScanResponse, None]:
        for size in range(3):
            yield event(size)

    async with connect(Scripted(watch=watch)) as client:
        call = client.stub.WatchScan(WATCH)
        assert [await call.read() for _ in range(3)] == [event(0), event(1), event(2)]
        assert [await call.read() for _ in range(2)] == [grpc.aio.EOF, grpc.aio.EOF]
        assert (call.done(), await call.code()) == (True, Code.OK)
        assert [one async for one in client.stub.WatchScan(WATCH)] == [event(0), event(1), event(2)]


async def test_a_stream_that_fails_gives_what_came_before(connect: Connect) -> None:
    """What is paid for is kept."""

    async def watch() -> AsyncGenerator[pb.WatchScanResponse, None]:
        yield event(1)
        yield event(2)
        raise NotFound(Reason.SCAN_NOT_FOUND, scan_id=ID)

    async with connect(Scripted(watch=watch)) as client:
        call = client.stub.WatchScan(WATCH)
        assert [await call.read(), await call.read()] == [event(1), event(2)]
        error = await failing(call.read())
        await until(client.span_codes)
        assert client.span_codes() == ["NOT_FOUND"]
    assert error.code() is Code.NOT_FOUND
    assert DETAILS_HEADER in dict(error.trailing_metadata() or ())


async def test_a_slow_reader_holds_the_handler_back(connect: Connect) -> None:
    """Else one would fill the memory of the other."""
    sent = 0

    async def watch() -> AsyncGenerator[pb.WatchScanResponse, None]:
        nonlocal sent
        for sent in range(1, 101):  # noqa: B007
            yield event(1 << 18)

    servicer = Scripted(watch=watch)
    async with connect(servicer) as client:
        call = client.stub.WatchScan(WATCH)
        await call.read()
        await servicer.begun.wait()
        for _ in range(1000):
            await asyncio.sleep(0)
        assert sent < 50
        assert len([one async for one in rest(call)]) == 99


async def test_a_reply_of_a_stream_that_is_too_large_ends_it(connect: Connect) -> None:
    """The limit holds for each."""

    async def watch() -> AsyncGenerator[pb.WatchScanResponse, None]:
        yield event()
        yield event(MOST_RESPONSE_BYTES)

    async with connect(Scripted(watch=watch)) as client:
        call = client.stub.WatchScan(WATCH)
        assert await call.read() == event()
        assert (await failing(call.read())).code() is Code.RESOURCE_EXHAUSTED
