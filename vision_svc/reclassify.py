"""Looks at photos of earlier scans once more, by one classifier that an operator names.

Only clean copies are looked at, so nothing is decoded or published, and an address elsewhere is never loaded again. The
classifiers are those that users' photos meet, but with places, a rate, money and metrics of their own.
"""

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from mesh.errors import FailedPrecondition, NotFound
from mesh.models.usage import Terms, Usage
from mesh.reasons import Reason
from mesh.s3.photo_keys import copy_key
from vision_svc.classifiers.classification import Classification
from vision_svc.classify import Classifiers
from vision_svc.photos.bulkhead import Bulkhead
from vision_svc.photos.locations import Location, Stored
from vision_svc.photos.memfile import memfile
from vision_svc.photos.photos import Photo
from vision_svc.photos.storage import StoredPhoto


class CleanCopies(Protocol):
    """Where clean copies are; `vision_svc.photos.storage.PhotoStorage`."""

    def open(self, key: str, etag: str = "") -> AbstractAsyncContextManager[StoredPhoto]:
        """The photo with this object key."""


@dataclass(frozen=True, slots=True)
class Reclassified:
    """What one classifier says of a photo.

    Attributes:
        classification: What it shows.
        usage: What was paid for it now; None if nothing was.
        remembered: Whether it was known of an earlier look.
    """

    classification: Classification
    usage: Usage | None
    remembered: bool


class Reclassifier:
    """Asks single classifiers.

    Args:
        copies: Our own storage.
        classifiers: By name.
        places: How many photos are looked at at once.
    """

    def __init__(self, copies: CleanCopies, classifiers: Mapping[str, Classifiers], places: Bulkhead) -> None:
        self._copies = copies
        self._classifiers = classifiers
        self._places = places

    @property
    def names(self) -> tuple[str, ...]:
        """Whom it can ask."""
        return tuple(self._classifiers)

    async def reclassify(self, location: Location, name: str, terms: Terms) -> Reclassified:
        """What the classifier of this name says of the clean copy of a photo.

        Raises:
            FailedPrecondition: CLASSIFIER_UNKNOWN; or what the classifier raises.
            NotFound: PHOTO_NOT_FOUND: no clean copy is kept.
            EcoError: Storage is down, or what the classifier raises, with what was paid in its metadata.
        """
        classifier = self._classifiers.get(name)
        if classifier is None:
            raise FailedPrecondition(Reason.CLASSIFIER_UNKNOWN, classifier=name, known=", ".join(self.names))
        if not isinstance(location, Stored):
            raise NotFound(Reason.PHOTO_NOT_FOUND, image_url=location.url)
        async with self._places.slot(terms.account):
            async with self._copies.open(copy_key(location.key)) as stored:
                identity = stored.identity
                if identity is None:
                    raise NotFound(Reason.PHOTO_NOT_FOUND, object_key=location.key)
                if known := await classifier.known(identity):
                    return Reclassified(known, None, remembered=True)
                with memfile() as file:
                    await stored.save(file)
                    photo = Photo(file.content(), identity)
            found = await classifier.classify(photo, terms)
        return Reclassified(found, terms.meter.total, remembered=False)
