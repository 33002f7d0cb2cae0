"""What is handed over: the same over both channels, by wire and within a process."""

import asyncio
from collections.abc import AsyncGenerator
from contextvars import ContextVar
from typing import Any

from eco2.scan.v1 import scan_service_pb2 as pb
from eco2.scan.v1.scan_pb2 import Scan
from mesh.grpc.encoded import Encoded
from mesh.grpc.identity import caller
from mesh.observability.telemetry import traceparent
from tests.integration.mesh.channels.scripted import (
    ID,
    REQUEST,
    WATCH,
    Code,
    Connect,
    Scripted,
    event,
)

TRACEPARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

private: ContextVar[str] = ContextVar("private", default="")


async def test_metadata_passes_both_ways(connect: Connect) -> None:
    """Identity, language and traces travel in it; a name in Korean travels in binary."""
    seen = {}

    async def get(_: Any, context: Any) -> None:
        seen.update(context.invocation_metadata())
        await context.send_initial_metadata((("etag", "v1"),))

    async with connect(Scripted(get)) as client:
        call = client.stub.GetScan(REQUEST, metadata=(("eco2-user-id", "u1"), ("eco2-note-bin", "종이".encode())))
        assert await call == Scan()
        initial = await call.initial_metadata()
        assert (await call.code(), await call.details()) == (Code.OK, "")
    assert (seen["eco2-user-id"], seen["eco2-note-bin"]) == ("u1", "종이".encode())
    assert initial["etag"] == "v1"


async def test_neither_side_sees_what_the_other_does_with_its_message(connect: Connect) -> None:
    """Validation composes a request's text in place, servicers keep replies, callers change what they got."""
    decomposed = "\u1100\u1161\u11a8"  # one syllable, as a Mac types it
    kept, received = pb.AnswerQuestionResponse(message="kept"), []

    async def answer(request: Any) -> pb.AnswerQuestionResponse:
        received.append(request)
        return kept

    async with connect(Scripted(answer=answer)) as client:
        request = pb.AnswerQuestionRequest(scan_id=ID, reply=decomposed)
        response = await client.stub.AnswerQuestion(request)
        assert (received[0].reply, request.reply) == ("\uac01", decomposed)
        received[0].reply, response.message = "changed by the servicer", "changed by the caller"
        assert (request.reply, kept.message) == (decomposed, "kept")


async def test_neither_side_sees_what_the_other_changes_later(connect: Connect) -> None:
    """A caller fills one request again while its call is under way; a servicer goes on with what it has sent."""
    changed, update, replies = asyncio.Event(), event(), []

    async def answer(request: Any) -> pb.AnswerQuestionResponse:
        replies.append(request.reply)
        await changed.wait()
        replies.append(request.reply)
        return pb.AnswerQuestionResponse()

    async def watch() -> AsyncGenerator[pb.WatchScanResponse, None]:
        yield update
        update.scan.user_input = "changed later"
        yield update

    servicer = Scripted(answer=answer, watch=watch)
    async with connect(servicer) as client:
        request = pb.AnswerQuestionRequest(scan_id=ID, reply="first")
        call = client.stub.AnswerQuestion(request)
        await servicer.begun.wait()
        request.reply = "second"
        changed.set()
        await call
        assert replies == ["first", "first"]
        first, second = [one async for one in client.stub.WatchScan(WATCH)]
        assert (first.scan.user_input, second.scan.user_input) == ("", "changed later")


async def test_nothing_but_metadata_passes_from_caller_to_handler(connect: Connect) -> None:
    """Else a service would see another one's span, log fields or user only where both share a process."""
    seen = []

    async def get(_: Any, context: Any) -> None:
        seen.append((private.get(), traceparent()[:35], caller(context).accept_language))

    async with connect(Scripted(get)) as client:
        private.set("of the caller")
        await client.stub.GetScan(REQUEST, metadata=(("traceparent", TRACEPARENT), ("accept-language", "en")))
    assert seen == [("", TRACEPARENT[:35], "en")]


async def test_a_thousand_calls_at_once_are_answered(connect: Connect) -> None:
    """A crowd."""
    async with connect(Scripted()) as client:
        replies = await asyncio.gather(*(client.stub.GetScan(REQUEST, timeout=30) for _ in range(1000)))
    assert len(replies) == 1000


async def test_a_reply_that_is_encoded_already_is_sent_as_it_is(connect: Connect) -> None:
    """Whoever keeps replies sends the bytes that it made once, alone or in a stream."""

    async def get(*_: Any) -> Any:
        return Encoded(Scan(scan_id="kept").SerializeToString())

    async def watch() -> AsyncGenerator[Any, None]:
        yield Encoded(event(1).SerializeToString())
        yield event(2)

    async with connect(Scripted(get, watch)) as client:
        assert (await client.stub.GetScan(REQUEST)).scan_id == "kept"
        assert [one async for one in client.stub.WatchScan(WATCH)] == [event(1), event(2)]
