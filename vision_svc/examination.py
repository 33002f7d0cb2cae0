"""One look at a photo: load it, prepare it, classify it."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from vision_svc.admission import Admission
from vision_svc.classification import Classification
from vision_svc.locations import Location, Stored
from vision_svc.photos import Photo, Pixels, prepare


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


class PhotoSource(Protocol):
    """Where photos come from: our storage, or an outside address."""

    async def load(self, address: str) -> bytes:
        """The whole file at an object key or URL.

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
        classify: Tells what pixels show; CPU work, called from several threads.
        cpu: The threads for CPU work; as many as there are cores.
    """

    def __init__(
        self, stored: Lane, outside: Lane, classify: Callable[[Pixels], Classification], cpu: Executor
    ) -> None:
        self._stored = stored
        self._outside = outside
        self._classify = classify
        self._cpu = cpu

    async def examine(self, location: Location) -> AsyncGenerator[Phase | Finding]:
        """Yields each phase as it begins, then the finding.

        Raises:
            EcoError: The photo can't be had, or isn't one we take.
        """
        lane, address = (self._stored, location.key) if isinstance(location, Stored) else (self._outside, location.url)
        loop = asyncio.get_running_loop()
        async with lane.admission.place():
            yield Phase.FETCH
            content = await lane.source.load(address)
            yield Phase.PREPARE
            photo = await loop.run_in_executor(self._cpu, prepare, content)
            yield Phase.CLASSIFY
            classification = await loop.run_in_executor(self._cpu, self._classify, photo.pixels)
            yield Finding(classification, photo)
