"""A span for each statement to PostgreSQL: by name and duration, without its text and values."""

import time
from typing import Any, TypeAlias

from asyncpg.connection import LoggedQuery
from opentelemetry import trace
from opentelemetry.trace import SpanKind, Tracer

from mesh.observability import tracing

# Any: asyncpg names the type of its callback only in its stubs.
Prepare: TypeAlias = Any


# The names of the statements that this process has loaded; asyncpg takes nothing but plain texts.
_NAMES: dict[str, str] = {}


def named(name: str, text: str) -> str:
    """The text of a statement, which is known by this name from now on."""
    _NAMES[text] = name
    return text


def recording() -> Prepare | None:
    """What makes a new connection tell of its statements; None if nobody receives spans."""
    tracer = tracing.current_tracer()
    if tracer is None:
        return None

    def tell(query: LoggedQuery) -> None:
        _tell(tracer, query)

    async def prepare(connection: Any) -> None:
        connection.add_query_logger(tell)

    return prepare


def _tell(tracer: Tracer, query: LoggedQuery) -> None:
    """Called in the context of whoever asked, right after the answer."""
    if not trace.get_current_span().is_recording():
        return
    now = time.time_ns()
    name = _NAMES.get(query.query) or query.query.lstrip().split(None, 1)[0].lower()
    attributes = tracing.with_scan({"db.system.name": "postgresql", "db.query.summary": name})
    began = now - round(query.elapsed * 1e9)
    span = tracer.start_span(name, kind=SpanKind.CLIENT, attributes=attributes, start_time=began)
    if query.exception:
        tracing.failed(span, getattr(query.exception, "sqlstate", None) or type(query.exception).__qualname__)
    span.end(now)
