"""Histograms for what happens at every call: a thirtieth of what OpenTelemetry's SDK takes to record a value.

Its attributes are known beforehand, so a value is a number in a list. Readers add what was counted to what the SDK has
collected.
"""

import time
from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from mesh.observability.metrics import Metric

if TYPE_CHECKING:
    from opentelemetry.sdk.metrics import export


class Series:
    """Values with the same attributes.

    Args:
        attributes: As declared.
        limits: Upper limits of the buckets.
    """

    __slots__ = ("_limits", "attributes", "counts", "total")

    def __init__(self, attributes: Mapping[str, str], limits: Sequence[float]) -> None:
        self.attributes = attributes
        self.counts = [0] * (len(limits) + 1)
        self.total = 0.0
        self._limits = limits

    def record(self, value: float) -> None:
        """One more."""
        self.counts[bisect_left(self._limits, value)] += 1
        self.total += value


class Histograms:
    """Those of a process."""

    def __init__(self) -> None:
        self._began = time.time_ns()
        self._series: dict[str, tuple[Metric, list[Series]]] = {}

    def series(self, metric: Metric, attributes: Mapping[str, str]) -> Callable[[float], None]:
        """What records values with these attributes, once for all; the caller keeps it."""
        series = Series(attributes, metric.buckets)
        self._series.setdefault(metric.name, (metric, []))[1].append(series)
        return series.record

    def added_to(self, collected: "export.MetricsData") -> "export.MetricsData":
        """What the SDK has collected, and these."""
        own = [self._metric(metric, list(series)) for metric, series in list(self._series.values())]
        resource = collected.resource_metrics[0]
        scope = resource.scope_metrics[0]
        scopes = [replace(scope, metrics=[*scope.metrics, *own]), *resource.scope_metrics[1:]]
        return replace(collected, resource_metrics=[replace(resource, scope_metrics=scopes)])

    def _metric(self, metric: Metric, series: Sequence[Series]) -> "export.Metric":
        from opentelemetry.sdk.metrics import export

        points = [self._point(one, metric.buckets) for one in series]
        data = export.Histogram(points, export.AggregationTemporality.CUMULATIVE)
        return export.Metric(metric.name, metric.description, metric.unit, data)

    def _point(self, series: Series, limits: Sequence[float]) -> "export.HistogramDataPoint":
        from opentelemetry.sdk.metrics import export

        counts = list(series.counts)  # another thread counts on
        return export.HistogramDataPoint(
            attributes=dict(series.attributes),
            start_time_unix_nano=self._began,
            time_unix_nano=time.time_ns(),
            count=sum(counts),
            sum=series.total,
            bucket_counts=counts,
            explicit_bounds=limits,
            min=None,  # type: ignore[arg-type]  # not known, and left out by OTLP
            max=None,  # type: ignore[arg-type]
        )
