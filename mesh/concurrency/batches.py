"""Look-ups that share a round trip."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from itertools import islice
from typing import Generic, TypeVar

from mesh.observability import tracing

K = TypeVar("K")
V = TypeVar("V")


class Batches(Generic[K, V]):
    """Look-ups asked for while one is under way are made together, in the next one.

    Whoever asks for the same key shares its answer, but nobody gets one that was on its way before they asked. An idle
    store is asked at once; under load its own pace sets the size of the batches.

    Args:
        fetch: Looks many keys up in one round trip; a key that is missing has no value, and an exception in a value's
            place is raised for those who asked for that key alone.
        limit: Keys in one batch at most.
    """

    def __init__(self, fetch: Callable[[Sequence[K]], Awaitable[Mapping[K, V | Exception]]], limit: int = 256) -> None:
        self._fetch = fetch
        self._limit = limit
        self._waiting: dict[K, list[asyncio.Future[V | None]]] = {}
        self._fetching: asyncio.Task[None] | None = None

    async def get(self, key: K) -> V | None:
        """The value of one key; None if it has none.

        Raises:
            Exception: Whatever `fetch` raised, for everyone in the batch; or what stands in the value's place.
        """
        found: asyncio.Future[V | None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(key, []).append(found)
        if self._fetching is None:
            self._fetching = asyncio.create_task(self._drain(), name="batches")
        return await found

    async def _drain(self) -> None:
        tracing.alone()  # what is looked up for many is no single one's
        try:
            while self._waiting:
                keys = list(islice(self._waiting, self._limit))  # who has waited longest goes first
                await self._settle([(key, self._waiting.pop(key)) for key in keys])
        finally:
            self._fetching = None

    async def _settle(self, batch: "Sequence[tuple[K, list[asyncio.Future[V | None]]]]") -> None:
        try:
            values = await self._fetch([key for key, _ in batch])
        except Exception as error:
            for _, waiting in batch:
                for found in waiting:
                    if not found.done():
                        found.set_exception(error)
            return
        for key, waiting in batch:
            value = values.get(key)
            for found in waiting:
                if found.done():  # who asked has left
                    continue
                if isinstance(value, Exception):
                    found.set_exception(value)
                else:
                    found.set_result(value)
