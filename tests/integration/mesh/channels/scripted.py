"""A service that does what a test says, and its client."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

import grpc
import pytest
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from eco2.scan.v1 import scan_service_pb2 as pb
from eco2.scan.v1 import scan_service_pb2_grpc
from eco2.scan.v1.scan_pb2 import Scan
from mesh.grpc.host import Host
from mesh.grpc.metrics import CALL_DURATION
from tests.support.metrics import Counted

NAME = "eco2.scan.v1.ScanService"
ID = "0197a000-0000-7000-8000-000000000000"
REQUEST = pb.GetScanRequest(scan_id=ID)
WATCH = pb.WatchScanRequest(scan_id=ID)
Code = grpc.StatusCode


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
    counted: Counted

    def span_codes(self) -> list[Any]:
        """The codes of the handlers that have ended."""
        return [(span.attributes or {})["rpc.response.status_code"] for span in self.spans.get_finished_spans()]

    def duration_codes(self) -> list[Any]:
        """The codes by which their durations were counted."""
        return [code for _, _, code in self.counted.of(CALL_DURATION)]


Connect = Callable[..., Any]


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


async def awaited(call: Awaitable[Any]) -> Any:
    """A call as a coroutine."""
    return await call


async def rest(call: Any) -> AsyncIterator[Any]:
    """The replies that are still to come."""
    while (reply := await call.read()) is not grpc.aio.EOF:
        yield reply


async def until(condition: Callable[[], Any]) -> None:
    """Gives the loop turns until a condition holds."""
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110  # a span ends without telling
            await asyncio.sleep(0)
