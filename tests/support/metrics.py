"""What was counted, in a test's own process."""

from collections.abc import Mapping
from typing import Any

from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

from mesh.observability.instruments import Instruments
from mesh.observability.metrics import Metric


class Counted:
    """Instruments, and what they have counted so far."""

    def __init__(self) -> None:
        self._reader = InMemoryMetricReader()
        provider = MeterProvider(metric_readers=[self._reader], shutdown_on_exit=False)
        self.instruments = Instruments(provider.get_meter("eco2"), exporting=True)

    def of(self, metric: Metric) -> Mapping[tuple[str, ...], float]:
        """Values by the values of the metric's attributes, in the order they are declared; "" for one that is absent.

        Of a histogram how often something was recorded.
        """
        points = self._points(metric)
        return {key: point.count if hasattr(point, "bucket_counts") else point.value for key, point in points.items()}

    def sums(self, metric: Metric) -> Mapping[tuple[str, ...], float]:
        """The sums of a histogram, as `of`."""
        return {key: point.sum for key, point in self._points(metric).items()}

    def names(self) -> set[str]:
        """What has been counted at all."""
        return {one.name for one in self._metrics()}

    def _points(self, metric: Metric) -> Mapping[tuple[str, ...], Any]:
        return {
            tuple(str(point.attributes.get(name, "")) for name in metric.attributes): point
            for one in self._metrics()
            if one.name == metric.name
            for point in one.data.data_points
        }

    def _metrics(self) -> list[Any]:
        collected: Any = self._reader.get_metrics_data()
        if collected is None:
            return []
        return [one for resource in collected.resource_metrics for scope in resource.scope_metrics
                for one in scope.metrics]  # fmt: skip
