"""How much may be at work at once, and how large a message may be."""

import random
from collections.abc import Iterator
from contextlib import contextmanager

from mesh.errors import ResourceExhausted
from mesh.reasons import Reason

MOST_REQUEST_BYTES = 1 << 20
MOST_RESPONSE_BYTES = 4 << 20


class CallLimit:
    """How many unary calls may be at work at once; streams have limits of their own.

    Args:
        most: How many.

    Attributes:
        most: As above.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self._count = 0

    def enter(self) -> None:
        """One call more.

        Raises:
            ResourceExhausted: They are too many.
        """
        if self._count >= self.most:
            raise ResourceExhausted(Reason.LIMIT_EXCEEDED, limit="calls", retry_after=0.5 + random.random())
        self._count += 1

    def leave(self) -> None:
        """One call fewer."""
        self._count -= 1

    @contextmanager
    def aside(self) -> Iterator[None]:
        """One call fewer, while one only waits for something to happen."""
        self._count -= 1
        try:
            yield
        finally:
            self._count += 1
