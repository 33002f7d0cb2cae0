"""Classifies a photo: loads, cleans and classifies it, and leaves only what is clean in storage."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import Generic, Protocol, TypeVar

from mesh.errors import EcoError, NotFound
from mesh.models.usage import Terms, Usage
from vision_svc.classifiers.cache import Cache
from vision_svc.classifiers.classification import Classification
from vision_svc.pending_copies import FINAL, PendingOutcomes
from vision_svc.photos.bulkhead import Bulkhead
from vision_svc.photos.locations import Location, Stored
from vision_svc.photos.memfile import MemFile, memfile
from vision_svc.photos.photos import Identity, Photo
from vision_svc.photos.storage import StoredPhoto

S = TypeVar("S")


class Phase(StrEnum):
    """The phases, in order."""

    FETCH = "FETCH"
    PREPARE = "PREPARE"
    CLASSIFY = "CLASSIFY"


@dataclass(frozen=True, slots=True)
class ClassifiedPhoto:
    """A classification and the photo it is of."""

    classification: Classification
    photo: Identity
    usage: Usage | None = None


@dataclass(frozen=True, slots=True)
class KnownFile:
    """The result of a file that was uploaded before.

    Attributes:
        photo: Which photo it is.
        key: Where its clean copy is, unless it was deleted since.
    """

    photo: Identity
    key: str


class Clean(Protocol):
    """Makes clean photos of files; `vision_svc.photos.decoder_pool.DecoderPool.clean`."""

    async def __call__(self, file: MemFile, account: str, *, batch: bool) -> Photo:
        """The photo in a file, cleaned for an account."""


class Classifiers(Protocol):
    """Classifies photos; `vision_svc.classifiers.fallback_chain.FallbackChain`."""

    async def known(self, identity: Identity) -> Classification | None:
        """The cached classification of a photo, if there is one."""

    async def classify(self, photo: Photo, terms: Terms) -> Classification:
        """What the photo shows; the cost is added to the terms' usage."""


class StoredPhotos(Protocol):
    """Our own storage; `vision_svc.photos.storage.PhotoStorage`."""

    def open(self, key: str, etag: str = "") -> AbstractAsyncContextManager[StoredPhoto]:
        """The photo with this object key, as it was uploaded or else as it was cleaned."""

    async def publish(self, original: StoredPhoto, photo: Photo) -> None:
        """Stores the clean copy; the original goes."""


class OutsidePhotos(Protocol):
    """Outside addresses; `vision_svc.photos.download.PhotoDownloader`."""

    async def load(self, address: str, into: MemFile) -> None:
        """Loads the photo at this address."""


@dataclass(frozen=True, slots=True)
class PhotoSource(Generic[S]):
    """A source with slots of its own, so that slow outside servers never delay photos from our own storage."""

    source: S
    bulkhead: Bulkhead


class PhotoClassifier:
    """Classifies photos.

    Args:
        stored: For photos in our own storage.
        outside: For photos at outside addresses.
        clean: The decoder.
        classifiers: The chain.
        known_files: Files that were uploaded before, by storage's fingerprint.
    """

    def __init__(
        self,
        stored: PhotoSource[StoredPhotos],
        outside: PhotoSource[OutsidePhotos],
        clean: Clean,
        classifiers: Classifiers,
        known_files: Cache[KnownFile],
    ) -> None:
        self._stored = stored
        self._outside = outside
        self._clean = clean
        self._classifiers = classifiers
        self._known_files = known_files
        self._pending = PendingOutcomes()

    def classify(self, location: Location, terms: Terms) -> AsyncGenerator[Phase | ClassifiedPhoto]:
        """Yields each phase as it begins, then the classified photo.

        Raises:
            EcoError: The photo can't be loaded, is refused, can't be classified, or its clean copy can't be stored.
        """
        if isinstance(location, Stored):
            return self._classify_stored(location, terms)
        return self._classify_outside(location.url, terms)

    async def _classify_outside(self, url: str, terms: Terms) -> AsyncGenerator[Phase | ClassifiedPhoto]:
        async with self._outside.bulkhead.slot(terms.account, batch=terms.batch):
            yield Phase.FETCH
            with memfile() as file:
                await self._outside.source.load(url, file)
                yield Phase.PREPARE
                photo = await self._clean(file, terms.account, batch=terms.batch)
        # The slot is free again: a hosted model takes seconds, and only the small copy is still in memory.
        yield Phase.CLASSIFY
        classification = await self._classifiers.classify(photo, terms)
        yield ClassifiedPhoto(classification, photo.identity, terms.meter.total)

    async def _classify_stored(self, location: Stored, terms: Terms) -> AsyncGenerator[Phase | ClassifiedPhoto]:
        async with self._stored.bulkhead.slot(terms.account, batch=terms.batch):
            yield Phase.FETCH
            async with self._stored.source.open(location.key, location.etag) as stored:
                if known := await self._recall(stored):
                    yield known
                    return
                with memfile() as file:
                    await stored.save(file)
                    yield Phase.PREPARE
                    identity = stored.identity
                    photo = (
                        Photo(file.content(), identity)
                        if identity
                        else await self._clean(file, terms.account, batch=terms.batch)
                    )
        if identity:
            yield Phase.CLASSIFY
            classification = await self._classifiers.classify(photo, terms)
        else:
            async with self._publishing(stored, photo, terms):
                yield Phase.CLASSIFY
                classify = partial(self._classifiers.classify, photo, terms)
                classification = await self._pending.outcome(stored.name, classify)
        yield ClassifiedPhoto(classification, photo.identity, terms.meter.total)

    @asynccontextmanager
    async def _publishing(self, stored: StoredPhoto, photo: Photo, terms: Terms) -> AsyncIterator[None]:
        """Stores the clean copy while the photo is classified, which takes longer.

        Whatever the classification ends in, no metadata stays in storage: if storage refuses the copy, the stage is
        retried for that alone, and the paid classification is cached by then.
        """
        publishing, failure = asyncio.create_task(self._publish(stored, photo)), None
        try:
            yield
        except EcoError as error:
            failure = error
            raise
        finally:
            try:
                await publishing
            except EcoError as error:
                # A failure that is retried must carry its cost.
                if failure is None or isinstance(failure, FINAL):
                    terms.meter.attach(error)
                    raise
            else:
                self._pending.forget(stored.name)

    async def _recall(self, stored: StoredPhoto) -> ClassifiedPhoto | None:
        """The result of a photo that was classified before; None if it must be loaded."""
        if stored.identity:
            known = await self._classifiers.known(stored.identity)
            return ClassifiedPhoto(known, stored.identity) if known else None
        repeat = await self._known_files.get(stored.fingerprint)
        known = await self._classifiers.known(repeat.photo) if repeat else None
        if repeat is None or known is None:
            return None
        if not await self._copy(repeat, stored):
            return None
        return ClassifiedPhoto(known, repeat.photo)

    async def _copy(self, repeat: KnownFile, stored: StoredPhoto) -> bool:
        """Publishes the clean copy that an earlier upload of the same file left; False if it is gone."""
        try:
            async with self._stored.source.open(repeat.key) as earlier:
                if earlier.identity != repeat.photo:
                    return False
                with memfile() as file:
                    await earlier.save(file)
                    photo = Photo(file.content(), repeat.photo)
        except NotFound:
            return False
        await self._publish(stored, photo)
        return True

    async def _publish(self, stored: StoredPhoto, photo: Photo) -> None:
        await self._stored.source.publish(stored, photo)
        self._known_files.put(stored.fingerprint, KnownFile(photo.identity, stored.copy_key))
