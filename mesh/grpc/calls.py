"""The boundary of every RPC served: its trace, who may call it, validation, one mapping of errors to the wire.

Servicers raise; nobody else calls `abort`. What isn't one of our errors becomes INTERNAL with nothing but a trace id,
and the log line with that id tells the rest.
"""

import asyncio
import math
import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import aclosing
from typing import Any, NoReturn, Self, TypeAlias

import grpc
import structlog
from google.protobuf.message import DecodeError
from opentelemetry import trace
from opentelemetry.trace import SpanKind

from mesh import outages
from mesh.errors import EcoError, Internal
from mesh.grpc.access import Access
from mesh.grpc.boundary import Boundary
from mesh.grpc.encoded import passing_encoded
from mesh.grpc.identity import caller, named_user
from mesh.grpc.limits import MOST_RESPONSE_BYTES
from mesh.grpc.status import DETAILS_HEADER, to_status
from mesh.observability import telemetry, tracing, users
from mesh.reasons import Reason
from mesh.validation.body_names import IGNORED_HEADER, NAMES_HEADER, ignored_fields
from mesh.validation.rules import admit

_log = structlog.get_logger("rpc")

# What is told as a server's error; of the others a caller has to think (semantic conventions for gRPC).
_FAULTS = frozenset(
    (
        grpc.StatusCode.UNKNOWN, grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.UNIMPLEMENTED,
        grpc.StatusCode.INTERNAL, grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DATA_LOSS,
    )
)  # fmt: skip
# What a request names its scan by; the older clients' words too.
_SCANS = ("scan_id", "job_id", "task_id")

# A caller's deadline comes before ours: gRPC sends it as a duration of three digits, rounded up, and that takes time.
_ROUNDED = 0.01
_ON_THE_WAY = 0.02  # seconds

Metadata: TypeAlias = Sequence[tuple[str, str | bytes]]


class Context:
    """What a servicer may ask about its call, or tell beside its reply: gRPC's context with the metadata at hand.

    Args:
        of_grpc: gRPC's own.
        metadata: The call's headers. gRPC's context decodes all of them anew whenever it is asked.

    Attributes:
        complete: Whether the last reply of a stream has been made.
    """

    __slots__ = ("_grpc", "_metadata", "complete")

    def __init__(self, of_grpc: Any, metadata: Metadata) -> None:
        self._grpc = of_grpc
        self._metadata = metadata
        self.complete = False

    def invocation_metadata(self) -> Metadata:
        """The headers that came with the call."""
        return self._metadata

    def auth_context(self) -> Mapping[str, Iterable[bytes]]:
        """What is known of the caller: see `mesh.grpc.access`."""
        known: Mapping[str, Iterable[bytes]] = self._grpc.auth_context()
        return known

    def time_remaining(self) -> float | None:
        """Seconds until the caller gives up; None for never."""
        seconds: float | None = self._grpc.time_remaining()
        return seconds

    def last(self) -> None:
        """Says that the next reply of a stream is its last one: whoever hangs up then has had everything."""
        self.complete = True

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
        self.active = 0
        self.metrics = boundary.metrics.method(self.name, lambda: self.active)
        self.attributes = {"rpc.system.name": "grpc", "rpc.method": self.name}
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
    # The boundary writes replies itself, so that one which can't be written, or is too long, is told as what it is.
    response_serializer = None
    _context: Any
    _started: float
    _timeout: float | None

    def __init__(self, method: Method, metadata: Metadata) -> None:
        self.request_deserializer = method.deserialize
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
        telemetry.called_with(self._metadata)
        if boundary.metrics.counting or boundary.telemetry.exporting:
            self._started, self._timeout = time.monotonic(), self._context.time_remaining()
        if boundary.telemetry.exporting:
            parent = telemetry.remote_parent(received)
            tracer, attributes = boundary.telemetry.tracer, self._method.attributes
            self._span = tracer.start_span(self._method.name, parent, SpanKind.SERVER, attributes)
            if user_id:
                self._span.set_attribute("enduser.pseudo.id", boundary.telemetry.pseudonyms.of(user_id))
            telemetry.enter(self._span)
            tracing.trace_with(tracer)
            tracing.work_on(next((str(value) for key, value in self._metadata if key == tracing.SCAN_HEADER), ""))
        else:
            telemetry.follow(received)
        boundary.enter()
        self._method.active += 1
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: object) -> None:
        self._method.active -= 1
        boundary = self._method.boundary
        boundary.leave()
        if not (self._span or boundary.metrics.counting):
            return
        self._settle_code(error)
        if boundary.metrics.counting:
            self._method.metrics.ended(time.monotonic() - self._started, self._code.name)
        if self._span:
            self._end_span(self._span)

    def _settle_code(self, error: BaseException | None) -> None:
        """Makes the code the one that is on the wire."""
        if isinstance(error, asyncio.CancelledError | GeneratorExit) and self._code is grpc.StatusCode.OK:
            self._code = self._why_cancelled()

    def _end_span(self, span: trace.Span) -> None:
        span.set_attribute("rpc.response.status_code", self._code.name)
        if self._code in _FAULTS:
            tracing.failed(span, self._code.name)
        span.end()

    def _is_about(self, request: Any) -> None:
        """Names the scan that a request does."""
        if self._span:
            for name in _SCANS:
                if scan_id := getattr(request, name, ""):
                    tracing.work_on(scan_id.lower())

    def _why_cancelled(self) -> grpc.StatusCode:
        """The code its caller sees: grpc.aio cancels a handler for all of these alike."""
        remaining = self._context.time_remaining()
        if remaining is not None and remaining <= (self._timeout or 0) * _ROUNDED + _ON_THE_WAY:
            return grpc.StatusCode.DEADLINE_EXCEEDED
        return grpc.StatusCode.UNAVAILABLE if self._method.boundary.cutting else grpc.StatusCode.CANCELLED

    def _written(self, reply: Any) -> bytes:
        """A reply as it goes over the wire."""
        content = self._method.serialize(reply)
        if len(content) > MOST_RESPONSE_BYTES:
            self._code = grpc.StatusCode.RESOURCE_EXHAUSTED  # the transport will refuse it
        return content

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
                    self._is_about(request)
                    response = await self._method.behaviour(request, Context(context, self._metadata))
                    if ignored:
                        await context.send_initial_metadata(((IGNORED_HEADER, ignored),))
                    return self._written(response)
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
    _told: Context

    async def unary_stream(self, request: Any, context: Any) -> AsyncIterator[Any]:
        """Called by gRPC."""
        self._context = context
        self._told = Context(context, self._metadata)
        with self:
            try:
                self._method.access.demand(context.auth_context(), self._metadata)
                admit(request)
                self._is_about(request)
                async with aclosing(self._method.behaviour(request, self._told)) as responses:
                    async for response in responses:
                        yield self._written(response)
            except Exception as error:  # the boundary: everything becomes a Status here
                await self._abort(error)

    def _why_cancelled(self) -> grpc.StatusCode:
        return grpc.StatusCode.OK if self._told.complete else super()._why_cancelled()


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
