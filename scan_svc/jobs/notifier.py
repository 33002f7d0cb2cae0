"""Telling workers, wherever they are, that there is something to do."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import asyncpg

from mesh.postgres import Queries


class Notifier:
    """Wakes workers when a job is to be claimed: the one in this process if it has room, or else all that listen.

    NOTIFY serialises commits, so it isn't part of a submission's transaction, many wake-ups at once are one
    notification, and where the work is taken on the spot there is none. One that is lost costs a worker's poll
    interval, no more.

    Args:
        pool: Connections.
        enabled: Whether anybody is woken for jobs at all; else workers poll.
    """

    def __init__(self, pool: asyncpg.Pool, *, enabled: bool = True) -> None:
        self._pool = pool
        self._sql = Queries("scan_svc.jobs")
        self._enabled = enabled
        self._local: Callable[[str], bool] | None = None
        self._due: set[str] = set()
        self._sending: asyncio.Task[None] | None = None

    @contextmanager
    def asking_first(self, local: Callable[[str], bool]) -> Iterator[None]:
        """While the block lasts, wakes the worker in this process first.

        Args:
            local: Wakes it for jobs of one kind; False if it has no room for them.
        """
        self._local = local
        try:
            yield
        finally:
            self._local = None

    def wake(self, kind: str) -> None:
        """There is a job of this kind to claim. Returns at once."""
        if not self._enabled or (self._local and self._local(kind)):
            return
        self._due.add(kind)
        if self._sending is None:
            self._sending = asyncio.create_task(self._send(), name="notifier")

    async def ask_for_progress(self) -> None:
        """Asks the workers to store the progress that they have shown."""
        await self._pool.execute(self._sql["ask_for_progress"])

    async def _send(self) -> None:
        try:
            while self._due:
                await self._pool.execute(self._sql["notify"], self._due.pop())
        except Exception:  # the poll finds the work all the same
            self._due.clear()
        finally:
            self._sending = None
