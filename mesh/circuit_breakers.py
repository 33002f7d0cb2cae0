"""Circuit breakers: one for a store that everybody can do without, one for a model provider.

Libraries let a user's call find out whether the other side is back; on a frozen store that call waits for the time-out.
`CircuitBreaker` asks with a probe of its own, in the background. `ProviderBreaker` has no probe, which would cost money
or quota: one user's call at a time finds out.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from enum import Enum

import structlog

from mesh.concurrency.tasks import end

_log = structlog.get_logger("breaker")

_FIRST_PAUSE = 0.05
_LONGEST_PAUSE = 1.0


class CircuitState(Enum):
    """What happens to a call."""

    CLOSED = "closed"  # it is made
    OPEN = "open"  # it is refused at once
    HALF_OPEN = "half-open"  # it is refused; the probe is under way


class CircuitOpen(ConnectionError):
    """The store is down, and wasn't even asked."""


class CircuitBreaker:
    """Lets calls through until somebody says that one has failed, then none until the probe has succeeded.

    Args:
        name: Of the store, for the log.
        failures: Exceptions that mean the store is down.
        probe: Asks the store for something small; raises one of the failures while it is down.

    Attributes:
        opened_at: When it was found to be down last, on the monotonic clock.
    """

    def __init__(
        self, name: str, failures: tuple[type[Exception], ...], probe: Callable[[], Awaitable[object]]
    ) -> None:
        self._name = name
        self._failures = failures
        self._probe = probe
        self._state = CircuitState.CLOSED
        self.opened_at = 0.0
        self._probing: asyncio.Task[None] | None = None
        self._closed_again: list[Callable[[], None]] = []

    @property
    def state(self) -> CircuitState:
        """Whether calls are let through."""
        return self._state

    @property
    def closed(self) -> bool:
        """Whether calls are let through."""
        return self._state is CircuitState.CLOSED

    def when_closed(self, callback: Callable[[], None]) -> None:
        """Calls back each time the store has come back."""
        self._closed_again.append(callback)

    def demand(self) -> None:
        """Before every call.

        Raises:
            CircuitOpen: The breaker is open; the call must not be made.
        """
        if self._state is not CircuitState.CLOSED:
            raise CircuitOpen(f"{self._name} is down")

    def open(self, error: Exception) -> None:
        """Lets no calls through until the store is back: a call has failed."""
        if self._state is CircuitState.CLOSED:
            _log.warning("store unavailable", store=self._name, error=repr(error))
            self._state = CircuitState.OPEN
            self.opened_at = time.monotonic()
            self._probing = asyncio.create_task(self._ask_again(), name=f"{self._name} probe")

    async def aclose(self) -> None:
        """Lets no calls through any more."""
        if self._probing:
            await end(self._probing)
        self._state = CircuitState.OPEN

    async def _ask_again(self) -> None:
        pause = _FIRST_PAUSE
        while self._state is not CircuitState.CLOSED:
            await asyncio.sleep(pause)
            self._state = CircuitState.HALF_OPEN
            try:
                await self._probe()
            except Exception as error:
                if not isinstance(error, self._failures):
                    _log.exception("probe broke", store=self._name)  # a fault of ours; the next one may go well
                self._state = CircuitState.OPEN
                pause = min(pause * 2, _LONGEST_PAUSE)
            else:
                self._state = CircuitState.CLOSED
        _log.warning("store back", store=self._name)
        for callback in self._closed_again:
            callback()


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

    @property
    def open(self) -> bool:
        """Whether calls are refused, but for one that may try now and then."""
        return self._failures >= self._most

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
