"""What spans and durations tell of a call: the code its caller sees, however it ends, over both channels."""

import asyncio
import re
from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack, aclosing, suppress
from typing import Any

import grpc
import pytest

from eco2.scan.v1 import scan_service_pb2 as pb
from eco2.scan.v1.scan_pb2 import Scan
from mesh.errors import EcoError
from mesh.grpc.client import Peer
from mesh.grpc.limits import MOST_RESPONSE_BYTES
from mesh.reasons import Reason
from tests.integration.mesh.channels.scripted import (
    REQUEST,
    WATCH,
    Connect,
    Connected,
    Scripted,
    event,
    never,
    until,
)

# How a handler ends by itself, and the code that its caller sees.
ENDS: dict[str, tuple[Callable[[], object], str]] = {
    "ok": (lambda: None, "OK"),
    "uncaught": (lambda: 1 / 0, "INTERNAL"),
    "unwritable": (lambda: object(), "INTERNAL"),
    "too long": (lambda: MOST_RESPONSE_BYTES, "RESOURCE_EXHAUSTED"),
}
# Each kind of error, and its code: "NotFound" is NOT_FOUND.
_KINDS = [kind for kind in EcoError.__subclasses__() if kind.__module__ == "mesh.errors"]


def raising(kind: type[EcoError]) -> Callable[[], object]:
    """What raises an error of a kind."""

    def end() -> None:
        raise kind(Reason.INTERNAL)

    return end


ENDS |= {kind.__name__: (raising(kind), re.sub("(?<!^)(?=[A-Z])", "_", kind.__name__).upper()) for kind in _KINDS}


def unary(client: Connected, **options: Any) -> Any:
    """A call with one reply."""
    return client.stub.GetScan(REQUEST, **options)


def stream(client: Connected, **options: Any) -> Any:
    """A call with a stream, as a task that reads it to its end."""
    return client.stub.WatchScan(WATCH, **options)


async def code_of(call: Any) -> str:
    """Waits for the end of a call; how its caller sees it."""
    with suppress(grpc.aio.AioRpcError, asyncio.CancelledError):
        if isinstance(call, grpc.aio.UnaryStreamCall):
            while await call.read() is not grpc.aio.EOF:
                pass
        else:
            await call
    code: grpc.StatusCode = await call.code()
    return code.name


def ending(how: Callable[[], object]) -> Scripted:
    """A servicer that ends so, whatever it is asked."""

    async def get(*_: Any) -> Any:
        found = how()
        return Scan(user_input="x" * found) if isinstance(found, int) else found

    async def watch() -> AsyncGenerator[Any, None]:
        yield event()
        if (found := how()) is not None:
            yield event(found) if isinstance(found, int) else found

    return Scripted(get, watch)


def waiting() -> Scripted:
    """A servicer that never ends."""

    async def watch() -> AsyncGenerator[pb.WatchScanResponse, None]:
        yield event()
        await never()

    return Scripted(never, watch)


async def told(client: Connected) -> tuple[list[str], list[str]]:
    """The codes of the one call's span and duration."""
    await until(client.span_codes)
    return client.span_codes(), client.duration_codes()


@pytest.mark.parametrize("begin", [unary, stream])
@pytest.mark.parametrize("end", ENDS)
async def test_an_end_is_told_as_the_caller_sees_it(connect: Connect, begin: Any, end: str) -> None:
    """Whatever a handler returns or raises."""
    how, code = ENDS[end]
    async with connect(ending(how)) as client:
        assert await code_of(begin(client)) == code
        assert await told(client) == ([code], [code])


@pytest.mark.parametrize("begin", [unary, stream])
async def test_a_deadline_is_told_as_the_caller_sees_it(connect: Connect, begin: Any) -> None:
    """The caller's own comes first, and reaches the handler as a cancellation."""
    async with connect(waiting()) as client:
        assert await code_of(begin(client, timeout=0.3)) == "DEADLINE_EXCEEDED"
        assert await told(client) == (["DEADLINE_EXCEEDED"], ["DEADLINE_EXCEEDED"])


