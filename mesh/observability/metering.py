"""Where a process's metrics go: by OTLP to OTEL_EXPORTER_OTLP_ENDPOINT, and to whoever scrapes ECO2_METRICS_ADDRESS.

With neither nothing is measured.
"""

import errno
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from mesh.observability.histograms import Histograms
from mesh.observability.instruments import Instruments
from mesh.settings import Misconfigured

if TYPE_CHECKING:
    from opentelemetry.sdk.metrics.export import MetricReader

_CLOSE_SECONDS = 5.0
_NO_IPV6 = (errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL)


@contextmanager
def metering(service: str, address: str) -> Iterator[Instruments]:
    """The instruments of a process; flushed and stopped at exit.

    Args:
        service: Its name.
        address: `host:port` of its Prometheus endpoint; empty for none.

    Raises:
        Misconfigured: The address is taken, or can't be one.
    """
    otlp = bool(os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT"))
    if not (otlp or address):
        yield Instruments.off()
        return
    # Here, since OpenTelemetry's SDK and exporters take time and memory of every process that exports nothing.
    from opentelemetry.sdk.metrics import MeterProvider

    from mesh.observability.resource import resource_of

    with ExitStack() as held:
        readers: list[MetricReader] = []
        histograms = Histograms()
        if otlp:
            from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter

            from mesh.observability.readers import ExportingReader

            readers.append(ExportingReader(OTLPMetricExporter(), histograms))
        if address:
            readers.append(held.enter_context(_endpoint(address, histograms)))
        meters = MeterProvider(metric_readers=readers, resource=resource_of(service), shutdown_on_exit=False)
        held.callback(meters.shutdown)
        yield Instruments(meters.get_meter("eco2"), exporting=True, histograms=histograms)


@contextmanager
def _endpoint(address: str, histograms: Histograms) -> "Iterator[MetricReader]":
    """Serves `GET /metrics` by a thread of its own."""
    from prometheus_client import CollectorRegistry, start_http_server

    from mesh.observability.readers import ScrapedReader

    registry = CollectorRegistry()
    reader = ScrapedReader(registry, histograms)
    host, _, port = address.rpartition(":")
    host = host.strip("[]")
    try:
        try:
            server, thread = start_http_server(int(port), host, registry)
        except OSError as error:
            if host != "::" or error.errno not in _NO_IPV6:
                raise
            server, thread = start_http_server(int(port), "0.0.0.0", registry)  # as gRPC does with its own
    except (OSError, OverflowError, UnicodeError) as error:  # the last two of a port and a name that are none
        raise Misconfigured(f"ECO2_METRICS_ADDRESS: can't listen on {address}") from error
    try:
        yield reader
    finally:
        server.shutdown()
        server.server_close()
        thread.join(_CLOSE_SECONDS)
