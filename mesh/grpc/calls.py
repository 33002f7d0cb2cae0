"""The boundary of every RPC served: its trace, who may call it, validation, one mapping of errors to the wire.

Servicers raise; nobody else calls `abort`. What isn't one of our errors becomes INTERNAL with nothing but a trace id,
and the log line with that id tells the rest.
"""

import asyncio
import contextlib
import math
import time
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import aclosing
from typing import Any, NoReturn, Self, TypeAlias

import grpc
import structlog
from google.protobuf.message import DecodeError
from opentelemetry import trace
from opentelemetry.trace import SpanKind, Status, StatusCode

from mesh import outages
from mesh.errors import EcoError, Internal
from mesh.grpc.access import Access
from mesh.grpc.encoded import passing_encoded
from mesh.grpc.identity import caller, named_user
from mesh.grpc.limits import CallLimit
from mesh.grpc.status import DETAILS_HEADER, to_status
from mesh.observability import telemetry, users
from mesh.observability.telemetry import Telemetry
from mesh.reasons import Reason
from mesh.validation.body_names import IGNORED_HEADER, NAMES_HEADER, ignored_fields
from mesh.validation.rules import admit

_log = structlog.get_logger("rpc")

Metadata: TypeAlias = Sequence[tuple[str, str | bytes]]


