"""Where what was counted goes: OpenTelemetry's readers, with our own histograms among what they pass on."""

from typing import Any

from opentelemetry.exporter.prometheus import PrometheusMetricReader
from opentelemetry.sdk.metrics.export import MetricExporter, MetricsData, PeriodicExportingMetricReader
from prometheus_client import CollectorRegistry

from mesh.observability.histograms import Histograms


class ScrapedReader(PrometheusMetricReader):
    """Collects when somebody scrapes.

    Args:
        registry: What is scraped.
        histograms: Ours.
    """

    def __init__(self, registry: CollectorRegistry, histograms: Histograms) -> None:
        self._histograms = histograms
        # All series of a process come from one meter, so a label for it would only make each line longer.
        super().__init__(scope_info_enabled=False, registry=registry)

    def _receive_metrics(self, metrics_data: MetricsData, timeout_millis: float = 10_000, **kwargs: Any) -> None:
        super()._receive_metrics(self._histograms.added_to(metrics_data), timeout_millis, **kwargs)


class ExportingReader(PeriodicExportingMetricReader):
    """Collects once a minute, or as often as OpenTelemetry's variables say, and sends it.

    Args:
        exporter: Where it goes.
        histograms: Ours.
    """

    def __init__(self, exporter: MetricExporter, histograms: Histograms) -> None:
        self._histograms = histograms
        super().__init__(exporter)

    def _receive_metrics(self, metrics_data: MetricsData, timeout_millis: float = 10_000, **kwargs: Any) -> None:
        super()._receive_metrics(self._histograms.added_to(metrics_data), timeout_millis, **kwargs)
