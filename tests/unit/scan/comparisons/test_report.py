"""The arithmetic of a comparison's report, against values from textbooks and other software."""

import math

import pytest

from scan_svc.comparisons.report import Accuracy, Interval, mcnemar


@pytest.mark.parametrize(
    ("right", "of", "low", "high"),
    [(8, 10, 0.4902, 0.9433), (0, 10, 0.0, 0.2775), (10, 10, 0.7225, 1.0), (81, 263, 0.2553, 0.3662)],
)
def test_an_interval_is_wilsons(right: int, of: int, low: float, high: float) -> None:
    """Newcombe's worked example 81 of 263, and R's `binom::binom.wilson`; it never leaves 0 to 1."""
    interval = Interval.wilson(right, of)
    assert (interval.share, round(interval.low, 4), round(interval.high, 4)) == (right / of, low, high)


@pytest.mark.parametrize(
    ("only_before", "only_after", "p_value"),
    [(0, 0, 1.0), (1, 9, 0.021484375), (9, 1, 0.021484375), (5, 5, 1.0), (0, 5, 0.0625), (4, 12, 0.076812744140625)],
)
def test_whether_sides_differ_is_told_by_mcnemars_exact_test(only_before: int, only_after: int, p_value: float) -> None:
    """As R's `binom.test(min(b, c), b + c)` says."""
    assert mcnemar(only_before, only_after) == pytest.approx(p_value)


def test_thousands_of_scans_overflow_nothing() -> None:
    """As floats the coefficients would; by the normal approximation it is as probable as this."""
    p_value = mcnemar(2900, 3100)
    z = (200 - 1) / math.sqrt(6000)
    assert p_value == pytest.approx(math.erfc(z / math.sqrt(2)), rel=0.01)
    assert mcnemar(0, 6000) == 0.0
    assert mcnemar(3000, 3000) == 1.0


def test_where_nobody_said_anything_there_is_no_accuracy() -> None:
    """Not one of zero, nor of a hundred."""
    assert Accuracy.of(0, 0, 0, 0, 0) is None
