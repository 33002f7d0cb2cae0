"""Spans of what a service does and of what it asks others for, by OpenTelemetry's semantic conventions.

They are made where somebody receives them. What a service asks for gets one within a span that is recorded; what it
does by itself, such as polling, is nobody's. No span tells of a person or a secret: not a statement's values, of
an address the host alone, no text of an exception.
"""

import re
from collections.abc import Mapping
from contextvars import ContextVar
from types import TracebackType
from typing import Any, TypeAlias

from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import Link, Span, SpanKind, Status, StatusCode, Tracer

from mesh.errors import EcoError

# The scan a span is about; in all services, so that a viewer finds what a trace alone wouldn't show.
SCAN_ID = "eco2.scan.id"
SCAN_HEADER = "eco2-scan-id"

Attributes: TypeAlias = Mapping[str, Any]

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
# Of the service that a task works for; a process may serve several.
_tracer: ContextVar[Tracer | None] = ContextVar("tracer", default=None)
_scan_id: ContextVar[str] = ContextVar("scan_id", default="")


def trace_with(tracer: Tracer | None) -> None:
    """Says who makes the spans of this task and of what it starts; None: nobody receives them."""
    _tracer.set(tracer)


def current_tracer() -> Tracer | None:
    """Who makes spans; None if nobody receives them."""
    return _tracer.get()


def work_on(scan_id: str) -> None:
    """Says which scan the current span, and what follows in this task, is about; "" for none in particular."""
    if _tracer.get() is None:
        return
    scan_id = scan_id if _UUID.fullmatch(scan_id) else ""  # callers send anything
    _scan_id.set(scan_id)
    if scan_id:
        trace.get_current_span().set_attribute(SCAN_ID, scan_id)


def current_scan() -> str:
    """Which scan this task is about; empty for none in particular, and where nobody receives spans."""
    return _scan_id.get()


class Spanning:
    """A span around a block. It isn't made the current one: what is asked of others has no spans within.

    Args:
        span: It.
        current: Made the current one all the same, for what is done.
    """

    __slots__ = ("_current", "_span", "_token")

    def __init__(self, span: Span, *, current: bool = False) -> None:
        self._span = span
        self._current = current
        self._token: Any = None

    def __enter__(self) -> Span:
        if self._current:
            self._token = otel_context.attach(trace.set_span_in_context(self._span))
        return self._span

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if error is not None and not isinstance(error, GeneratorExit):
            failed(self._span, _name(error))
        if self._token is not None:
            otel_context.detach(self._token)
        self._span.end()


class NoSpan:
    """In the place of one where there is none."""

    def __enter__(self) -> Span:
        return trace.INVALID_SPAN

    def __exit__(self, *_: object) -> None:
        pass


NO_SPAN = NoSpan()


def asking(name: str, attributes: Attributes) -> Spanning | NoSpan:
    """Around what another one is asked for: a client's span.

    Args:
        name: Few different ones: an RPC, a statement's name, a command.
        attributes: By semantic conventions.
    """
    tracer = _tracer.get()
    if tracer is None or not trace.get_current_span().is_recording():
        return NO_SPAN
    return Spanning(tracer.start_span(name, kind=SpanKind.CLIENT, attributes=with_scan(attributes)))


def doing(name: str, attributes: Attributes) -> Spanning | NoSpan:
    """Around a part of what is done, which the spans within belong to."""
    tracer = _tracer.get()
    if tracer is None:
        return NO_SPAN
    return Spanning(tracer.start_span(name, attributes=with_scan(attributes)), current=True)


def resuming(name: str, traceparent: str, scan_id: str, attributes: Attributes) -> Spanning | NoSpan:
    """Around what is done for a scan by somebody who wasn't called for it: in the trace that created the scan.

    Args:
        name: Few different ones.
        traceparent: Of the span that created it; empty if that isn't known: a trace begins.
        scan_id: Which scan.
        attributes: By semantic conventions.
    """
    tracer = _tracer.get()
    if tracer is None:
        return NO_SPAN
    caller = trace.get_current_span().get_span_context()
    creation = parsed(traceparent)
    links = [Link(caller)] if caller.is_valid and caller.trace_id != creation.trace_id else []
    _scan_id.set(scan_id)
    parent = trace.set_span_in_context(trace.NonRecordingSpan(creation), Context()) if creation.is_valid else Context()
    span = tracer.start_span(
        name, context=parent, kind=SpanKind.CONSUMER, attributes=with_scan(attributes), links=links
    )
    return Spanning(span, current=True)


def alone() -> None:
    """From now on this task works for nobody in particular: what it does together for many is no single one's."""
    if _tracer.get() is not None:
        otel_context.attach(Context())
        _scan_id.set("")


def belongs_to(traceparent: str) -> None:
    """Links the current span to the one that created its scan, unless both are of one trace."""
    span, creation = trace.get_current_span(), parsed(traceparent)
    if span.is_recording() and creation.is_valid and creation.trace_id != span.get_span_context().trace_id:
        span.add_link(creation)


def with_scan(attributes: Attributes) -> Mapping[str, Any]:
    """The attributes, and the scan that this task is about."""
    scan_id = _scan_id.get()
    return {**attributes, SCAN_ID: scan_id} if scan_id else attributes


def failed(span: Span, error_type: str) -> None:
    """Says that what a span tells of went wrong, by one of few names."""
    span.set_attribute("error.type", error_type)
    span.set_status(Status(StatusCode.ERROR))


def parsed(traceparent: str) -> trace.SpanContext:
    """The span that a traceparent names; an invalid one if it names none."""
    try:
        _, trace_id, span_id, flags = traceparent.split("-")
        return trace.SpanContext(int(trace_id, 16), int(span_id, 16), True, trace.TraceFlags(int(flags, 16)))
    except ValueError:
        return trace.INVALID_SPAN_CONTEXT


def written(span: trace.SpanContext) -> str:
    """A span as a traceparent."""
    return f"00-{span.trace_id:032x}-{span.span_id:016x}-{span.trace_flags:02x}"


def _name(error: BaseException) -> str:
    return str(error.reason) if isinstance(error, EcoError) else type(error).__qualname__
