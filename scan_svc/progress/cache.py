"""Snapshots that this process has read, kept while Redis announces every change to it."""

import time
from collections.abc import Iterable
from typing import Generic, TypeVar

V = TypeVar("V")

SILENT_SECONDS = 1.0


class _Reading:
    """Marks a key whose value is being read."""

    __slots__ = ()


class InvalidatedCache(Generic[V]):
    """Keeps what was read until its change is announced.

    Closed at first. The subscriber opens the cache once it receives every announcement, drops what has changed, and
    closes the cache when announcements may have been missed, which empties it. A read that is under way when its key's
    change is announced isn't kept, since it may have come before or after the change. Nothing is returned when the
    connection to Redis has been silent for longer than `SILENT_SECONDS`, without even a heartbeat: it may be broken,
    and by then other processes may show what changed.

    Args:
        limit: How many are kept; the one that was asked for longest ago goes first.
    """

    def __init__(self, limit: int = 4096) -> None:
        self._limit = limit
        self._held: dict[str, V | _Reading] = {}
        self._open = False
        self._alive_at = 0.0

    def open(self) -> None:
        """From now on every change is announced."""
        self._held.clear()
        self._open = True
        self.mark_alive(time.monotonic())

    def close(self) -> None:
        """Changes may have been missed."""
        self._held.clear()
        self._open = False

    def mark_alive(self, at: float) -> None:
        """The connection that announces changes delivered something then, on the monotonic clock."""
        self._alive_at = at

    def drop(self, keys: Iterable[str]) -> None:
        """These have changed."""
        for key in keys:
            self._held.pop(key, None)

    def get(self, key: str) -> V | None:
        """What is kept."""
        held = self._held.pop(key, None)
        if held is None or time.monotonic() - self._alive_at > SILENT_SECONDS:
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
        """Keeps what was read, unless its change was announced since `reading`; None is nothing to keep."""
        if reading is None or self._held.get(key) is not reading:
            return
        if value is None:
            del self._held[key]
        else:
            self._held[key] = value
