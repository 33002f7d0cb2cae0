"""One look at a photo: load it, prepare it, classify it; and let nothing but a clean copy stay in storage."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import Generic, Protocol, TypeVar

from mesh.errors import EcoError, NotFound
from mesh.models.usage import Terms, Usage
from mesh.storage import StoredObject
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
    """The steps, in order."""

    FETCH = "FETCH"
    PREPARE = "PREPARE"
    CLASSIFY = "CLASSIFY"


@dataclass(frozen=True, slots=True)
class ClassifiedPhoto:
    """What was found, and in what."""

    classification: Classification
    photo: Identity
    usage: Usage | None = None


@dataclass(frozen=True, slots=True)
class KnownFile:
    """What became of a file that has been here before.

    Attributes:
        photo: Which photo it is.
        key: Where its clean copy is, unless it was deleted since.
    """

    photo: Identity
    key: str


Clean = Callable[[MemFile], Awaitable[Photo]]
"""Makes a clean photo of a file; `vision_svc.photos.decoder_pool.Decoders.clean`."""


class Classifiers(Protocol):
    """Who tells what a photo shows; `vision_svc.classifiers.fallback_chain.Chain`."""

    async def known(self, identity: Identity) -> Classification | None:
        """What is known of a photo already."""

    async def classify(self, photo: Photo, terms: Terms) -> Classification:
        """What the photo shows; what it costs goes on the bill of the terms."""


class StoredPhotos(Protocol):
    """Our own storage; `vision_svc.photos.storage.PhotoStorage`."""

    def open(self, key: str) -> AbstractAsyncContextManager[StoredPhoto]:
        """The photo with this object key."""

    async def replace(self, key: str, original: StoredObject, photo: Photo) -> str:
        """Puts the clean copy where the original was."""


class OutsidePhotos(Protocol):
    """Outside addresses; `vision_svc.photos.download.PhotoWeb`."""

    async def load(self, address: str, into: MemFile) -> None:
        """Loads the photo at this address."""


@dataclass(frozen=True, slots=True)
class PhotoSource(Generic[S]):
    """A source with its own places, so that strangers' slow servers never hold up our own storage."""

    source: S
    bulkhead: Bulkhead


class PhotoClassifier:
    """Looks at photos.

    Args:
        stored: For photos in our own storage.
        outside: For photos at outside addresses.
        clean: The decoder.
        classifiers: Who looks.
        known_files: Files that have been here before, by what storage vouches for.
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
        self._looks = PendingOutcomes()

    def classify(self, location: Location, terms: Terms) -> AsyncGenerator[Phase | ClassifiedPhoto]:
        """Yields each phase as it begins, then the finding.

        Raises:
            EcoError: The photo can't be had, isn't one we take, nobody can tell what it shows, or its original can't
                be replaced by the clean copy.
        """
        if isinstance(location, Stored):
            return self._look_at_ours(location.key, terms)
        return self._look_outside(location.url, terms)

    async def _look_outside(self, url: str, terms: Terms) -> AsyncGenerator[Phase | ClassifiedPhoto]:
        async with self._outside.bulkhead.slot():
            yield Phase.FETCH
            with memfile() as file:
                await self._outside.source.load(url, file)
                yield Phase.PREPARE
                photo = await self._clean(file)
        # The place is free again: a hosted model takes seconds, and of the photo only the small copy is left.
        yield Phase.CLASSIFY
        classification = await self._classifiers.classify(photo, terms)
        yield ClassifiedPhoto(classification, photo.identity, terms.bill.total)

    async def _look_at_ours(self, key: str, terms: Terms) -> AsyncGenerator[Phase | ClassifiedPhoto]:
        async with self._stored.bulkhead.slot():
            yield Phase.FETCH
            async with self._stored.source.open(key) as stored:
                if known := await self._recall(stored):
                    yield known
                    return
                with memfile() as file:
                    await stored.save(file)
                    yield Phase.PREPARE
                    identity = stored.identity
                    photo = Photo(file.content(), identity) if identity else await self._clean(file)
        if identity:
            yield Phase.CLASSIFY
            classification = await self._classifiers.classify(photo, terms)
        else:
            async with self._replacing(stored, photo, terms):
                yield Phase.CLASSIFY
                look = partial(self._classifiers.classify, photo, terms)
                classification = await self._looks.outcome(stored.name, look)
        yield ClassifiedPhoto(classification, photo.identity, terms.bill.total)

    @asynccontextmanager
    async def _replacing(self, stored: StoredPhoto, photo: Photo, terms: Terms) -> AsyncIterator[None]:
        """Replaces an original beside the look at it, which takes longer.

        Whatever comes of the look, no place, no camera stays in storage: if storage doesn't take the copy the stage is
        tried again for that alone, and what was paid for is known by then.
        """
        replacing, failure = asyncio.create_task(self._replace(stored, photo)), None
        try:
            yield
        except EcoError as error:
            failure = error
            raise
        finally:
            try:
                await replacing
            except EcoError as error:
                # A failure that is tried again must count as a try: it may have been paid for.
                if failure is None or isinstance(failure, FINAL):
                    terms.bill.attach(error)
                    raise
            else:
                self._looks.forget(stored.name)

    async def _recall(self, stored: StoredPhoto) -> ClassifiedPhoto | None:
        """What is known of a photo before it is loaded; None if it must be."""
        if stored.identity:
            known = await self._classifiers.known(stored.identity)
            return ClassifiedPhoto(known, stored.identity) if known else None
        repeat = await self._known_files.get(stored.fingerprint)
        known = await self._classifiers.known(repeat.photo) if repeat else None
        if repeat is None or known is None or not await self._copy(repeat, stored):
            return None
        return ClassifiedPhoto(known, repeat.photo)

    async def _copy(self, repeat: KnownFile, stored: StoredPhoto) -> bool:
        """Replaces an original by the clean copy that an earlier upload of the same file left; False if it is gone."""
        try:
            async with self._stored.source.open(repeat.key) as earlier:
                if earlier.identity != repeat.photo:
                    return False
                with memfile() as file:
                    await earlier.save(file)
                    photo = Photo(file.content(), repeat.photo)
        except NotFound:
            return False
        await self._replace(stored, photo)
        return True

    async def _replace(self, stored: StoredPhoto, photo: Photo) -> None:
        await self._stored.source.replace(stored.key, stored.found, photo)
        self._known_files.put(stored.fingerprint, KnownFile(photo.identity, stored.key))
