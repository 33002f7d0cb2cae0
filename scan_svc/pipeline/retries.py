"""Whether a stage that failed is tried again, and when."""

import random
from dataclasses import dataclass

from mesh import outages
from mesh.errors import EcoError, FailedPrecondition, InvalidArgument, NotFound, Unauthenticated, Unimplemented
from mesh.reasons import Reason

# Errors that another try can't mend.
PERMANENT = (InvalidArgument, NotFound, FailedPrecondition, Unauthenticated, Unimplemented)

_BACKOFF_LIMIT = 120.0
# The longest pause while a store is down; the longer it has been, the longer the pause.
_OUTAGE_LIMIT = 15.0


@dataclass(frozen=True, slots=True)
class Retry:
    """Another try of a stage.

    Attributes:
        delay: Seconds until then.
        counts: Whether the one that failed counts as a try.
    """

    delay: float
    counts: bool


@dataclass(frozen=True, slots=True)
class Tries:
    """What has been tried.

    Attributes:
        made: Tries of the stage so far, the one that failed included.
        most: How many it may have.
        age: Seconds since the scan was queued.
        seconds_left: Seconds until the scan's end.
    """

    made: int
    most: int
    age: float
    seconds_left: float


def next_try(error: EcoError, tries: Tries, backoff_seconds: float) -> Retry | None:
    """The next try of a stage; None if there is none: the scan has failed.

    Args:
        error: How the last one failed.
        tries: What has been tried.
        backoff_seconds: The longest pause before the second try.
    """
    # While a store is down nothing can be done and nothing is lost: that takes of the scan's time, not its tries.
    store_away = outages.of_store(error)
    if isinstance(error, PERMANENT) or error.reason is Reason.SCAN_TIMED_OUT:
        return None
    # A peer who asks to be left alone until after the scan's end, such as a day's spent budget, has said no.
    if (error.retry_after or 0.0) > tries.seconds_left or (tries.made >= tries.most and not store_away):
        return None
    delay = backoff(backoff_seconds, tries.made, error)
    if store_away:
        delay = max(delay, random.uniform(0, min(_OUTAGE_LIMIT, tries.age / 2)))
    return Retry(delay, counts=not store_away)


def backoff(base: float, attempt: int, error: EcoError) -> float:
    """Seconds until the next try: exponential with full jitter, but never before a peer asked for."""
    limit = min(_BACKOFF_LIMIT, base * 2 ** (attempt - 1))
    return max(random.uniform(0, limit), min(error.retry_after or 0.0, _BACKOFF_LIMIT))
