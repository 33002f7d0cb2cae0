"""One Redis subscription for each process of the API, handed out to its watchers."""

import asyncio
from collections import defaultdict
from typing import Any

from redis.asyncio import Redis

_NOBODY = "-"  # a channel without messages keeps the connection subscribed while nobody watches


class Events:
    """Who watches what.

    Args:
        client: Redis.
    """

    def __init__(self, client: "Redis") -> None:
        self._subscription = client.pubsub()
        self._queues: dict[str, set[asyncio.Queue[bytes]]] = defaultdict(set)
        self._subscribed: dict[str, asyncio.Future[None]] = {}

    async def run(self) -> None:
        """Hands messages out until it is cancelled."""
        await self._subscription.subscribe(_NOBODY)
        async for message in self._subscription.listen():
            self._handle(message)

    def _handle(self, message: Any) -> None:
        name = message["channel"].decode()
        if message["type"] == "message":
            for queue in self._queues.get(name, ()):
                queue.put_nowait(message["data"])
        elif message["type"] == "subscribe":
            waiting = self._subscribed.get(name)
            if waiting and not waiting.done():
                waiting.set_result(None)

    async def join(self, name: str) -> "asyncio.Queue[bytes]":
        """What is published on a channel from now on."""
        queue: asyncio.Queue[bytes] = asyncio.Queue()
        self._queues[name].add(queue)
        if name not in self._subscribed:
            self._subscribed[name] = asyncio.get_running_loop().create_future()
            await self._subscription.subscribe(name)
        await asyncio.shield(self._subscribed[name])  # before the caller reads the snapshot
        return queue

    async def leave(self, name: str, queue: "asyncio.Queue[bytes]") -> None:
        """Ends what `join` began."""
        self._queues[name].discard(queue)
        if not self._queues[name]:
            del self._queues[name], self._subscribed[name]
            await self._subscription.unsubscribe(name)
