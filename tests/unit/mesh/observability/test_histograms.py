"""Histograms of our own among OpenTelemetry's: both ways out have them, as the SDK would tell them."""

from collections.abc import Iterator
from typing import Any

import pytest
from opentelemetry.exporter.otlp.proto.common.metrics_encoder import encode_metrics
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import (
    InMemoryMetricReader,
    MetricExporter,
    MetricExportResult,
    MetricsData,
)

from mesh.observability.histograms import Histograms
from mesh.observability.instruments import Instruments
from mesh.observability.metrics import Kind, Metric
from mesh.observability.readers import ExportingReader

_SECONDS = Metric("eco2.test.seconds", Kind.HISTOGRAM, "s", "Seconds.", {"eco2.stage": ("vision",)}, (0.1, 0.5, 1))
_OTHER = Metric("eco2.test.other", Kind.COUNTER, "{job}", "Jobs.")
_VALUES = (0.05, 0.1, 0.100001, 0.5, 0.7, 1, 2, 300)


class _Collector(MetricExporter):
    """Keeps what was sent."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[MetricsData] = []

    def export(self, metrics_data: MetricsData, timeout_millis: float = 10_000, **_: Any) -> MetricExportResult:
        self.sent.append(metrics_data)
        return MetricExportResult.SUCCESS

    def force_flush(self, timeout_millis: float = 10_000) -> bool:
        return True

    def shutdown(self, timeout_millis: float = 30_000, **_: Any) -> None:
        """Nothing is left to send."""


def _points(data: Any) -> Iterator[tuple[str, Any]]:
    for resource in data.resource_metrics:
        for scope in resource.scope_metrics:
            for metric in scope.metrics:
                for point in metric.data.data_points:
                    yield metric.name, point


@pytest.fixture
def expected() -> Any:
    """What the SDK makes of the values."""
    reader = InMemoryMetricReader()
    provider = MeterProvider([reader], shutdown_on_exit=False)
    record = Instruments(provider.get_meter("eco2"), exporting=True).series(_SECONDS, {"eco2.stage": "vision"})
    for value in _VALUES:
        record(value)
    return dict(_points(reader.get_metrics_data()))[_SECONDS.name]


def test_ours_are_exported_as_the_sdk_would_export_them(expected: Any) -> None:
    """Whoever receives them can't tell which they are."""
    collector, histograms = _Collector(), Histograms()
    reader = ExportingReader(collector, histograms)
    provider = MeterProvider([reader], shutdown_on_exit=False)
    instruments = Instruments(provider.get_meter("eco2"), exporting=True, histograms=histograms)
    instruments.counter(_OTHER).add(1)
    record = instruments.series(_SECONDS, {"eco2.stage": "vision"})
    for value in _VALUES:
        record(value)
    provider.force_flush()
    provider.shutdown()
    points = dict(_points(collector.sent[0]))
    ours = points[_SECONDS.name]
    assert points.keys() == {_SECONDS.name, _OTHER.name}
    for field in ("attributes", "count", "sum", "bucket_counts", "explicit_bounds"):
        assert tuple(_plain(getattr(ours, field))) == tuple(_plain(getattr(expected, field))), field


def test_nobody_is_told_of_extremes_that_arent_known() -> None:
    """A smallest and a largest value of 0 would be believed."""
    collector, histograms = _Collector(), Histograms()
    provider = MeterProvider([ExportingReader(collector, histograms)], shutdown_on_exit=False)
    instruments = Instruments(provider.get_meter("eco2"), exporting=True, histograms=histograms)
    instruments.counter(_OTHER).add(1)
    instruments.series(_SECONDS, {"eco2.stage": "vision"})(0.7)
    provider.force_flush()
    provider.shutdown()
    metrics = encode_metrics(collector.sent[0]).resource_metrics[0].scope_metrics[0].metrics
    (point,) = next(metric.histogram.data_points for metric in metrics if metric.name == _SECONDS.name)
    assert (point.count, point.HasField("min"), point.HasField("max")) == (1, False, False)


def _plain(value: Any) -> list[Any]:
    if isinstance(value, int | float):
        return [pytest.approx(value)]
    return sorted(value.items()) if hasattr(value, "items") else list(value)
