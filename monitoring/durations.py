"""Spans of time as Prometheus writes them, and how they are shortened for a test that can't wait for days."""

import re
from dataclasses import dataclass

MINUTE = 60
HOUR = 60 * MINUTE
DAY = 24 * HOUR

_MILLISECONDS = {"d": DAY * 1000, "h": HOUR * 1000, "m": MINUTE * 1000, "s": 1000, "ms": 1}
_RANGE = re.compile(r"\[(\d+)(ms|[dhms])\]")
_AGE = re.compile(r"\$\{(\d+)(ms|[dhms])\}")


@dataclass(frozen=True, slots=True)
class TimeScale:
    """How much shorter every span is than the one that is meant.

    Attributes:
        divisor: 1 for production; 60 makes a minute a second.
    """

    divisor: float = 1.0

    def seconds(self, span: float) -> float:
        """What is left of a span, in seconds."""
        return span / self.divisor

    def duration(self, span: float) -> str:
        """What is left of a span, as a duration of PromQL.

        Raises:
            ValueError: Less than a millisecond would be left.
        """
        return duration(self.seconds(span))

    def promql(self, template: str) -> str:
        """An expression with its spans shortened.

        Args:
            template: PromQL. A range such as `[5m]` becomes `[5s]` at 60; an age that a figure is compared with is
                written `${5m}` and becomes its seconds: 300, or 5 at 60.
        """
        text = _RANGE.sub(lambda found: f"[{self.duration(_seconds(found))}]", template)
        return _AGE.sub(lambda found: f"{self.seconds(_seconds(found)):g}", text)


def duration(seconds: float) -> str:
    """A duration of PromQL, in the largest unit that divides it.

    Raises:
        ValueError: It is less than a millisecond.
    """
    milliseconds = round(seconds * 1000)
    if milliseconds < 1:
        raise ValueError(f"{seconds} s are too short for Prometheus")
    unit, size = next((unit, size) for unit, size in _MILLISECONDS.items() if milliseconds % size == 0)
    return f"{milliseconds // size}{unit}"


def _seconds(found: re.Match[str]) -> float:
    count, unit = found.groups()
    return int(count) * _MILLISECONDS[unit] / 1000
