"""OpenTelemetry's provider of tracers, sending by OTLP to where OTEL_EXPORTER_OTLP_ENDPOINT says."""

from collections.abc import Iterator
from contextlib import contextmanager

from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import DEFAULT_ON
from opentelemetry.trace import Tracer


@contextmanager
def exporting(service: str) -> Iterator[Tracer]:
    """What makes spans that are exported; flushed and stopped at exit."""
    resource = Resource.create({"service.name": f"eco2-{service}"})
    tracers = TracerProvider(DEFAULT_ON, resource, shutdown_on_exit=False)
    tracers.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    try:
        yield tracers.get_tracer("eco2")
    finally:
        tracers.shutdown()
