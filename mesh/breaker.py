"""A circuit breaker for a store that everybody can do without.

Libraries let a user's call find out whether the store is back; on a frozen store that call waits for the time-out.
Here nobody's does: while the breaker is open a probe of its own asks, in the background.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from enum import Enum

import structlog

from mesh.tasks import end

_log = structlog.get_logger("breaker")

_FIRST_PAUSE = 0.05
_LONGEST_PAUSE = 1.0


class State(Enum):
    """What happens to a call."""

    CLOSED = "closed"  # it is made
    OPEN = "open"  # it is refused at once
    HALF_OPEN = "half-open"  # it is refused; the probe is under way


class Away(ConnectionError):
    """The store is away, and wasn't even asked."""


class Breaker:
    """Lets calls through until somebody says that one has failed, then none until the probe has succeeded.

    Args:
        name: Of the store, for the log.
        failures: Exceptions that mean the store is away.
        probe: Asks the store for something small; raises one of the failures while it is away.

    Attributes:
        opened_at: When it was found away last, on the monotonic clock.
    """

    def __init__(
        self, name: str, failures: tuple[type[Exception], ...], probe: Callable[[], Awaitable[object]]
    ) -> None:
        self._name = name
        self._failures = failures
        self._probe = probe
        self._state = State.CLOSED
        self.opened_at = 0.0
        self._probing: asyncio.Task[None] | None = None
        self._closed_again: list[Callable[[], None]] = []

    @property
    def state(self) -> State:
        """Whether calls are let through."""
        return self._state

    @property
    def closed(self) -> bool:
        """Whether calls are let through."""
        return self._state is State.CLOSED

    def when_closed(self, callback: Callable[[], None]) -> None:
        """Calls back each time the store has come back."""
        self._closed_again.append(callback)

    def demand(self) -> None:
        """Before every call.

        Raises:
            Away: The breaker is open; the call must not be made.
        """
        if self._state is not State.CLOSED:
            raise Away(f"{self._name} is away")

    def open(self, error: Exception) -> None:
        """Lets no calls through until the store is back: a call has failed."""
        if self._state is State.CLOSED:
            _log.warning("store away", store=self._name, error=repr(error))
            self._state = State.OPEN
            self.opened_at = time.monotonic()
            self._probing = asyncio.create_task(self._ask_again(), name=f"{self._name} probe")

    async def aclose(self) -> None:
        """Lets no calls through any more."""
        if self._probing:
            await end(self._probing)
        self._state = State.OPEN

    async def _ask_again(self) -> None:
        pause = _FIRST_PAUSE
        while self._state is not State.CLOSED:
            await asyncio.sleep(pause)
            self._state = State.HALF_OPEN
            try:
                await self._probe()
            except Exception as error:
                if not isinstance(error, self._failures):
                    _log.exception("probe broke", store=self._name)  # a fault of ours; the next one may go well
                self._state = State.OPEN
                pause = min(pause * 2, _LONGEST_PAUSE)
            else:
                self._state = State.CLOSED
        _log.warning("store back", store=self._name)
        for callback in self._closed_again:
            callback()
