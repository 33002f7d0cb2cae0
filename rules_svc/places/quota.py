"""Limits calls to an outside service: responses are cached, calls are counted.

With Redis, replicas share cache and count; without it, or while it is down, each process has its own.
"""

import time
from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime
from typing import cast

from mesh.redis import DOWN, GuardedRedis

_MOST_ANSWERS = 2048
_DAY_SECONDS = 86_400


class AnswerCache:
    """Responses, kept for a while.

    Args:
        shared: Redis, if there is one.
        seconds: How long a response is kept.
        clock: Monotonic seconds.
    """

    def __init__(self, shared: GuardedRedis | None, seconds: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._shared = shared
        self._seconds = seconds
        self._clock = clock
        self._own: OrderedDict[str, tuple[float, bytes]] = OrderedDict()

    async def get(self, key: str) -> bytes | None:
        """A response, or None."""
        until, content = self._own.get(key, (0.0, b""))
        if until > self._clock():
            self._own.move_to_end(key)
            return content
        if (shared := self._shared) is None:
            return None
        try:
            found = await shared.execute("GET", key)
        except DOWN:
            return None
        return cast("bytes | None", found)

    async def put(self, key: str, content: bytes) -> None:
        """Keeps a response."""
        self._own[key] = (self._clock() + self._seconds, content)
        self._own.move_to_end(key)
        if len(self._own) > _MOST_ANSWERS:
            self._own.popitem(last=False)
        if (shared := self._shared) is not None:
            try:
                await shared.execute("SET", key, content, "EX", self._seconds)
            except DOWN:
                return


class DailyQuota:
    """Counts the calls of a day in Korea up to a limit.

    Args:
        shared: Redis, if there is one.
        limit: Calls a day.
        now: The time in Korea; the provider counts by its own day.
    """

    def __init__(self, shared: GuardedRedis | None, limit: int, now: Callable[[], datetime]) -> None:
        self._shared = shared
        self._limit = limit
        self._now = now
        self._day = ""
        self._count = 0

    async def take(self) -> bool:
        """Counts a call; False when the day's calls are spent."""
        day = f"{self._now():%Y%m%d}"
        if day != self._day:
            self._day, self._count = day, 0
        self._count += 1
        if self._count > self._limit:
            return False
        if (shared := self._shared) is None:
            return True
        key = f"kakao:calls:{day}"
        try:
            count: int = await shared.execute("INCR", key)
            if count == 1:
                await shared.execute("EXPIRE", key, 2 * _DAY_SECONDS)
        except DOWN:
            return True
        return count <= self._limit
