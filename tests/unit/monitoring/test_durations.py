"""Spans of time: as Prometheus writes them, and shortened."""

import pytest

from monitoring.durations import DAY, HOUR, TimeScale, duration


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(300, "5m"), (3600, "1h"), (28 * DAY, "28d"), (90, "90s"), (0.5, "500ms"), (36 * HOUR, "36h")],
)
def test_a_duration_takes_the_largest_unit(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_what_is_too_short_is_refused() -> None:
    """Prometheus would take 0s for a range of nothing."""
    with pytest.raises(ValueError, match="too short"):
        TimeScale(1_000_000).duration(60)


def test_every_span_of_an_expression_is_shortened() -> None:
    """Ranges and ages alike; a figure that is no time stays."""
    template = "rate(a[5m]) > 5 and b > ${1m} unless increase(c[1h])"
    assert TimeScale(60).promql(template) == "rate(a[5s]) > 5 and b > 1 unless increase(c[1m])"
    assert TimeScale().promql(template) == "rate(a[5m]) > 5 and b > 60 unless increase(c[1h])"
