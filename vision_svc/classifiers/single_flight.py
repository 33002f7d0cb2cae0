"""Identical photos that come in at once are looked at once."""

import asyncio

from mesh.errors import EcoError
from mesh.models.usage import Terms
from vision_svc.classifiers.classification import Classification
from vision_svc.classifiers.fallback_chain import Classifier
from vision_svc.photos.photos import Photo


class SingleFlight:
    """A classifier that never looks at the same photo twice at the same time.

    Whoever comes first pays. If their look fails, it may be for their own sake (their share, their deadline), so one of
    those who waited looks again.

    Args:
        classifier: What looks.
    """

    def __init__(self, classifier: Classifier) -> None:
        self._classifier = classifier
        self._flights: dict[tuple[str, str], asyncio.Task[Classification]] = {}

    @property
    def name(self) -> str:
        """The classifier's."""
        return self._classifier.name

    @property
    def version(self) -> str:
        """The classifier's."""
        return self._classifier.version

    async def classify(self, photo: Photo, terms: Terms) -> Classification:
        """As the chain's port says."""
        key = (photo.digest, self.version)
        while flight := self._flights.get(key):
            try:
                # Shielded: who leaves must not take the photo from those who stay.
                return await asyncio.shield(flight)
            except EcoError:
                continue
            except asyncio.CancelledError:
                if not flight.cancelled():
                    raise
        flight = asyncio.create_task(self._classifier.classify(photo, terms))
        self._flights[key] = flight
        flight.add_done_callback(lambda _: self._flights.pop(key, None))
        try:
            return await asyncio.shield(flight)
        except asyncio.CancelledError:
            # Nobody learns whether others wait: the look goes on, is paid for and, with a cache behind, kept.
            flight.add_done_callback(lambda done: done.cancelled() or done.exception())
            raise
