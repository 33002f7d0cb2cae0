"""One look at a photo: load it, prepare it, classify it."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from mesh.models.bill import Terms, Usage
from vision_svc.admission import Admission
from vision_svc.classification import Classification
from vision_svc.locations import Location, Stored
from vision_svc.photos import Photo
from vision_svc.spool import Spool, spool


class Phase(StrEnum):
    """The steps, in order."""

    FETCH = "FETCH"
    PREPARE = "PREPARE"
    CLASSIFY = "CLASSIFY"


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found, and in what."""

    classification: Classification
    photo: Photo
    usage: Usage | None = None


Clean = Callable[[Spool], Awaitable[Photo]]
"""Makes a clean photo of a file; `vision_svc.decoding.Decoders.clean`."""

Classify = Callable[[Photo, Terms], Awaitable[Classification]]
"""Tells what a photo shows; what it costs goes on the bill of the terms."""


class PhotoSource(Protocol):
    """Where photos come from: our storage, or an outside address."""

    async def load(self, address: str, into: Spool) -> None:
        """Loads the whole file at an object key or URL.

        Raises:
            EcoError: PHOTO_NOT_FOUND, PHOTO_FETCH_FAILED, ADDRESS_REFUSED, PHOTO_TOO_LARGE, PHOTO_EMPTY.
        """


@dataclass(frozen=True, slots=True)
class Lane:
    """A source with its own places, so that strangers' slow servers never hold up our own storage."""

    source: PhotoSource
    admission: Admission


class Examiner:
    """Looks at photos.

    Args:
        stored: For photos in our own storage.
        outside: For photos at outside addresses.
        clean: The decoder.
        classify: The classifiers.
    """

    def __init__(self, stored: Lane, outside: Lane, clean: Clean, classify: Classify) -> None:
        self._stored = stored
        self._outside = outside
        self._clean = clean
        self._classify = classify

    async def examine(self, location: Location, terms: Terms) -> AsyncGenerator[Phase | Finding]:
        """Yields each phase as it begins, then the finding.

        Raises:
            EcoError: The photo can't be had, or isn't one we take.
        """
        lane, address = (self._stored, location.key) if isinstance(location, Stored) else (self._outside, location.url)
        async with lane.admission.place():
            yield Phase.FETCH
            with spool() as file:
                await lane.source.load(address, file)
                yield Phase.PREPARE
                photo = await self._clean(file)
        # The place is free again: a hosted model takes seconds, and of the photo only the small copy is left.
        yield Phase.CLASSIFY
        classification = await self._classify(photo, terms)
        yield Finding(classification, photo, terms.bill.total)
