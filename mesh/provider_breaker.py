"""A circuit breaker for somebody else's service: one that fails again and again is left alone for a while.

Unlike the one for stores (`mesh.breaker`) it has no probe of its own, which would cost money or quota: a user's call
finds out whether the service is back.
"""

import time
from collections.abc import Callable


class ProviderBreaker:
    """Opens after failures in a row; then one call at a time may try, at growing intervals, until one succeeds.

    One a provider and process: what another process sees of the provider may differ.

    Args:
        clock: Monotonic seconds.
        failures: How many in a row open it.
        first_pause: Seconds it stays open at first; doubled by each try that fails.
        longest_pause: Seconds it stays open at most.
    """

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        *,
        failures: int = 5,
        first_pause: float = 5.0,
        longest_pause: float = 60.0,
    ) -> None:
        self._clock = clock
        self._most = failures
        self._first_pause = first_pause
        self._longest_pause = longest_pause
        self._failures = 0
        self._pause = first_pause
        self._tries_at = 0.0

    def open_for(self) -> float:
        """Seconds for which no call may be made; 0 if this one may. Of several that ask, only one is let through."""
        if self._failures < self._most:
            return 0.0
        wait = self._tries_at - self._clock()
        if wait <= 0:
            self._tries_at = self._clock() + self._pause  # whoever asks next waits for this one's outcome
            return 0.0
        return wait

    def succeeded(self) -> None:
        """The provider answers, if only to refuse."""
        self._failures = 0
        self._pause = self._first_pause

    def failed(self) -> None:
        """The provider is broken, silent or unreachable."""
        self._failures += 1
        if self._failures < self._most:
            return
        if self._failures > self._most:
            self._pause = min(self._pause * 2, self._longest_pause)
        self._tries_at = self._clock() + self._pause
