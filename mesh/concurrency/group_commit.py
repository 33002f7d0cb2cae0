"""Group commit: writes that are due at the same time share one statement and one fsync."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Generic, TypeVar

from mesh import outages
from mesh.observability import tracing

K = TypeVar("K")
T = TypeVar("T")
R = TypeVar("R")

# The statement itself is nobody's alone: each who waits for it has a span of their own.
_ATTRIBUTES: Mapping[str, str | bool] = {"db.system.name": "postgresql", "eco2.db.shared": True}


class GroupCommit(Generic[K, T, R]):
    """Collects writes while a commit is under way and commits them together next.

    An idle system waits for nobody: the first write starts at once, and takes along what was asked for in the same
    turn of the event loop. Under load the commit itself sets the pace, so a write is late by one commit at most.

    A write that can't be stored, such as a text with a NUL character, fails alone: its batch is written again in halves
    until it stands by itself; so does one that meets a damaged page or a lock. That is safe because a statement that
    failed wrote nothing; after an outage of everything, or one that leaves it open what was written, nothing is
    repeated here.

    Args:
        commit: Writes a batch in one statement; returns the outcome of each write by its key. A key that is missing
            wasn't written.
        name: What is written, in spans.
        limit: Writes in one batch at most.
    """

    def __init__(self, commit: Callable[[Sequence[T]], Awaitable[Mapping[K, R]]], name: str, limit: int = 256) -> None:
        self._commit = commit
        self._name = name
        self._limit = limit
        self._waiting: list[tuple[K, T, asyncio.Future[R | None]]] = []
        self._writer: asyncio.Task[None] | None = None

    async def write(self, key: K, item: T) -> R | None:
        """Writes one item with its neighbours.

        Args:
            key: Tells its outcome apart from its neighbours'.
            item: What to write.

        Returns:
            Its outcome; None if it changed nothing.

        Raises:
            Exception: What the commit raised: of this item alone, or an outage of everyone in the batch.
        """
        done: asyncio.Future[R | None] = asyncio.get_running_loop().create_future()
        self._waiting.append((key, item, done))
        if self._writer is None:
            self._writer = asyncio.create_task(self._drain(), name="group commit")
        with tracing.asking(self._name, _ATTRIBUTES):
            return await done

    async def _drain(self) -> None:
        tracing.alone()
        try:
            while self._waiting:
                batch, self._waiting = self._waiting[: self._limit], self._waiting[self._limit :]
                await self._settle(batch)
        finally:
            self._writer = None

    async def _settle(self, batch: Sequence[tuple[K, T, "asyncio.Future[R | None]"]]) -> None:
        try:
            outcomes = await self._commit([item for _, item, _ in batch])
        except Exception as error:
            if len(batch) > 1 and (outages.is_confined(error) or outages.from_exception(error) is None):
                middle = len(batch) // 2
                await self._settle(batch[:middle])
                await self._settle(batch[middle:])
                return
            for _, _, done in batch:
                if not done.done():
                    done.set_exception(error)
            return
        for key, _, done in batch:
            if not done.done():  # its scan was cancelled meanwhile
                done.set_result(outcomes.get(key))
