"""When a call that didn't succeed is sent again."""

import random
from collections.abc import Callable

from eco2_client.errors import Disconnected, Eco2Error, ResourceExhausted, TimedOut

_FIRST_SECONDS = 0.2
_MOST_SECONDS = 5.0
_SPREAD = 0.2


class Attempts:
    """The tries of one call, until it succeeds or its time is up.

    Pauses double from try to try and vary, so that many who met the same outage don't come back at the same moment.
    What the API says about when to come back counts for more.

    Args:
        now: Monotonic clock, in seconds.
        seconds: How long all tries together may take.
        repeatable: Whether the call may be sent again when it may have arrived.
    """

    def __init__(self, now: Callable[[], float], seconds: float, *, repeatable: bool = True) -> None:
        self._now = now
        self._ends = now() + seconds
        self._repeatable = repeatable
        self._failed = 0

    @property
    def again(self) -> bool:
        """Whether this isn't the first try."""
        return self._failed > 0

    def left(self) -> float:
        """How many seconds are left.

        Raises:
            TimedOut: None.
        """
        if (left := self._ends - self._now()) <= 0:
            raise TimedOut("it didn't succeed in the time given")
        return left

    def progressed(self) -> None:
        """Says that something came: the next failure is a first one."""
        self._failed = 0

    def pause_after(self, error: Eco2Error) -> float:
        """How many seconds to wait before the next try.

        Raises:
            Eco2Error: The error itself: another try makes no sense, may do harm, or would come too late.
        """
        if not error.temporary or not (self._repeatable or _surely_undone(error)):
            raise error
        pause = random.uniform(0, min(_MOST_SECONDS, _FIRST_SECONDS * 2**self._failed))
        if error.retry_after is not None:
            pause = error.retry_after * random.uniform(1, 1 + _SPREAD)
        if self._now() + pause >= self._ends:
            raise error
        self._failed = min(self._failed + 1, 10)
        return pause


def _surely_undone(error: Eco2Error) -> bool:
    return isinstance(error, ResourceExhausted) or (isinstance(error, Disconnected) and not error.sent)
