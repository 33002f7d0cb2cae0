"""OpenTelemetry's provider of tracers, sending by OTLP to where OTEL_EXPORTER_OTLP_ENDPOINT says."""

from collections.abc import Iterator
from contextlib import contextmanager

from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Tracer

from mesh.observability.resource import resource_of


@contextmanager
def exporting(service: str) -> Iterator[Tracer]:
    """What makes spans that are exported; flushed and stopped at exit."""
    # Sampled as OTEL_TRACES_SAMPLER says.
    tracers = TracerProvider(resource=resource_of(f"eco2-{service}"), shutdown_on_exit=False)
    tracers.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    try:
        yield tracers.get_tracer("eco2")
    finally:
        tracers.shutdown()