@pytest.mark.parametrize("begin", [unary, stream])
async def test_a_caller_that_leaves_is_told_as_one(connect: Connect, begin: Any) -> None:
    """By cancelling, long before its deadline."""
    servicer = waiting()
    async with connect(servicer) as client:
        call = begin(client, timeout=30)
        reading = asyncio.create_task(code_of(call))
        await servicer.begun.wait()
        call.cancel()
        assert await reading == "CANCELLED"
        assert await told(client) == (["CANCELLED"], ["CANCELLED"])


@pytest.mark.parametrize("begin", [unary, stream])
async def test_a_caller_that_is_gone_is_told_as_one(connect: Connect, begin: Any) -> None:
    """Its connection is, and its calls with it."""
    servicer = waiting()
    async with connect(servicer) as client:
        reading = asyncio.create_task(code_of(begin(client)))
        await servicer.begun.wait()
        await client.channel.close()
        assert await reading == "CANCELLED"
        assert await told(client) == (["CANCELLED"], ["CANCELLED"])


@pytest.mark.parametrize("begin", [unary, stream])
async def test_a_server_that_stops_tells_what_its_callers_see(connect: Connect, begin: Any) -> None:
    """They may ask another one, which a caller's own cancellation doesn't mean."""
    servicer = waiting()
    async with AsyncExitStack() as outlives:
        async with connect(servicer, grace=0.1, outlived_by=outlives) as client:
            reading = asyncio.create_task(code_of(begin(client)))
            await servicer.begun.wait()
        assert await reading == "UNAVAILABLE"
        assert await told(client) == (["UNAVAILABLE"], ["UNAVAILABLE"])


class Finishing(Scripted):
    """Says two things, the second of which it says to be the last, and takes its time to end."""

    async def WatchScan(self, request: pb.WatchScanRequest, context: Any) -> AsyncGenerator[pb.WatchScanResponse, None]:
        yield pb.WatchScanResponse(type=pb.WatchScanResponse.TYPE_HEARTBEAT)
        await self.drained.wait()
        context.last()
        yield event()
        for _ in range(20):
            await asyncio.sleep(0)


@pytest.mark.parametrize(("replies", "code"), [(1, "CANCELLED"), (2, "OK")])
async def test_whoever_hangs_up_after_the_last_message_has_had_everything(
    connect: Connect, replies: int, code: str
) -> None:
    """A browser closes its stream as soon as it has read that the scan has ended."""
    servicer = Finishing()
    async with connect(servicer) as client:
        call = client.stub.WatchScan(WATCH)
        for number in range(replies):
            await call.read()
            if number + 1 < replies:
                servicer.drained.set()
        call.cancel()
        assert await told(client) == ([code], [code])


async def test_a_peer_that_has_said_its_last_is_let_end(connect: Connect) -> None:
    """Services take the message that they wait for and leave: the peer still says that all went well."""

    async def watch() -> AsyncGenerator[pb.WatchScanResponse, None]:
        yield pb.WatchScanResponse(type=pb.WatchScanResponse.TYPE_HEARTBEAT)
        yield event()
        for _ in range(20):
            await asyncio.sleep(0)

    async with connect(Scripted(watch=watch)) as client:
        async with aclosing(Peer("scan").stream(client.stub.WatchScan, WATCH, timeout=30, last="scan")) as events:
            async for one in events:
                if one.HasField("scan"):
                    break
        assert await told(client) == (["OK"], ["OK"])


@pytest.mark.parametrize("then", ["fails", "stays"])
async def test_what_a_peer_said_last_is_kept_whatever_comes_after(
    connect: Connect, then: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was paid for."""
    monkeypatch.setattr("mesh.grpc.client._END_SECONDS", 0.1)

    async def watch() -> AsyncGenerator[pb.WatchScanResponse, None]:
        yield event()
        if then == "stays":
            await never()
        raise ZeroDivisionError

    async with connect(Scripted(watch=watch)) as client:
        stream = Peer("scan").stream(client.stub.WatchScan, WATCH, timeout=30, last="scan")
        assert [one async for one in stream] == [event()]
