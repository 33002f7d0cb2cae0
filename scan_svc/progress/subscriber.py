"""Which scans changed, and which are read, as Redis tells it: one subscription a process, whoever wants to know."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager

from redis.asyncio.client import PubSub

from mesh.concurrency.silence_timeout import PARTS
from mesh.concurrency.tasks import kept_running
from mesh.redis import DOWN, GuardedRedis, answer
from scan_svc.progress import readers, snapshots
from scan_svc.progress.cache import InvalidatedCache
from scan_svc.progress.progress import Progress
from scan_svc.progress.snapshots import ENDED_MARK, Snapshot
from scan_svc.progress.watchers import Watchers, WatchLimits

# A connection that says nothing, not even to a ping, for this long is given up: it may be half open. It is listened to
# in parts, of which a stall of this process costs one.
_SILENCE_SECONDS = 0.5
_POLL_SECONDS = 0.5

# Called with the words of each message.
Hear = Callable[[Sequence[str]], None]


class Subscriber:
    """Calls back on each message; when some may have been missed, and repeatedly while Redis is down, says so.

    Args:
        redis: Redis.
        hear: Who hears the messages of each channel.
        missed: Called when any message may have been missed.
        cache: What was read, open while every message is heard; None where nothing is read.
    """

    def __init__(
        self,
        redis: GuardedRedis,
        hear: Mapping[str, Hear],
        missed: Callable[[], None],
        cache: InvalidatedCache[Snapshot] | None = None,
    ) -> None:
        self._redis = redis
        self._hear = hear
        self._missed = missed
        self._cache = cache

    async def run(self) -> None:
        """Subscribes for ever, again after every failure."""
        while True:
            if self._redis.breaker.closed:
                try:
                    async with self._redis.client.pubsub() as channels:
                        await answer(channels.subscribe(*self._hear))
                        await self._listen(channels)
                except DOWN as error:
                    self._redis.breaker.open(error)
                finally:
                    if self._cache:
                        self._cache.close()
            self._missed()
            await asyncio.sleep(_POLL_SECONDS)

    async def _listen(self, channels: PubSub) -> None:
        """Hands messages on until the connection fails or falls silent."""
        silent = 0
        while self._redis.breaker.closed:
            message = await answer(channels.get_message(timeout=_SILENCE_SECONDS / PARTS))
            if message is None:
                silent += 1
                if silent == PARTS:
                    await answer(channels.ping())
                elif silent == 2 * PARTS:
                    raise TimeoutError("the subscription fell silent")
                continue
            silent = 0
            if self._cache:
                self._cache.mark_alive()
            if message["type"] == "message":
                self._hear[message["channel"].decode()](message["data"].decode().split(" "))
            elif message["type"] == "subscribe" and message["data"] == len(self._hear):
                # The last of the channels. redis-py reconnects in silence; this is its only sign, and what came
                # meanwhile is lost.
                if self._cache:
                    self._cache.open()
                self._missed()


@asynccontextmanager
async def open_watchers(
    limits: WatchLimits, redis: GuardedRedis, progress: Progress, ended: Callable[[int], None], *, works: bool
) -> AsyncIterator[Watchers]:
    """The watchers of this process; they get every change until the block is left.

    Args:
        limits: How many may watch.
        redis: Tells of changes.
        progress: Where scans are read.
        ended: Called with how many scans have ended.
        works: Whether this process works on scans, too, and is told who reads them.
    """
    watchers, cache = Watchers(progress.reader.read, limits, progress.readers.mark), progress.snapshots.cache

    def changed(words: Sequence[str]) -> None:
        count = sum(word.endswith(ENDED_MARK) for word in words)
        if count:
            ended(count)
        scan_ids = [word.removesuffix(ENDED_MARK) for word in words]
        cache.drop(scan_ids)
        watchers.changed(scan_ids)

    def missed() -> None:
        progress.readers.forget()
        watchers.missed()

    hear: dict[str, Hear] = {snapshots.CHANNEL: changed}
    if works:
        hear[readers.CHANNEL] = progress.pacer.arrived
    async with kept_running(Subscriber(redis, hear, missed, cache).run):
        yield watchers


@asynccontextmanager
async def told_of_readers(redis: GuardedRedis, progress: Progress) -> AsyncIterator[None]:
    """Tells a process that only works who reads scans, until the block is left."""
    subscriber = Subscriber(redis, {readers.CHANNEL: progress.pacer.arrived}, missed=_late)
    async with kept_running(subscriber.run):
        yield


def _late() -> None:
    """A reader who came meanwhile is told of what he misses a second later."""
