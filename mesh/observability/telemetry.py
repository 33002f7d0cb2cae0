"""Spans, metrics and logs of a service.

Exporters are off unless OTEL_EXPORTER_OTLP_ENDPOINT is set; trace ids exist all the same, so that every log line and
every INTERNAL error names one. Where nothing is exported no span is made: the caller's traceparent is passed on as it
came, which costs a tenth.
"""

import logging
import os
import random
import re
from collections.abc import Iterator, MutableMapping, Sequence
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import structlog
from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from mesh.observability import tracing
from mesh.observability.instruments import Instruments
from mesh.observability.log_lines import Bounded
from mesh.observability.metering import metering
from mesh.observability.users import Pseudonyms
from mesh.settings import ServiceSettings

Headers: TypeAlias = Sequence[tuple[str, str | bytes]]

REQUEST_ID_HEADER = "x-request-id"

_PROPAGATOR = TraceContextTextMapPropagator()
# https://www.w3.org/TR/trace-context: version, trace, parent, flags. All zeros are invalid.
_TRACEPARENT = re.compile("00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")
_followed: ContextVar[str] = ContextVar("traceparent", default="")
# The headers of the call that a task works for: looked at only when a line is written.
_headers: ContextVar[Headers] = ContextVar("headers", default=())
# By Envoy a UUID; whoever is trusted sends what they like.
_REQUEST_ID = re.compile(r"[0-9A-Za-z._:/+=-]{1,64}")
# Whose log lines a task writes: a process may serve several services.
_service: ContextVar[str] = ContextVar("service", default="")
# Without the variables of its frames: users' ids, places and words are in them, and keys.
_TRACEBACKS = structlog.processors.ExceptionRenderer(structlog.tracebacks.ExceptionDictTransformer(show_locals=False))


@dataclass(frozen=True, slots=True)
class Telemetry:
    """What a service writes its spans and figures with.

    Attributes:
        tracer: Makes spans.
        instruments: What is counted with.
        exporting: Whether anybody receives the spans.
        service: Whose they are.
        pseudonyms: What stands for users in them.
    """

    tracer: trace.Tracer
    instruments: Instruments = field(default_factory=Instruments.off)
    exporting: bool = False
    service: str = ""
    pseudonyms: Pseudonyms = field(default_factory=Pseudonyms)


@contextmanager
def started(service: str, settings: ServiceSettings, instruments: Instruments | None = None) -> Iterator[Telemetry]:
    """Telemetry of one service: logging set up, providers running; flushed and stopped at exit.

    What this task logs from now on, and whatever it starts, is the service's.

    Args:
        service: Its short name, such as "scan".
        settings: How it logs, and where its metrics are scraped.
        instruments: Those of its process, if it shares that with others; None: it makes its own.

    Raises:
        Misconfigured: The address for metrics is taken.
    """
    pseudonyms = Pseudonyms(settings.log_pseudonym_key.get_secret_value())
    _configure_logging(service, settings, pseudonyms)
    speak_for(service)
    own = metering(f"eco2-{service}", settings.metrics_address) if instruments is None else nullcontext(instruments)
    with own as counting:
        if not os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT"):
            yield Telemetry(trace.NoOpTracer(), counting, service=service, pseudonyms=pseudonyms)
            return
        # Here, since OpenTelemetry's SDK and exporters take time and memory of every process that exports nothing.
        from mesh.observability.exporters import exporting

        with exporting(service) as tracer:
            tracing.trace_with(tracer)
            yield Telemetry(tracer, counting, exporting=True, service=service, pseudonyms=pseudonyms)


def speak_for(service: str) -> None:
    """Says whose log lines this task writes from now on."""
    _service.set(service)


def called_with(headers: Headers) -> None:
    """Says which call this task works for from now on."""
    _headers.set(headers)


def request_id() -> str:
    """By which the edge and whoever called it know the call; empty if it has none, or one that is no id."""
    for key, value in _headers.get():
        if key == REQUEST_ID_HEADER:
            return value if isinstance(value, str) and _REQUEST_ID.fullmatch(value) else ""
    return ""


def remote_parent(traceparent: str) -> Context:
    """The trace context a caller sent."""
    return _PROPAGATOR.extract({"traceparent": traceparent}, Context())


def enter(span: trace.Span) -> None:
    """Makes a span current for the rest of this task.

    Nothing is detached: an RPC has a task, and so a context, of its own, and a cancelled stream runs its `finally` in
    another one, where the token would be refused.
    """
    otel_context.attach(trace.set_span_in_context(span))


def follow(traceparent: str) -> None:
    """Goes on with a trace for the rest of this task, without a span; with a new one if that isn't a traceparent."""
    if not _TRACEPARENT.fullmatch(traceparent):
        traceparent = f"00-{random.getrandbits(128) or 1:032x}-{random.getrandbits(64) or 1:016x}-00"
    _followed.set(traceparent)


def traceparent(span: trace.Span = trace.INVALID_SPAN) -> str:
    """A span, or the current one, or else the trace that is followed, as a header for the next hop; else empty."""
    for one in (span, trace.get_current_span()):
        if one is not trace.INVALID_SPAN and one.get_span_context().is_valid:
            return tracing.written(one.get_span_context())
    return _followed.get()


def trace_id() -> str:
    """The current trace as 32 hex digits; empty outside of any."""
    return traceparent()[3:35]


def _configure_logging(service: str, settings: ServiceSettings, pseudonyms: Pseudonyms) -> None:
    shared: list[structlog.types.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
        _add_ids,
    ]
    if settings.log_format == "json":
        shared += [_TRACEBACKS, Bounded(structlog.processors.JSONRenderer(ensure_ascii=False), pseudonyms)]
    else:
        console = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
        shared += [structlog.processors.format_exc_info, Bounded(console, pseudonyms)]

    def add_service(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        event["service"] = _service.get() or service
        return event

    level = logging.getLevelNamesMapping()[settings.log_level.upper()]
    structlog.configure(
        processors=[add_service, *shared],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(),
        cache_logger_on_first_use=False,
    )
    # Libraries log through the standard module: only what is worth a person's attention, in the same form.
    libraries = logging.StreamHandler()
    of_standard = [structlog.stdlib.add_logger_name, structlog.stdlib.ProcessorFormatter.remove_processors_meta]
    libraries.setFormatter(structlog.stdlib.ProcessorFormatter(processors=[*of_standard, add_service, *shared]))
    logging.basicConfig(level=logging.WARNING, handlers=[libraries], force=True)
    # gRPC reads a header that isn't UTF-8 as Latin-1, and tells of it each time with a traceback: anybody may send one.
    logging.getLogger("grpc._cython.cygrpc").addFilter(_is_no_misencoded_header)


def _is_no_misencoded_header(record: logging.LogRecord) -> bool:
    return not (record.exc_info and isinstance(record.exc_info[1], UnicodeDecodeError))


def _add_ids(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    if current := trace_id():
        event["trace_id"] = current
    if asked := request_id():
        event["request_id"] = asked
    return event
