"""Snapshots that this process has read, for as long as it would hear of a change."""

import time
from collections.abc import Iterable
from typing import Generic, TypeVar

V = TypeVar("V")

HEARD_SECONDS = 1.0


class _Reading:
    """Stands in the place of what is being read."""

    __slots__ = ()


class InvalidatedCache(Generic[V]):
    """Keeps what was read until its change is heard of.

    Closed at first. Whoever hears of changes opens it once they are told of every one, drops what changed, and closes
    it when some may have been missed: what was read before is then of no use. What is on its way when its change is
    heard of isn't kept, since nobody knows whether it was read before or after. Nothing is given out once nothing has
    been heard for longer than `HEARD_SECONDS`, not even a sign of life: who tells of changes may be gone, and after
    that time others may show what changed.

    Args:
        limit: How many are kept; the one that was asked for longest ago goes first.
    """

    def __init__(self, limit: int = 4096) -> None:
        self._limit = limit
        self._held: dict[str, V | _Reading] = {}
        self._open = False
        self._heard_at = 0.0

    def open(self) -> None:
        """From now on every change is heard of."""
        self._held.clear()
        self._open = True
        self.heard()

    def close(self) -> None:
        """Changes may have been missed."""
        self._held.clear()
        self._open = False

    def heard(self) -> None:
        """Whoever tells of changes is alive."""
        self._heard_at = time.monotonic()

    def drop(self, keys: Iterable[str]) -> None:
        """These have changed."""
        for key in keys:
            self._held.pop(key, None)

    def get(self, key: str) -> V | None:
        """What is kept."""
        held = self._held.pop(key, None)
        if held is None or time.monotonic() - self._heard_at > HEARD_SECONDS:
            return None
        self._held[key] = held
        return None if isinstance(held, _Reading) else held

    def reading(self, key: str) -> _Reading | None:
        """Says that a key is going to be read; returns what `keep` wants to know."""
        if not self._open:
            return None
        held = self._held.get(key)
        if not isinstance(held, _Reading):
            held = self._held[key] = _Reading()
            if len(self._held) > self._limit:
                del self._held[next(iter(self._held))]
        return held

    def keep(self, key: str, reading: _Reading | None, value: V | None) -> None:
        """Keeps what was read, unless its change was heard of since `reading`; None is nothing to keep."""
        if reading is None or self._held.get(key) is not reading:
            return
        if value is None:
            del self._held[key]
        else:
            self._held[key] = value
