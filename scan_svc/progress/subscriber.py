"""Which scans changed, as Redis tells it: one subscription a process, whoever watches."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

from mesh.concurrency.tasks import kept_running
from mesh.redis import DOWN, GuardedRedis, Moving
from scan_svc.meters import ScanMeters
from scan_svc.progress.cache import InvalidatedCache
from scan_svc.progress.keys import ENDED_MARK, ScanKeys
from scan_svc.progress.progress import Progress
from scan_svc.progress.snapshots import Snapshot
from scan_svc.progress.watchers import Watchers, WatchLimits

_POLL_SECONDS = 0.5
_MOVED_SECONDS = 0.1


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
            pause = _POLL_SECONDS
            if self._redis.breaker.closed:
                try:
                    await self._hear()
                    if self._redis.breaker.closed:  # channels have moved
                        pause = _MOVED_SECONDS
                except Moving:
                    pause = _MOVED_SECONDS
                except DOWN as error:
                    self._redis.breaker.open(error)
                finally:
                    self._cache.close()
            self._missed()
            await asyncio.sleep(pause)

    async def _hear(self) -> None:
        """Hands messages on until a connection fails or falls silent, channels move, or Redis is down."""
        async with self._redis.subscribed(ScanKeys(self._redis.sharded).channels) as subscription:
            self._cache.open()
            self._missed()

            def heard(message: bytes | None) -> None:
                self._cache.mark_alive(subscription.heard_at)
                if message:
                    self._tell(message.decode().split(" "))

            await subscription.listen(heard, lambda: self._redis.breaker.closed)

    def _tell(self, words: Sequence[str]) -> None:
        ended = sum(word.endswith(ENDED_MARK) for word in words)
        if ended:
            self._ended(ended)
        scan_ids = [word.removesuffix(ENDED_MARK) for word in words]
        self._cache.drop(scan_ids)
        self._changed(scan_ids)


@asynccontextmanager
async def open_watchers(
    limits: WatchLimits, redis: GuardedRedis, progress: Progress, ended: Callable[[int], None], meters: ScanMeters
) -> AsyncIterator[Watchers]:
    """The watchers of this process; they get every change until the block is left.

    Args:
        limits: How many may watch.
        redis: Tells of changes.
        progress: Where scans are read.
        ended: Called with how many scans have ended.
        meters: Count those who watch.
    """
    watchers = Watchers(progress.reader.read, progress.owners.owned, limits, meters)
    subscriber = Subscriber(redis, progress.snapshots.cache, watchers.changed, watchers.missed, ended)
    async with kept_running(subscriber.run), kept_running(progress.owners.run):
        yield watchers
