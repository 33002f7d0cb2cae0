"""One contract for both channels between services: by wire, and within a process."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

import grpc
import pytest
from google.rpc import error_details_pb2, status_pb2
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from eco2.scan.v1 import scan_service_pb2 as pb
from eco2.scan.v1 import scan_service_pb2_grpc
from eco2.scan.v1.scan_pb2 import Scan
from mesh.errors import NotFound, Unavailable
from mesh.grpc.client import IN_PROCESS, Peer, open_channel
from mesh.grpc.health import Probe
from mesh.grpc.host import Host, hosting
from mesh.grpc.identity import caller
from mesh.grpc.limits import MOST_RESPONSE_BYTES, CallLimit
from mesh.grpc.server import Service, serving
from mesh.grpc.status import DETAILS_HEADER
from mesh.observability.telemetry import Telemetry, traceparent
from mesh.reasons import Reason
from mesh.settings import ServiceSettings

NAME = "eco2.scan.v1.ScanService"
ID = "0197a000-0000-7000-8000-000000000000"
REQUEST = pb.GetScanRequest(scan_id=ID)
WATCH = pb.WatchScanRequest(scan_id=ID)
TRACEPARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
Code = grpc.StatusCode

private: ContextVar[str] = ContextVar("private", default="")


@dataclass
class Scripted(scan_service_pb2_grpc.ScanServiceServicer):
    """Does what the test says, and tells what became of it."""

    get: Callable[[Any, Any], Awaitable[Scan | None]] | None = None
    watch: Callable[[], AsyncGenerator[pb.WatchScanResponse, None]] | None = None
    answer: Callable[[Any], Awaitable[pb.AnswerQuestionResponse]] | None = None
    calls: int = 0
    begun: asyncio.Event = field(default_factory=asyncio.Event)
    cancelled: asyncio.Event = field(default_factory=asyncio.Event)
    drained: asyncio.Event = field(default_factory=asyncio.Event)

    async def GetScan(self, request: pb.GetScanRequest, context: Any) -> Scan:
        self.calls += 1
        self.begun.set()
        try:
            return (await self.get(request, context) if self.get else None) or Scan()
        except asyncio.CancelledError:
            self.cancelled.set()
            raise

    async def AnswerQuestion(self, request: pb.AnswerQuestionRequest, context: Any) -> pb.AnswerQuestionResponse:
        assert self.answer
        self.begun.set()
        return await self.answer(request)

    async def WatchScan(self, request: pb.WatchScanRequest, context: Any) -> AsyncIterator[pb.WatchScanResponse]:
        assert self.watch
        try:
            async with aclosing(self.watch()) as events:
                async for event in events:
                    yield event
                    self.begun.set()
        except (asyncio.CancelledError, GeneratorExit):
            self.cancelled.set()
            raise


@dataclass
class Connected:
    """A client of a scripted servicer."""

    channel: grpc.aio.Channel
    stub: Any
    spans: InMemorySpanExporter
    host: Host

    def span_codes(self) -> list[Any]:
        """The codes of the handlers that have ended."""
        return [(span.attributes or {})["rpc.response.status_code"] for span in self.spans.get_finished_spans()]


Connect = Callable[..., Any]


@pytest.fixture(params=["wire", "in-process"])
def connect(request: pytest.FixtureRequest) -> Connect:
    """Starts a server around a servicer, and gives its client over one of the channels."""
    in_process = request.param == "in-process"

    @asynccontextmanager
    async def connected(
        servicer: Scripted,
        *,
        retried: Sequence[str] = (),
        dependencies: dict[str, Probe] | None = None,
        grace: float = 2.0,
        calls: CallLimit | None = None,
        outlived_by: AsyncExitStack | None = None,
    ) -> AsyncIterator[Connected]:
        spans, tracers = InMemorySpanExporter(), TracerProvider()
        tracers.add_span_processor(SimpleSpanProcessor(spans))
        meter = MeterProvider().get_meter("test")
        telemetry = Telemetry(tracers.get_tracer("test"), meter, meter.create_histogram("duration"), exporting=True)
        service = Service(NAME, scan_service_pb2_grpc.add_ScanServiceServicer_to_server, servicer)
        settings = ServiceSettings(drain_seconds=0, grace_seconds=grace)
        # The client outlives the server: what it is told last must reach it.
        async with (
            asyncio.timeout(30),
            AsyncExitStack() as own,
            hosting(settings) as host,
            serving(
                settings,
                [service],
                telemetry=telemetry,
                dependencies=dependencies or {},
                drains=[servicer.drained.set],
                calls=calls,
                host=host,
            ),
        ):
            await host.start()
            target = IN_PROCESS if in_process else f"127.0.0.1:{host.port}"
            channel = await (outlived_by if outlived_by is not None else own).enter_async_context(
                open_channel(target, NAME, retried, host)
            )
            yield Connected(channel, scan_service_pb2_grpc.ScanServiceStub(channel), spans, host)

    return connected


async def failing(awaitable: Awaitable[Any]) -> grpc.aio.AioRpcError:
    """The error of a call that must fail."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await awaitable
    return caught.value


