"""One look at a photo: load it, prepare it, classify it; and let nothing but a clean copy stay in storage."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import Generic, Protocol, TypeVar

from mesh.errors import EcoError, NotFound
from mesh.models.bill import Terms, Usage
from mesh.storage import StoredObject
from vision_svc.admission import Admission
from vision_svc.cache import Memory
from vision_svc.classification import Classification
from vision_svc.locations import Location, Stored
from vision_svc.looks import FINAL, Looks
from vision_svc.photos import Identity, Photo
from vision_svc.spool import Spool, spool
from vision_svc.storage import Arrival

S = TypeVar("S")


class Phase(StrEnum):
    """The steps, in order."""

    FETCH = "FETCH"
    PREPARE = "PREPARE"
    CLASSIFY = "CLASSIFY"


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found, and in what."""

    classification: Classification
    photo: Identity
    usage: Usage | None = None


@dataclass(frozen=True, slots=True)
class Repeat:
    """What became of a file that has been here before.

    Attributes:
        photo: Which photo it is.
        key: Where its clean copy is, unless it was deleted since.
    """

    photo: Identity
    key: str


Clean = Callable[[Spool], Awaitable[Photo]]
"""Makes a clean photo of a file; `vision_svc.decoding.Decoders.clean`."""


class Classifiers(Protocol):
    """Who tells what a photo shows; `vision_svc.chain.Chain`."""

    async def known(self, identity: Identity) -> Classification | None:
        """What is known of a photo already."""

    async def classify(self, photo: Photo, terms: Terms) -> Classification:
        """What the photo shows; what it costs goes on the bill of the terms."""


class StoredPhotos(Protocol):
    """Our own storage; `vision_svc.storage.PhotoStorage`."""

    def open(self, key: str) -> AbstractAsyncContextManager[Arrival]:
        """The photo with this object key."""

    async def replace(self, key: str, original: StoredObject, photo: Photo) -> str:
        """Puts the clean copy where the original was."""


class OutsidePhotos(Protocol):
    """Outside addresses; `vision_svc.web.PhotoWeb`."""

    async def load(self, address: str, into: Spool) -> None:
        """Loads the photo at this address."""


@dataclass(frozen=True, slots=True)
class Lane(Generic[S]):
    """A source with its own places, so that strangers' slow servers never hold up our own storage."""

    source: S
    admission: Admission


class Examiner:
    """Looks at photos.

    Args:
        stored: For photos in our own storage.
        outside: For photos at outside addresses.
        clean: The decoder.
        classifiers: Who looks.
        repeats: Files that have been here before, by what storage vouches for.
    """

    def __init__(
        self,
        stored: Lane[StoredPhotos],
        outside: Lane[OutsidePhotos],
        clean: Clean,
        classifiers: Classifiers,
        repeats: Memory[Repeat],
    ) -> None:
        self._stored = stored
        self._outside = outside
        self._clean = clean
        self._classifiers = classifiers
        self._repeats = repeats
        self._looks = Looks()

    def examine(self, location: Location, terms: Terms) -> AsyncGenerator[Phase | Finding]:
        """Yields each phase as it begins, then the finding.

        Raises:
            EcoError: The photo can't be had, isn't one we take, nobody can tell what it shows, or its original can't
                be replaced by the clean copy.
        """
        if isinstance(location, Stored):
            return self._look_at_ours(location.key, terms)
        return self._look_outside(location.url, terms)

    async def _look_outside(self, url: str, terms: Terms) -> AsyncGenerator[Phase | Finding]:
        async with self._outside.admission.place():
            yield Phase.FETCH
            with spool() as file:
                await self._outside.source.load(url, file)
                yield Phase.PREPARE
                photo = await self._clean(file)
        # The place is free again: a hosted model takes seconds, and of the photo only the small copy is left.
        yield Phase.CLASSIFY
        classification = await self._classifiers.classify(photo, terms)
        yield Finding(classification, photo.identity, terms.bill.total)

    async def _look_at_ours(self, key: str, terms: Terms) -> AsyncGenerator[Phase | Finding]:
        async with self._stored.admission.place():
            yield Phase.FETCH
            async with self._stored.source.open(key) as arrival:
                if known := await self._recall(arrival):
                    yield known
                    return
                with spool() as file:
                    await arrival.save(file)
                    yield Phase.PREPARE
                    identity = arrival.identity
                    photo = Photo(file.content(), identity) if identity else await self._clean(file)
        if identity:
            yield Phase.CLASSIFY
            classification = await self._classifiers.classify(photo, terms)
        else:
            async with self._replacing(arrival, photo, terms):
                yield Phase.CLASSIFY
                look = partial(self._classifiers.classify, photo, terms)
                classification = await self._looks.outcome(arrival.name, look)
        yield Finding(classification, photo.identity, terms.bill.total)

    @asynccontextmanager
    async def _replacing(self, arrival: Arrival, photo: Photo, terms: Terms) -> AsyncIterator[None]:
        """Replaces an original beside the look at it, which takes longer.

        Whatever comes of the look, no place, no camera stays in storage: if storage doesn't take the copy the stage is
        tried again for that alone, and what was paid for is known by then.
        """
        replacing, failure = asyncio.create_task(self._replace(arrival, photo)), None
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
                self._looks.forget(arrival.name)

    async def _recall(self, arrival: Arrival) -> Finding | None:
        """What is known of a photo before it is loaded; None if it must be."""
        if arrival.identity:
            known = await self._classifiers.known(arrival.identity)
            return Finding(known, arrival.identity) if known else None
        repeat = await self._repeats.get(arrival.fingerprint)
        known = await self._classifiers.known(repeat.photo) if repeat else None
        if repeat is None or known is None or not await self._copy(repeat, arrival):
            return None
        return Finding(known, repeat.photo)

    async def _copy(self, repeat: Repeat, arrival: Arrival) -> bool:
        """Replaces an original by the clean copy that an earlier upload of the same file left; False if it is gone."""
        try:
            async with self._stored.source.open(repeat.key) as earlier:
                if earlier.identity != repeat.photo:
                    return False
                with spool() as file:
                    await earlier.save(file)
                    photo = Photo(file.content(), repeat.photo)
        except NotFound:
            return False
        await self._replace(arrival, photo)
        return True

    async def _replace(self, arrival: Arrival, photo: Photo) -> None:
        await self._stored.source.replace(arrival.key, arrival.found, photo)
        self._repeats.put(arrival.fingerprint, Repeat(photo.identity, arrival.key))
