"""What a metric is, before anybody counts: its name, its unit, its attributes, and what an operator reads from it.

Each package declares its own in a `metrics.py`. Instruments are made from these declarations alone
(`mesh.observability.instruments`), and so is docs/metrics.md.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import product

# How Prometheus spells units: semantic conventions' units by their words, and ours. Units in braces are left out.
_UNITS: Mapping[str, str] = {"s": "seconds", "By": "bytes", "usd": "usd"}


class Kind(StrEnum):
    """OpenTelemetry's kinds of instruments."""

    COUNTER = "counter"
    UP_DOWN_COUNTER = "updowncounter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric.

    Attributes:
        name: By OpenTelemetry's semantic conventions if they have one, else beginning with `eco2.`.
        kind: Its instrument.
        unit: By UCUM; in braces what is counted.
        description: What it tells; a sentence.
        attributes: Their values: a closed set, or a phrase that says which there can be. Never an id.
        buckets: Upper limits of a histogram's buckets.
        elected: Whether one Scan process tells it for all of them.
    """

    name: str
    kind: Kind
    unit: str
    description: str
    attributes: Mapping[str, Sequence[str] | str] = field(default_factory=dict)
    buckets: Sequence[float] = ()
    elected: bool = False

    @property
    def prometheus(self) -> str:
        """Its name at the Prometheus endpoint; a histogram's series add `_bucket`, `_sum` and `_count`."""
        name = self.name.replace(".", "_")
        if (unit := _UNITS.get(self.unit)) and not name.endswith(f"_{unit}"):
            name = f"{name}_{unit}"
        return f"{name}_total" if self.kind is Kind.COUNTER else name

    def combinations(self) -> Iterator[dict[str, str]]:
        """Every combination of its attributes' values, if all of them are closed sets; else none."""
        sets = list(self.attributes.values())
        if not any(isinstance(values, str) for values in sets):
            for combination in product(*sets):
                yield dict(zip(self.attributes, combination, strict=True))