def event(size: int = 0) -> pb.WatchScanResponse:
    """An event of a watch, of about so many bytes."""
    return pb.WatchScanResponse(type=pb.WatchScanResponse.TYPE_SNAPSHOT, scan=Scan(user_input="x" * size))


async def never(*_: Any) -> None:
    await asyncio.Event().wait()


# What is handed over.


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


# How calls end.


async def test_an_error_has_code_text_details_and_trailing_metadata(connect: Connect) -> None:
    """Callers decide by reason and wait by RetryInfo."""

    async def get(*_: Any) -> None:
        raise Unavailable(Reason.UNAVAILABLE, peer="postgres", retry_after=1.5)

    async with connect(Scripted(get)) as client:
        error = await failing(client.stub.GetScan(REQUEST))
        assert client.span_codes() == ["UNAVAILABLE"]
    trailing = dict(error.trailing_metadata() or ())
    status = status_pb2.Status.FromString(trailing[DETAILS_HEADER])
    info = error_details_pb2.ErrorInfo()
    assert status.details[0].Unpack(info)
    assert (error.code(), error.details(), info.reason) == (Code.UNAVAILABLE, status.message, Reason.UNAVAILABLE)
    assert trailing["retry-after"] == "2"


@pytest.mark.parametrize(
    ("request_", "code"),
    [(pb.GetScanRequest(scan_id="../etc"), Code.INVALID_ARGUMENT), (pb.GetScanRequest(), Code.INVALID_ARGUMENT)],
)
async def test_a_request_against_the_rules_is_refused(connect: Connect, request_: Any, code: grpc.StatusCode) -> None:
    """Servicers rely on the rules in the protos, whoever calls."""
    servicer = Scripted()
    async with connect(servicer) as client:
        assert (await failing(client.stub.GetScan(request_))).code() is code
    assert servicer.calls == 0


async def test_what_isnt_a_message_is_refused(connect: Connect) -> None:
    """Over both a caller may send any bytes."""
    async with connect(Scripted()) as client:
        error = await failing(client.channel.unary_unary(f"/{NAME}/GetScan")(b"\xff\xff"))
    assert error.code() is Code.INVALID_ARGUMENT


async def test_an_unexpected_exception_is_internal(connect: Connect) -> None:
    """And shows nothing."""

    async def get(*_: Any) -> None:
        raise RuntimeError("password=hunter2")

    async with connect(Scripted(get)) as client:
        error = await failing(client.stub.GetScan(REQUEST))
    assert error.code() is Code.INTERNAL
    assert "hunter2" not in str(error)


async def test_a_method_that_isnt_there_is_unimplemented(connect: Connect) -> None:
    """A newer caller, an older service."""
    async with connect(Scripted()) as client:
        error = await failing(client.channel.unary_unary(f"/{NAME}/Nonsense")(b""))
    assert error.code() is Code.UNIMPLEMENTED


