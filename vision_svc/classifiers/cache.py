"""What was found out once isn't asked again for a week: opinions by photo, and photos by storage's fingerprint.

Kept in this process and, where there is one, in Redis, which all processes share. Redis may be away: then it is
slower, and never an error. Nothing here is a person's: keys are digests, values are categories.
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
    """

    def __init__(self, redis: GuardedRedis | None, prefix: str, kind: type[T]) -> None:
        self._redis = redis
        self._prefix = prefix
        self._here: OrderedDict[str, T] = OrderedDict()
        self._decoder = msgspec.json.Decoder(kind)
        self._telling: set[asyncio.Task[None]] = set()

    async def get(self, key: str) -> T | None:
        """The value, if it is known."""
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
            _log.debug("cache away", error=repr(error))
            return None
        except msgspec.MsgspecError:  # written by another release
            return None
        if value is not None:
            self._keep(key, value)
        return value

    def put(self, key: str, value: T) -> None:
        """Keeps a value. Redis is told beside: nobody's answer waits for that."""
        self._keep(key, value)
        if self._redis is not None:
            telling = asyncio.create_task(self._tell(self._redis, key, value))
            self._telling.add(telling)
            telling.add_done_callback(self._telling.discard)

    async def settled(self) -> None:
        """Waits until Redis has been told everything, or can't be."""
        await asyncio.gather(*self._telling)

    async def _tell(self, redis: GuardedRedis, key: str, value: T) -> None:
        try:
            text = msgspec.json.encode(value, enc_hook=_plain)
            await redis.execute("SET", self._prefix + key, text, "EX", _SECONDS)
        except DOWN as error:
            _log.debug("cache away", error=repr(error))

    def _keep(self, key: str, value: T) -> None:
        self._here[key] = value
        if len(self._here) > _HERE:
            self._here.popitem(last=False)


@asynccontextmanager
async def open_cache(redis: GuardedRedis | None, prefix: str, kind: type[T]) -> AsyncIterator[Cache[T]]:
    """A memory that tells Redis what it has to tell before the block ends; arguments as for `Cache`."""
    memory = Cache(redis, prefix, kind)
    try:
        yield memory
    finally:
        await memory.settled()


class CachedClassifier:
    """A classifier that never looks twice at what it has seen within a week.

    Args:
        classifier: What looks.
        opinions: What it saw, by the photo's digest and the classifier's version; locale-free.
    """

    def __init__(self, classifier: Classifier, opinions: Cache[Classification]) -> None:
        self._classifier = classifier
        self._opinions = opinions

    @property
    def name(self) -> str:
        """The classifier's."""
        return self._classifier.name

    @property
    def version(self) -> str:
        """The classifier's."""
        return self._classifier.version

    async def known(self, identity: Identity) -> Classification | None:
        """What it said of a photo, if it has seen it."""
        return await self._opinions.get(f"{identity.digest}:{self.version}")

    async def classify(self, photo: Photo, terms: Terms) -> Classification:
        """As the chain's port says."""
        found = await self.known(photo.identity)
        if found is None:
            found = await self._classifier.classify(photo, terms)
            self._opinions.put(f"{photo.digest}:{self.version}", found)
        return found


def _plain(value: object) -> object:
    if isinstance(value, MappingProxyType):
        return dict(value)
    raise NotImplementedError  # msgspec's word for a type that can't be encoded
