"""Waking workers when there is something to do."""

import asyncio
from collections.abc import Awaitable, Callable


class Notifier:
    """Wakes workers for one kind of job: the one in this process if it has room, or else all that listen.

    NOTIFY serialises commits, so it isn't part of a submission's transaction, many rings at once are one notification,
    and where the work is taken on the spot there is none. One that is lost costs a worker's poll interval, no more.

    Args:
        ring: Sends one notification.
        at_home: Wakes the worker in this process; False if there is none, or it has no room.
    """

    def __init__(self, ring: Callable[[], Awaitable[object]], at_home: Callable[[], bool] = lambda: False) -> None:
        self._notify = ring
        self._at_home = at_home
        self._again = False
        self._ringing: asyncio.Task[None] | None = None

    def notify(self) -> None:
        """There is work. Returns at once."""
        if self._at_home():
            return
        self._again = True
        if self._ringing is None:
            self._ringing = asyncio.create_task(self._loop(), name="notifier")

    async def _loop(self) -> None:
        try:
            while self._again:
                self._again = False
                await self._notify()
        except Exception:  # the poll finds the work all the same
            self._again = False
        finally:
            self._ringing = None