async def test_a_request_or_a_reply_that_is_too_large_is_refused(connect: Connect) -> None:
    """The limits protect memory, whoever calls."""

    async def get(*_: Any) -> Scan:
        return Scan(user_input="x" * MOST_RESPONSE_BYTES)

    servicer = Scripted(get)
    async with connect(servicer) as client:
        large = pb.AnswerQuestionRequest(scan_id=ID, reply="x" * (1 << 20))
        request, reply = await failing(client.stub.AnswerQuestion(large)), await failing(client.stub.GetScan(REQUEST))
    assert (request.code(), reply.code()) == (Code.RESOURCE_EXHAUSTED, Code.RESOURCE_EXHAUSTED)


async def test_calls_beyond_the_limit_are_refused(connect: Connect) -> None:
    """A service protects itself, whoever calls."""
    servicer = Scripted(never)
    async with connect(servicer, calls=CallLimit(1)) as client:
        first = client.stub.GetScan(REQUEST)
        await servicer.begun.wait()
        error = await failing(client.stub.GetScan(REQUEST))
        first.cancel()
    assert error.code() is Code.RESOURCE_EXHAUSTED


async def test_a_call_can_be_awaited_twice_and_tells_of_its_end(connect: Connect) -> None:
    """As a task."""
    ended = asyncio.Event()

    async def get(*_: Any) -> Scan:
        return Scan(scan_id="s")

    async with connect(Scripted(get)) as client:
        call = client.stub.GetScan(REQUEST, timeout=5)
        call.add_done_callback(lambda _: ended.set())
        assert 0 < call.time_remaining() <= 5
        assert await call == await call == Scan(scan_id="s")
        await ended.wait()
        assert (call.done(), call.cancelled(), call.cancel()) == (True, False, False)


# Deadlines.


async def test_the_deadline_is_the_handlers_too_and_ends_both(connect: Connect) -> None:
    """Nobody works for a caller that has given up."""
    remaining = []

    async def get(_: Any, context: Any) -> None:
        remaining.append(context.time_remaining())
        await never()

    servicer = Scripted(get)
    async with connect(servicer) as client:
        error = await failing(client.stub.GetScan(REQUEST, timeout=0.2))
        await servicer.cancelled.wait()
        await until(client.span_codes)
        assert client.span_codes() == ["DEADLINE_EXCEEDED"]
    assert error.code() is Code.DEADLINE_EXCEEDED
    assert 0 < remaining[0] <= 0.2


async def test_without_a_deadline_there_is_none(connect: Connect) -> None:
    """None, not zero."""
    remaining = []

    async def get(_: Any, context: Any) -> None:
        remaining.append(context.time_remaining())

    async with connect(Scripted(get)) as client:
        await client.stub.GetScan(REQUEST)
    assert remaining == [None]


@pytest.mark.parametrize("timeout", [0.0, -1.0])
async def test_a_deadline_that_is_over_is_exceeded_at_once(connect: Connect, timeout: float) -> None:
    """What remained of the caller's own may be nothing."""
    async with connect(Scripted(never)) as client:
        assert (await failing(client.stub.GetScan(REQUEST, timeout=timeout))).code() is Code.DEADLINE_EXCEEDED


async def test_a_stream_ends_by_its_deadline(connect: Connect) -> None:
    """Also one that has said something."""

    async def watch() -> AsyncGenerator[pb.WatchScanResponse, None]:
        yield event()
        await never()

    servicer = Scripted(watch=watch)
    async with connect(servicer) as client:
        call = client.stub.WatchScan(WATCH, timeout=0.3)
        assert await call.read() == event()
        error = await failing(call.read())
        await servicer.cancelled.wait()
        await until(client.span_codes)
        assert client.span_codes() == ["DEADLINE_EXCEEDED"]
    assert error.code() is Code.DEADLINE_EXCEEDED


# Cancellation.


