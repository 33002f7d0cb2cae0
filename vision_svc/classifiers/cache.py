"""Results kept for a week: classifications by photo, and photos by storage's fingerprint.

They are kept in this process and, if one is set, in Redis, which all processes share. While Redis is down more is
computed again, without an error. Nothing personal is kept: keys are digests, values are categories.
"""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import MappingProxyType
from typing import Generic, TypeVar

import msgspec
import structlog

from mesh.models.usage import Terms
from mesh.observability.stores import Lookups
from mesh.redis import DOWN, GuardedRedis
from vision_svc.classifiers.classification import Classification
from vision_svc.classifiers.fallback_chain import Classifier
from vision_svc.photos.photos import Identity, Photo

_log = structlog.get_logger("cache")

_SECONDS = 7 * 24 * 3600
_HERE = 1_000  # kept in the process: a few kilobytes each

T = TypeVar("T")


class Cache(Generic[T]):
    """Values of one kind, by key.

    Args:
        redis: Shared by all processes; None for this process alone.
        prefix: Of the keys in Redis.
        kind: The values' type.
        lookups: Counts what it knows; None: nobody does.
    """

    def __init__(self, redis: GuardedRedis | None, prefix: str, kind: type[T], lookups: Lookups | None = None) -> None:
        self._redis = redis
        self._prefix = prefix
        self._lookups = lookups
        self._here: OrderedDict[str, T] = OrderedDict()
        self._decoder = msgspec.json.Decoder(kind)
        self._telling: set[asyncio.Task[None]] = set()

    async def get(self, key: str) -> T | None:
        """The value, if it is known."""
        value = await self._find(key)
        if self._lookups:
            self._lookups.found(value is not None)
        return value

    async def _find(self, key: str) -> T | None:
        if key in self._here:
            self._here.move_to_end(key)
            return self._here[key]
        redis = self._redis
        if redis is None:
            return None
        try:
            kept = await redis.execute("GET", self._prefix + key)
            value = self._decoder.decode(kept) if kept else None
        except DOWN as error:
            _log.debug("cache unavailable", error=repr(error))
            return None
        except msgspec.MsgspecError:  # written by another release
            return None
        if value is not None:
            self._keep(key, value)
        return value

    def put(self, key: str, value: T) -> None:
        """Keeps a value. It is written to Redis in the background."""
        self._keep(key, value)
        if self._redis is not None:
            telling = asyncio.create_task(self._tell(self._redis, key, value))
            self._telling.add(telling)
            telling.add_done_callback(self._telling.discard)

    async def settled(self) -> None:
        """Waits until all values are written to Redis, or failed to be."""
        await asyncio.gather(*self._telling)

    async def _tell(self, redis: GuardedRedis, key: str, value: T) -> None:
        try:
            text = msgspec.json.encode(value, enc_hook=_plain)
            await redis.execute("SET", self._prefix + key, text, "EX", _SECONDS)
        except DOWN as error:
            _log.debug("cache unavailable", error=repr(error))

    def _keep(self, key: str, value: T) -> None:
        self._here[key] = value
        if len(self._here) > _HERE:
            self._here.popitem(last=False)


@asynccontextmanager
async def open_cache(
    redis: GuardedRedis | None, prefix: str, kind: type[T], lookups: Lookups | None = None
) -> AsyncIterator[Cache[T]]:
    """A cache that writes outstanding values to Redis before the block ends; arguments as for `Cache`."""
    memory = Cache(redis, prefix, kind, lookups)
    try:
        yield memory
    finally:
        await memory.settled()


class CachedClassifier:
    """A classifier that classifies a photo once a week at most.

    Args:
        classifier: Asked for photos that aren't in the cache.
        classifications: By the photo's digest and the classifier's version; independent of the locale.
    """

    def __init__(self, classifier: Classifier, classifications: Cache[Classification]) -> None:
        self._classifier = classifier
        self._classifications = classifications

    @property
    def name(self) -> str:
        """The classifier's."""
        return self._classifier.name

    @property
    def version(self) -> str:
        """The classifier's."""
        return self._classifier.version

    async def known(self, identity: Identity) -> Classification | None:
        """The classification of a photo, if it is in the cache."""
        return await self._classifications.get(f"{identity.digest}:{self.version}")

    async def classify(self, photo: Photo, terms: Terms) -> Classification:
        """As the chain's port says."""
        found = await self.known(photo.identity)
        if found is None:
            found = await self._classifier.classify(photo, terms)
            self._classifications.put(f"{photo.digest}:{self.version}", found)
        return found


def _plain(value: object) -> object:
    if isinstance(value, MappingProxyType):
        return dict(value)
    raise NotImplementedError  # msgspec's word for a type that can't be encoded
