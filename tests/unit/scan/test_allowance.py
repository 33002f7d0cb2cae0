"""A pace by a clock that only tests move."""

from scan_svc.hidden_scans.allowance import Allowance


class _Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_the_pace_is_kept_whatever_a_tick_takes() -> None:
    """Ticks that take half as long again as planned cost no rows."""
    clock = _Clock()
    allowance, taken = Allowance(10, 10, 20, clock), 0
    for _ in range(40):
        taken += allowance.take(1000)
        clock.now += 1.5
    assert taken == 10 + 39 * 15


def test_what_is_not_taken_adds_up_to_a_bound() -> None:
    """A window that was full for minutes is no reason for thousands of rows at once."""
    clock = _Clock()
    allowance = Allowance(10, 10, 20, clock)
    clock.now += 600
    assert [allowance.take(5), allowance.take(1000), allowance.take(1000)] == [5, 15, 0]


def test_a_slow_pace_has_a_row_now_and_then() -> None:
    """A tick's part of a row adds up; a full window takes none, and owes none."""
    clock = _Clock()
    allowance, taken = Allowance(0.25, 0.25, 0.5, clock), []
    for _ in range(8):
        taken.append(allowance.take(1000))
        clock.now += 1
    assert taken == [0, 0, 0, 1, 0, 0, 0, 1]
    assert allowance.take(-3) == 0