async def test_cancelling_a_call_reaches_its_handler(connect: Connect) -> None:
    """Paid work must end with whoever wanted it."""
    servicer = Scripted(never)
    async with connect(servicer) as client:
        call = client.stub.GetScan(REQUEST)
        await servicer.begun.wait()
        assert call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        assert (call.cancelled(), call.cancel(), await call.code()) == (True, False, Code.CANCELLED)
        await servicer.cancelled.wait()
        await until(client.span_codes)
        assert client.span_codes() == ["CANCELLED"]


async def test_cancelling_the_task_that_waits_reaches_the_handler(connect: Connect) -> None:
    """That is how a worker stops a stage."""
    servicer = Scripted(never)
    async with connect(servicer) as client:
        task = asyncio.create_task(Peer("scan").call(client.stub.GetScan, REQUEST, timeout=30))
        await servicer.begun.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await servicer.cancelled.wait()


async def test_a_call_that_is_cancelled_at_once_leaves_nothing_at_work(connect: Connect) -> None:
    """Before it had a turn."""
    servicer = Scripted(never)
    async with connect(servicer) as client:
        call = client.stub.GetScan(REQUEST)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
    assert servicer.calls == 0 or servicer.cancelled.is_set()


async def test_leaving_a_stream_early_reaches_its_handler(connect: Connect) -> None:
    """By `Peer`, as services do."""

    async def watch() -> AsyncGenerator[pb.WatchScanResponse, None]:
        yield event()
        await never()

    servicer = Scripted(watch=watch)
    async with connect(servicer) as client:
        async with aclosing(Peer("scan").stream(client.stub.WatchScan, WATCH, timeout=30)) as events:
            async for one in events:
                assert one == event()
                break
        await servicer.cancelled.wait()


async def test_cancelling_a_reader_reaches_the_handler(connect: Connect) -> None:
    """The task of a watcher."""

    async def watch() -> AsyncGenerator[pb.WatchScanResponse, None]:
        yield event()
        await never()

    servicer = Scripted(watch=watch)
    async with connect(servicer) as client:
        call = client.stub.WatchScan(WATCH)
        await call.read()
        begun = asyncio.Event()

        async def read() -> None:
            begun.set()
            await call.read()

        reading = asyncio.create_task(read())
        await begun.wait()
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
        await servicer.cancelled.wait()
        assert await call.code() is Code.CANCELLED


async def test_closing_the_channel_cancels_its_calls_and_refuses_more(connect: Connect) -> None:
    """A service that ends doesn't wait for what it has asked."""
    servicer = Scripted(never)
    async with connect(servicer) as client:
        call = client.stub.GetScan(REQUEST)
        await servicer.begun.wait()
        await client.channel.close()
        with pytest.raises((asyncio.CancelledError, grpc.aio.AioRpcError)):
            await call
        assert await call.code() is Code.CANCELLED
        await servicer.cancelled.wait()
        with pytest.raises(grpc.aio.UsageError):
            await client.stub.GetScan(REQUEST)


# Streams.


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
        assert len([one async for one in _rest(call)]) == 99


async def test_a_reply_of_a_stream_that_is_too_large_ends_it(connect: Connect) -> None:
    """The limit holds for each."""

    async def watch() -> AsyncGenerator[pb.WatchScanResponse, None]:
        yield event()
        yield event(MOST_RESPONSE_BYTES)

    async with connect(Scripted(watch=watch)) as client:
        call = client.stub.WatchScan(WATCH)
        assert await call.read() == event()
        assert (await failing(call.read())).code() is Code.RESOURCE_EXHAUSTED


# Health, retries, the end.


class Store:
    """A dependency that can go away."""

    def __init__(self) -> None:
        self.away = True
        self.asked = asyncio.Event()

    async def probe(self) -> None:
        self.asked.set()
        if self.away:
            raise ConnectionError


