"""A receiver of OTLP over gRPC: the spans that others have exported."""

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import grpc
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2, metrics_service_pb2_grpc
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2, trace_service_pb2_grpc
from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.trace.v1 import trace_pb2


@dataclass(frozen=True, slots=True)
class Received:
    """A span.

    Attributes:
        service: Whose.
        span: It, as it came.
        attributes: Its attributes.
    """

    service: str
    span: trace_pb2.Span
    attributes: Mapping[str, Any]

    @property
    def name(self) -> str:
        """Its name."""
        return self.span.name

    @property
    def trace_id(self) -> str:
        """32 hex digits."""
        return self.span.trace_id.hex()

    @property
    def code(self) -> str:
        """How an RPC ended."""
        return str(self.attributes.get("rpc.response.status_code", ""))


class Receiver(trace_service_pb2_grpc.TraceServiceServicer, metrics_service_pb2_grpc.MetricsServiceServicer):
    """Keeps what comes.

    Attributes:
        target: Where it listens.
        requests: The exports of spans, as they came.
    """

    def __init__(self) -> None:
        self.target = ""
        self.requests: list[trace_service_pb2.ExportTraceServiceRequest] = []

    def Export(self, request: Any, context: Any) -> Any:
        if isinstance(request, metrics_service_pb2.ExportMetricsServiceRequest):
            return metrics_service_pb2.ExportMetricsServiceResponse()
        self.requests.append(request)
        return trace_service_pb2.ExportTraceServiceResponse()

    def spans(self) -> list[Received]:
        """All spans so far."""
        return [
            Received(_attributes(part.resource.attributes)["service.name"], span, _attributes(span.attributes))
            for request in (*self.requests,)
            for part in request.resource_spans
            for scope in part.scope_spans
            for span in scope.spans
        ]

    def of_scan(self, scan_id: str) -> list[Received]:
        """The spans about one scan."""
        return [one for one in self.spans() if one.attributes.get("eco2.scan.id") == scan_id]

    def of_trace(self, trace_id: str) -> list[Received]:
        """The spans of one trace."""
        return [one for one in self.spans() if one.trace_id == trace_id]


def _attributes(pairs: Any) -> Mapping[str, Any]:
    return {pair.key: _value(pair) for pair in pairs}


def _value(pair: KeyValue) -> Any:
    return getattr(pair.value, pair.value.WhichOneof("value") or "string_value")


@contextmanager
def receiving() -> Iterator[Receiver]:
    """A receiver that listens while the block lasts, in threads of its own."""
    receiver, server = Receiver(), grpc.server(ThreadPoolExecutor(2))
    trace: Any = trace_service_pb2_grpc  # untyped
    metrics: Any = metrics_service_pb2_grpc
    trace.add_TraceServiceServicer_to_server(receiver, server)
    metrics.add_MetricsServiceServicer_to_server(receiver, server)
    receiver.target = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    server.start()
    try:
        yield receiver
    finally:
        server.stop(None).wait()
