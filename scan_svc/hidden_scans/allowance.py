"""How many rows may begin by now."""

from collections.abc import Callable


class Allowance:
    """So many a second by the clock, whatever else took time; what isn't taken adds up to a bound.

    Args:
        per_second: Rows.
        first: Rows that may begin at once.
        most: Rows that what isn't taken adds up to; one at least.
        clock: Seconds, from anywhere.
    """

    def __init__(self, per_second: float, first: float, most: float, clock: Callable[[], float]) -> None:
        self._per_second = per_second
        self._most = max(1.0, most)
        self._clock = clock
        self._at = clock()
        self._left = min(first, self._most)

    def take(self, at_most: int) -> int:
        """Takes as many as there are, up to a number."""
        now = self._clock()
        self._left = min(self._left + (now - self._at) * self._per_second, self._most)
        self._at = now
        taken = max(0, min(int(self._left), at_most))
        self._left -= taken
        return taken