class Boundary:
    """What all calls to a service share.

    Args:
        shared: Where spans and durations go.
        limit: How many unary calls may be at work at once.
    """

    def __init__(self, shared: Telemetry, limit: CallLimit) -> None:
        self.telemetry = shared
        self.limit = limit
        self._active = 0
        self._idle = asyncio.Event()
        self._idle.set()

    def enter(self) -> None:
        """Counts a handler in."""
        self._active += 1
        self._idle.clear()

    def leave(self) -> None:
        """Counts a handler out."""
        self._active -= 1
        if not self._active:
            self._idle.set()

    async def idle(self, timeout: float) -> None:
        """Waits until no handler runs, `finally` blocks included: `Server.stop` may return before that."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout):
                await self._idle.wait()


class Context:
    """What a servicer may ask about its call, or tell beside its reply: gRPC's context with the metadata at hand.

    Args:
        of_grpc: gRPC's own.
        metadata: The call's headers. gRPC's context decodes all of them anew whenever it is asked.
    """

    __slots__ = ("_grpc", "_metadata")

    def __init__(self, of_grpc: Any, metadata: Metadata) -> None:
        self._grpc = of_grpc
        self._metadata = metadata

    def invocation_metadata(self) -> Metadata:
        """The headers that came with the call."""
        return self._metadata

    def time_remaining(self) -> float | None:
        """Seconds until the caller gives up; None for never."""
        seconds: float | None = self._grpc.time_remaining()
        return seconds

    async def send_initial_metadata(self, metadata: Iterable[tuple[str, str]]) -> None:
        """Sends headers before the reply."""
        await self._grpc.send_initial_metadata(metadata)


class Method:
    """One method of ours: what all its calls share.

    Args:
        boundary: What all methods share.
        path: "/package.Service/Method".
        handler: As generated code made it.
    """

    def __init__(self, boundary: Boundary, path: str, handler: Any) -> None:
        self.boundary = boundary
        self.name = path.removeprefix("/")
        self.access = Access(path)
        self.behaviour: Callable[[Any, Any], Any] = handler.unary_stream or handler.unary_unary
        self.deserialize = _lenient(handler.request_deserializer)
        self.serialize = passing_encoded(handler.response_serializer)
        self._call = StreamCall if handler.response_streaming else UnaryCall

    def call(self, metadata: Metadata) -> "Call":
        """One call of it."""
        return self._call(self, metadata)


class Call:
    """One call: what gRPC asks a handler for, and a synchronous context manager around its work.

    Synchronous, since a cancelled stream may be closed by another task.
    """

    request_streaming = response_streaming = False
    _context: Any
    _started: float

    def __init__(self, method: Method, metadata: Metadata) -> None:
        self.request_deserializer = method.deserialize
        self.response_serializer = method.serialize
        self._method = method
        self._metadata = metadata
        self._code = grpc.StatusCode.OK
        self._span: trace.Span | None = None

    def __enter__(self) -> Self:
        boundary = self._method.boundary
        telemetry.speak_for(boundary.telemetry.service)
        received = next((str(value) for key, value in self._metadata if key == "traceparent"), "")
        user_id = named_user(self._metadata)
        users.work_for(user_id)
        if boundary.telemetry.exporting:
            self._started = time.monotonic()
            parent = telemetry.remote_parent(received) if received else None
            self._span = boundary.telemetry.tracer.start_span(self._method.name, parent, kind=SpanKind.SERVER)
            if user_id:
                self._span.set_attribute("enduser.pseudo.id", boundary.telemetry.pseudonyms.of(user_id))
            telemetry.enter(self._span)
        else:
            telemetry.follow(received)
        boundary.enter()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: object) -> None:
        self._method.boundary.leave()
        if self._span:
            self._tell(self._span, error)

    def _tell(self, span: trace.Span, error: BaseException | None) -> None:
        """Ends the span with the code that is on the wire, and adds the call to the figures."""
        if isinstance(error, asyncio.CancelledError | GeneratorExit):
            # grpc.aio cancels the handler for a client that left and for a deadline alike.
            remaining = self._context.time_remaining()
            late = remaining is not None and remaining <= 0
            self._code = grpc.StatusCode.DEADLINE_EXCEEDED if late else grpc.StatusCode.CANCELLED
        span.set_attribute("rpc.response.status_code", self._code.name)
        if self._code is not grpc.StatusCode.OK:
            span.set_status(Status(StatusCode.ERROR))
        span.end()
        attributes = {"rpc.method": self._method.name, "rpc.response.status_code": self._code.name}
        self._method.boundary.telemetry.call_duration.record(time.monotonic() - self._started, attributes)

    async def _abort(self, error: Exception) -> NoReturn:
        """Ends the call with the Status an exception stands for.

        Raises:
            grpc.aio.AbortError: Always; that is how grpc.aio ends a call.
        """
        if isinstance(error, grpc.aio.AbortError):
            raise error
        known = error if isinstance(error, EcoError) else outages.from_exception(error)
        if known is None:
            known = Internal(Reason.INTERNAL, trace_id=telemetry.trace_id())
            _log.error("rpc failed", method=self._method.name, exc_info=error)
        else:
            _log.info("rpc refused", method=self._method.name, reason=known.reason, detail=known.metadata)
        status = to_status(known, caller(Context(self._context, self._metadata)).locale)
        self._code = _code(status.code)
        # abort_with_status drops trailing metadata that was set before, so the details are merged in by hand.
        trailing = [*(self._context.trailing_metadata() or ()), (DETAILS_HEADER, status.SerializeToString())]
        if known.retry_after is not None:
            trailing.append(("retry-after", str(math.ceil(known.retry_after))))  # Envoy makes it the HTTP header
        await self._context.abort(self._code, status.message, tuple(trailing))
        raise AssertionError("abort returned")


class UnaryCall(Call):
    """A call with one reply."""

    async def unary_unary(self, request: Any, context: Any) -> Any:
        """Called by gRPC."""
        self._context = context
        limit = self._method.boundary.limit
        with self:
            try:
                self._method.access.demand(context.auth_context(), self._metadata)
                limit.enter()
                try:
                    ignored = self._ignored_fields(request)  # first: what is misspelt also looks absent
                    admit(request)
                    response = await self._method.behaviour(request, Context(context, self._metadata))
                    if ignored:
                        await context.send_initial_metadata(((IGNORED_HEADER, ignored),))
                    return response
                finally:
                    limit.leave()
            except Exception as error:  # the boundary: everything becomes a Status here
                await self._abort(error)

    def _ignored_fields(self, request: Any) -> str:
        """What the caller's JSON named in vain; no RPC that takes a body over REST sends headers of its own."""
        listed = next((str(value) for key, value in self._metadata if key == NAMES_HEADER), "")
        return ignored_fields(request.DESCRIPTOR, listed) if listed and request else ""


class StreamCall(Call):
    """A call with a stream of replies."""

    response_streaming = True

    async def unary_stream(self, request: Any, context: Any) -> AsyncIterator[Any]:
        """Called by gRPC."""
        self._context = context
        with self:
            try:
                self._method.access.demand(context.auth_context(), self._metadata)
                admit(request)
                async with aclosing(self._method.behaviour(request, Context(context, self._metadata))) as responses:
                    async for response in responses:
                        yield response
            except Exception as error:  # the boundary: everything becomes a Status here
                await self._abort(error)


def _lenient(deserialize: Any) -> Callable[[bytes], Any]:
    """A deserialiser that leaves it to the boundary to refuse: gRPC's own refusal has no reason and shows internals."""

    def read(content: bytes) -> Any:
        try:
            return deserialize(content)
        except DecodeError:
            return None

    return read


def _code(number: int) -> grpc.StatusCode:
    return next(code for code in grpc.StatusCode if code.value[0] == number)
