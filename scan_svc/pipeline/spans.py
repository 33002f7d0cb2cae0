"""Spans of what is done for a scan long after the call that submitted it."""

from contextlib import AbstractContextManager, nullcontext

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import Link

from mesh.observability import telemetry


def stage_span(tracer: trace.Tracer | None, stage: str, traceparent: str) -> AbstractContextManager[object]:
    """A span of one stage, linked to the trace that submitted the scan: that ended long ago, and can't be its parent.

    Args:
        tracer: Makes it; None if nobody receives spans.
        stage: The stage's name.
        traceparent: The trace that submitted the scan; empty if none.
    """
    if tracer is None:
        return nullcontext()
    submission = telemetry.remote_span(traceparent)
    links = [Link(submission.get_span_context())] if traceparent else []
    return tracer.start_as_current_span(f"stage {stage}", context=Context(), links=links)
