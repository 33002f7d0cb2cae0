"""Which scans changed, as Redis tells it: one subscription a process, whoever watches."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

from redis.asyncio.client import PubSub

from mesh.concurrency.silence_timeout import PARTS
from mesh.concurrency.tasks import kept_running
from mesh.redis import DOWN, GuardedRedis, answer
from scan_svc.progress.cache import InvalidatedCache
from scan_svc.progress.progress import Progress
from scan_svc.progress.snapshots import CHANNEL, ENDED_MARK, Snapshot
from scan_svc.progress.watchers import Watchers, WatchLimits

# A connection that says nothing, not even to a ping, for this long is given up: it may be half open. It is listened to
# in parts, of which a stall of this process costs one.
_SILENCE_SECONDS = 0.5
_POLL_SECONDS = 0.5


class Subscriber:
    """Calls back on each change; when changes may have been missed, and repeatedly while Redis is down, says so.

    Args:
        redis: Redis.
        cache: What was read; open while every change is announced.
        changed: Called with the scans that changed.
        missed: Called when any scan may have changed.
        ended: Called with how many scans have ended.
    """

    def __init__(
        self,
        redis: GuardedRedis,
        cache: InvalidatedCache[Snapshot],
        changed: Callable[[Sequence[str]], None],
        missed: Callable[[], None],
        ended: Callable[[int], None],
    ) -> None:
        self._redis = redis
        self._cache = cache
        self._changed = changed
        self._missed = missed
        self._ended = ended

    async def run(self) -> None:
        """Subscribes for ever, again after every failure."""
        while True:
            if self._redis.breaker.closed:
                try:
                    async with self._redis.client.pubsub() as channel:
                        await answer(channel.subscribe(CHANNEL))
                        await self._hear(channel)
                except DOWN as error:
                    self._redis.breaker.open(error)
                finally:
                    self._cache.close()
            self._missed()
            await asyncio.sleep(_POLL_SECONDS)

    async def _hear(self, channel: PubSub) -> None:
        """Hands messages on until the connection fails or falls silent."""
        silent = 0
        while self._redis.breaker.closed:
            message = await answer(channel.get_message(timeout=_SILENCE_SECONDS / PARTS))
            if message is None:
                silent += 1
                if silent == PARTS:
                    await answer(channel.ping())
                elif silent == 2 * PARTS:
                    raise TimeoutError("the subscription fell silent")
                continue
            silent = 0
            self._cache.mark_alive()
            if message["type"] == "message":
                self._tell(message["data"].decode().split(" "))
            elif message["type"] == "subscribe":
                # redis-py reconnects in silence; this is its only sign, and what came meanwhile is lost.
                self._cache.open()
                self._missed()

    def _tell(self, words: Sequence[str]) -> None:
        ended = sum(word.endswith(ENDED_MARK) for word in words)
        if ended:
            self._ended(ended)
        scan_ids = [word.removesuffix(ENDED_MARK) for word in words]
        self._cache.drop(scan_ids)
        self._changed(scan_ids)


@asynccontextmanager
async def open_watchers(
    limits: WatchLimits, redis: GuardedRedis, progress: Progress, ended: Callable[[int], None]
) -> AsyncIterator[Watchers]:
    """The watchers of this process; they get every change until the block is left.

    Args:
        limits: How many may watch.
        redis: Tells of changes.
        progress: Where scans are read.
        ended: Called with how many scans have ended.
    """
    watchers = Watchers(progress.reader.read, progress.owners.owned, limits)
    subscriber = Subscriber(redis, progress.snapshots.cache, watchers.changed, watchers.missed, ended)
    async with kept_running(subscriber.run), kept_running(progress.owners.run):
        yield watchers
