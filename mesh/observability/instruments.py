"""Instruments, made from declared metrics; all services of a process share them, so each series exists once."""

from collections.abc import Callable, Iterable, Mapping
from typing import Self, TypeAlias

import structlog
from opentelemetry.metrics import Counter, Histogram, Meter, NoOpMeter, Observation

from mesh.observability.histograms import Histograms
from mesh.observability.metrics import Kind, Metric

_log = structlog.get_logger("metrics")

Reading: TypeAlias = tuple[float, Mapping[str, str]]
"""A value and its attributes."""

Read: TypeAlias = Callable[[], Iterable[Reading]]
"""Called by another thread, whenever somebody collects; quick, and without waiting for anything."""

_MAKERS: Mapping[Kind, Callable[[Meter], Callable[..., object]]] = {
    Kind.COUNTER: lambda meter: meter.create_observable_counter,
    Kind.UP_DOWN_COUNTER: lambda meter: meter.create_observable_up_down_counter,
    Kind.GAUGE: lambda meter: meter.create_observable_gauge,
}


class Instruments:
    """What a process counts with.

    Args:
        meter: Makes them.
        exporting: Whether anybody receives what is counted; else nothing is measured for it.
        histograms: For what happens at every call; None: the meter makes these, too.

    Attributes:
        exporting: As above.
    """

    def __init__(self, meter: Meter, *, exporting: bool, histograms: Histograms | None = None) -> None:
        self._meter = meter
        self._histograms = histograms
        self.exporting = exporting
        self._reads: dict[str, list[Read]] = {}

    @classmethod
    def off(cls) -> Self:
        """Instruments of a process that tells nobody."""
        return cls(NoOpMeter("eco2"), exporting=False)

    def counter(self, metric: Metric) -> Counter:
        """A counter. Where all attributes are closed sets every series begins with 0: rates see its first event."""
        assert metric.kind is Kind.COUNTER, metric.name
        counter = self._meter.create_counter(metric.name, metric.unit, metric.description)
        for attributes in metric.combinations():
            counter.add(0, attributes)
        return counter

    def histogram(self, metric: Metric) -> Histogram:
        """A histogram with the buckets that are declared."""
        assert metric.kind is Kind.HISTOGRAM, metric.name
        return self._meter.create_histogram(
            metric.name, metric.unit, metric.description, explicit_bucket_boundaries_advisory=metric.buckets
        )

    def series(self, metric: Metric, attributes: Mapping[str, str]) -> Callable[[float], None]:
        """Records values of a histogram with these attributes: for what happens at every call."""
        if self._histograms:
            return self._histograms.series(metric, attributes)
        histogram = self.histogram(metric)
        return lambda value: histogram.record(value, attributes)

    def observe(self, metric: Metric, read: Read) -> None:
        """Has a metric read whenever somebody collects: what is counted anyway needs no call for each event.

        Several may tell the same metric, with other attributes each.
        """
        if not self.exporting:
            return
        reads = self._reads.setdefault(metric.name, [])
        reads.append(read)
        if len(reads) == 1:
            make = _MAKERS[metric.kind](self._meter)
            make(metric.name, callbacks=[lambda _: _observed(metric, reads)], unit=metric.unit,
                 description=metric.description)  # fmt: skip


def _observed(metric: Metric, reads: Iterable[Read]) -> Iterable[Observation]:
    for read in list(reads):
        try:
            yield from [Observation(value, attributes) for value, attributes in read()]
        except Exception:  # the other metrics of this collection must not be lost for it
            _log.exception("metric not read", metric=metric.name)