async def test_a_service_that_isnt_serving_is_unavailable_or_waited_for(connect: Connect) -> None:
    """As its caller asked: at once, or as long as the deadline allows."""
    store = Store()
    async with connect(Scripted(), dependencies={"store": store.probe}) as client:
        await store.asked.wait()
        assert (await failing(client.stub.GetScan(REQUEST, timeout=5))).code() is Code.UNAVAILABLE
        late = await failing(client.stub.GetScan(REQUEST, timeout=0.1, wait_for_ready=True))
        assert late.code() is Code.DEADLINE_EXCEEDED
        waiting = client.stub.GetScan(REQUEST, timeout=20, wait_for_ready=True)
        store.away = False
        assert await waiting == Scan()
        assert await client.stub.GetScan(REQUEST) == Scan()


async def test_idempotent_methods_are_tried_again_while_unavailable(connect: Connect) -> None:
    """A moment without a database isn't the caller's matter; three tries, then it is."""
    outcomes = [True, True, False, True, True, True, False]

    async def get(*_: Any) -> None:
        if outcomes.pop(0):
            raise Unavailable(Reason.UNAVAILABLE, peer="postgres")

    servicer = Scripted(get)
    async with connect(servicer, retried=["GetScan"]) as client:
        assert await client.stub.GetScan(REQUEST) == Scan()
        assert (await failing(client.stub.GetScan(REQUEST))).code() is Code.UNAVAILABLE
    assert servicer.calls == 6


async def test_other_methods_are_tried_once(connect: Connect) -> None:
    """Who isn't idempotent decides alone."""

    async def get(*_: Any) -> None:
        raise Unavailable(Reason.UNAVAILABLE, peer="postgres")

    servicer = Scripted(get)
    async with connect(servicer) as client:
        assert (await failing(client.stub.GetScan(REQUEST))).code() is Code.UNAVAILABLE
    assert servicer.calls == 1


async def test_a_server_that_leaves_tells_watchers_and_lets_calls_end(connect: Connect) -> None:
    """In the order of `serving`."""
    go_on = asyncio.Event()

    async def watch() -> AsyncGenerator[pb.WatchScanResponse, None]:
        yield event()
        await servicer.drained.wait()
        yield event(1)
        go_on.set()

    async def get(*_: Any) -> Scan:
        await go_on.wait()
        return Scan(scan_id="late")

    servicer = Scripted(get, watch)
    async with connect(servicer) as client:
        call, stream = client.stub.GetScan(REQUEST), client.stub.WatchScan(WATCH)
        await stream.read()
        await servicer.begun.wait()
        ends = [asyncio.create_task(one) for one in (_awaited(call), stream.read())]
    assert await asyncio.gather(*ends) == [Scan(scan_id="late"), event(1)]


async def test_a_server_cuts_what_outlasts_the_grace(connect: Connect) -> None:
    """A pod is given so long and no longer; the handler cleans up all the same."""
    servicer = Scripted(never)
    async with connect(servicer, grace=0.05) as client:
        call = asyncio.create_task(_awaited(client.stub.GetScan(REQUEST)))
        await servicer.begun.wait()
    assert servicer.cancelled.is_set()
    assert (await failing(call)).code() is Code.UNAVAILABLE


async def test_a_server_that_has_left_is_unavailable(connect: Connect) -> None:
    """A refused connection, or nobody behind the endpoint."""
    async with AsyncExitStack() as left:
        async with connect(Scripted(), outlived_by=left) as client:
            await client.stub.GetScan(REQUEST)
        assert (await failing(client.stub.GetScan(REQUEST, timeout=5))).code() is Code.UNAVAILABLE
        late = await failing(client.stub.GetScan(REQUEST, timeout=0.1, wait_for_ready=True))
        assert late.code() is Code.DEADLINE_EXCEEDED


async def _awaited(call: Awaitable[Any]) -> Any:
    return await call


async def _rest(call: Any) -> AsyncIterator[Any]:
    while (reply := await call.read()) is not grpc.aio.EOF:
        yield reply


async def until(condition: Callable[[], Any]) -> None:
    """Gives the loop turns until a condition holds."""
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110  # a span ends without telling
            await asyncio.sleep(0)
