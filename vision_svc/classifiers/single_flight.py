"""Identical photos that arrive together are classified once."""

import asyncio

from mesh.errors import EcoError
from mesh.models.usage import Terms
from vision_svc.classifiers.classification import Classification
from vision_svc.classifiers.fallback_chain import Classifier
from vision_svc.photos.photos import Photo


class SingleFlight:
    """A classifier that never classifies the same photo twice at the same time.

    The first caller's user pays. If that call fails, the cause may be theirs alone (their cap, their deadline), so one
    of the callers that waited tries again.

    Args:
        classifier: Does the work.
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
                # Shielded: a caller that is cancelled must not cancel the call for the others.
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
            # The call goes on whether or not others wait: it is paid for and, with a cache behind it, kept.
            flight.add_done_callback(lambda done: done.cancelled() or done.exception())
            raise
