"""A circuit breaker: a provider that fails again and again is left alone for a while."""

from collections.abc import Callable

_FAILURES = 5
_FIRST_PAUSE = 5.0
_LONGEST_PAUSE = 60.0


class Breaker:
    """Opens after five failures in a row; then one call at a time may try, at growing intervals, until one succeeds.

    One a model and process: what another process sees of the provider may differ.

    Args:
        clock: Monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._failures = 0
        self._pause = _FIRST_PAUSE
        self._opens_at = 0.0

    def closed_for(self) -> float:
        """Seconds for which no call may be made; 0 if this one may. Of several that ask, only one is let through."""
        if self._failures < _FAILURES:
            return 0.0
        wait = self._opens_at - self._clock()
        if wait <= 0:
            self._opens_at = self._clock() + self._pause  # whoever asks next waits for this one's outcome
            return 0.0
        return wait

    def succeeded(self) -> None:
        """The provider answers, if only to refuse."""
        self._failures = 0
        self._pause = _FIRST_PAUSE

    def failed(self) -> None:
        """The provider is broken, silent or unreachable."""
        self._failures += 1
        if self._failures == _FAILURES:
            self._opens_at = self._clock() + self._pause
        elif self._failures > _FAILURES:
            self._pause = min(self._pause * 2, _LONGEST_PAUSE)
            self._opens_at = self._clock() + self._pause
