"""The boundary of every RPC served: one span, validation, one mapping of errors to the wire.

Servicers raise; nobody else calls `abort`. What isn't one of our errors becomes INTERNAL with nothing but a trace id,
and the log line with that id tells the rest.
"""

import asyncio
import contextlib
import math
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import aclosing, contextmanager
from typing import Any, NoReturn, TypeAlias

import grpc
import structlog
from google.protobuf.message import DecodeError
from opentelemetry import trace
from opentelemetry.trace import SpanKind, Status, StatusCode

from mesh import outages, telemetry
from mesh.errors import EcoError, Internal, Reason, ResourceExhausted
from mesh.identity import caller
from mesh.status import DETAILS_HEADER, to_status
from mesh.telemetry import Telemetry
from mesh.validation import validate

_log = structlog.get_logger("rpc")

Handler: TypeAlias = "grpc.RpcMethodHandler[Any, Any] | None"


class CallLimit:
    """How many unary calls may be at work at once; streams have limits of their own.

    Args:
        most: How many.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._count = 0

    @contextmanager
    def counted(self) -> Iterator[None]:
        """One call more.

        Raises:
            ResourceExhausted: They are too many.
        """
        if self._count >= self._most:
            raise ResourceExhausted(Reason.LIMIT_EXCEEDED, limit="calls", retry_after=0.5 + random.random())
        self._count += 1
        try:
            yield
        finally:
            self._count -= 1

    @contextmanager
    def aside(self) -> Iterator[None]:
        """One call fewer, while one only waits for something to happen."""
        self._count -= 1
        try:
            yield
        finally:
            self._count += 1


class Boundary(grpc.aio.ServerInterceptor):
    """Wraps every handler of our own services; health and reflection pass through.

    Args:
        shared: Where spans and durations go.
        calls: How many unary calls may be at work at once.
        prefix: Methods that are ours.
    """

    def __init__(self, shared: Telemetry, calls: CallLimit, prefix: str = "/eco2.") -> None:
        self._telemetry = shared
        self._calls = calls
        self._prefix = prefix
        self._wrapped: dict[str, Handler] = {}
        self._active = 0
        self._idle = asyncio.Event()
        self._idle.set()

    async def idle(self, timeout: float) -> None:
        """Waits until no handler runs, `finally` blocks included: `Server.stop` may return before that."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout):
                await self._idle.wait()

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Handler]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Handler:
        """Wraps each method once, at its first call."""
        method = handler_call_details.method
        if method in self._wrapped:
            return self._wrapped[method]
        handler = await continuation(handler_call_details)
        if handler is None or not method.startswith(self._prefix):
            return handler
        make: Any = (
            grpc.unary_stream_rpc_method_handler if handler.response_streaming else grpc.unary_unary_rpc_method_handler
        )
        wrap = self._stream if handler.response_streaming else self._unary
        behaviour: Any = handler.unary_stream if handler.response_streaming else handler.unary_unary
        self._wrapped[method] = make(
            wrap(method, behaviour), _lenient(handler.request_deserializer), handler.response_serializer
        )
        return self._wrapped[method]

    def _unary(self, method: str, behaviour: Callable[[Any, Any], Awaitable[Any]]) -> Callable[[Any, Any], Any]:
        async def handle(request: Any, context: Any) -> Any:
            with _Call(self, method, context) as call:
                try:
                    with self._calls.counted():
                        validate(request)
                        return await behaviour(request, context)
                except Exception as error:  # the boundary: everything becomes a Status here
                    await call.abort(error)

        return handle

    def _stream(self, method: str, behaviour: Callable[[Any, Any], Any]) -> Callable[[Any, Any], AsyncIterator[Any]]:
        async def handle(request: Any, context: Any) -> AsyncIterator[Any]:
            with _Call(self, method, context) as call:
                try:
                    validate(request)
                    async with aclosing(behaviour(request, context)) as responses:
                        async for response in responses:
                            yield response
                except Exception as error:  # the boundary: everything becomes a Status here
                    await call.abort(error)

        return handle

    def enter(self) -> None:
        """Counts a handler in."""
        self._active += 1
        self._idle.clear()

    def leave(self) -> None:
        """Counts a handler out."""
        self._active -= 1
        if not self._active:
            self._idle.set()

    def span(self, method: str, context: Any) -> trace.Span:
        """A server span for the call, child of the caller's."""
        carrier = {key: value for key, value in context.invocation_metadata() or () if key == "traceparent"}
        parent = telemetry.remote_parent(carrier) if carrier else None
        return self._telemetry.tracer.start_span(method.removeprefix("/"), parent, kind=SpanKind.SERVER)

    def record(self, method: str, code: grpc.StatusCode, seconds: float) -> None:
        """Adds one finished call to the figures."""
        self._telemetry.call_duration.record(
            seconds, {"rpc.method": method.removeprefix("/"), "rpc.response.status_code": code.name}
        )


def _lenient(deserialize: Any) -> Callable[[bytes], Any]:
    """A deserialiser that leaves it to the boundary to refuse: gRPC's own refusal has no reason and shows internals."""

    def read(content: bytes) -> Any:
        try:
            return deserialize(content)
        except DecodeError:
            return None

    return read


class _Call:
    """One call: a synchronous context manager, since a cancelled stream may be closed by another task."""

    def __init__(self, boundary: Boundary, method: str, context: Any) -> None:
        self._boundary = boundary
        self._method = method
        self._context = context
        self._code = grpc.StatusCode.OK

    def __enter__(self) -> "_Call":
        self._started = time.monotonic()
        self._span = self._boundary.span(self._method, self._context)
        telemetry.enter(self._span)
        self._boundary.enter()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: object) -> None:
        if isinstance(error, asyncio.CancelledError | GeneratorExit):
            # grpc.aio cancels the handler for a client that left and for a deadline alike.
            remaining = self._context.time_remaining()
            late = remaining is not None and remaining <= 0
            self._code = grpc.StatusCode.DEADLINE_EXCEEDED if late else grpc.StatusCode.CANCELLED
        self._span.set_attribute("rpc.response.status_code", self._code.name)
        if self._code is not grpc.StatusCode.OK:
            self._span.set_status(Status(StatusCode.ERROR))
        self._span.end()
        self._boundary.record(self._method, self._code, time.monotonic() - self._started)
        self._boundary.leave()

    async def abort(self, error: Exception) -> NoReturn:
        """Ends the call with the Status an exception stands for.

        Raises:
            grpc.aio.AbortError: Always; that is how grpc.aio ends a call.
        """
        if isinstance(error, grpc.aio.AbortError):
            raise error
        known = error if isinstance(error, EcoError) else outages.from_exception(error)
        if known is None:
            known = Internal(Reason.INTERNAL, trace_id=telemetry.trace_id(self._span))
            _log.error("rpc failed", method=self._method, exc_info=error)
        else:
            _log.info("rpc refused", method=self._method, reason=known.reason, detail=known.metadata)
        locale = caller(self._context).locale
        status = to_status(known, locale)
        self._code = _code(status.code)
        # abort_with_status drops trailing metadata that was set before, so the details are merged in by hand.
        trailing = [*(self._context.trailing_metadata() or ()), (DETAILS_HEADER, status.SerializeToString())]
        if known.retry_after is not None:
            trailing.append(("retry-after", str(math.ceil(known.retry_after))))  # Envoy makes it the HTTP header
        await self._context.abort(self._code, status.message, tuple(trailing))
        raise AssertionError("abort returned")


def _code(number: int) -> grpc.StatusCode:
    return next(code for code in grpc.StatusCode if code.value[0] == number)
