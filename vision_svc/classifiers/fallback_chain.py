"""A chain of classifiers: the first that can classifies a photo.

A result names the classifiers that were passed over, and why. After an error that another classifier may not have the
next one is asked. NOT_WASTE, an unclear photo and a user's spent daily cap end the chain.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

import structlog

from mesh.errors import EcoError, FailedPrecondition, InvalidArgument
from mesh.models.usage import Terms
from mesh.observability.instruments import Instruments
from mesh.reasons import Reason
from vision_svc.classifiers.classification import Classification, ClassificationOutcome, ModelAttempt
from vision_svc.metrics import ClassifierMeters
from vision_svc.photos.photos import Identity, Photo

_log = structlog.get_logger("chain")

_MENDABLE = frozenset(
    {
        Reason.MODEL_RATE_LIMITED,
        Reason.MODEL_TIMED_OUT,
        Reason.MODEL_UNAVAILABLE,
        Reason.MODEL_REFUSED,
        Reason.MODEL_FILTERED,
        Reason.MODEL_CUT_SHORT,
        Reason.MODEL_OUTPUT_INVALID,
        Reason.MODEL_BUDGET_SPENT,
        Reason.MODEL_REJECTED,
    }
)


class Classifier(Protocol):
    """Classifies photos.

    Attributes:
        name: "offline" or a hosted model's name.
        version: The model and its prompt: all that a classification depends on besides the photo.
    """

    @property
    def name(self) -> str: ...

    @property
    def version(self) -> str: ...

    async def classify(self, photo: Photo, terms: Terms) -> Classification:
        """What the photo shows; the cost is added to the terms' usage.

        Raises:
            EcoError: A MODEL_ reason.
        """


class CachingClassifier(Classifier, Protocol):
    """A classifier with a cache; `vision_svc.classifiers.cache.CachedClassifier`."""

    async def known(self, identity: Identity) -> Classification | None:
        """The classification of a photo, if it is in the cache."""


class FallbackChain:
    """Classifiers in the order they are asked.

    Args:
        classifiers: At least one.
        meters: Count what they say; None: nobody does.
    """

    def __init__(self, classifiers: Sequence[CachingClassifier], meters: ClassifierMeters | None = None) -> None:
        self._classifiers = tuple(classifiers)
        self._meters = meters or ClassifierMeters(Instruments.off())

    async def known(self, identity: Identity) -> Classification | None:
        """The cached classification of the first classifier; those of later ones don't count.

        Raises:
            FailedPrecondition: NOT_WASTE.
            InvalidArgument: PHOTO_UNCLEAR.
        """
        found = await self._classifiers[0].known(identity)
        return _judged(found, ()) if found else None

    async def classify(self, photo: Photo, terms: Terms) -> Classification:
        """The classification of the first classifier that gives one.

        Raises:
            FailedPrecondition: NOT_WASTE, or the last classifier's own reason.
            InvalidArgument: PHOTO_UNCLEAR.
            EcoError: The last classifier's, with what was paid in its metadata.
        """
        passed_over: list[ModelAttempt] = []
        try:
            for classifier in self._classifiers[:-1]:
                try:
                    found = await self._ask(classifier, photo, terms)
                except EcoError as error:
                    if not _is_mendable(error):
                        raise
                    _log.warning("classifier passed over", model=classifier.name, reason=error.reason)
                    passed_over.append(ModelAttempt(classifier.name, error.reason))
                else:
                    return _judged(found, passed_over)
            return _judged(await self._ask(self._classifiers[-1], photo, terms), passed_over)
        except EcoError as error:
            terms.meter.attach(error)
            raise

    async def _ask(self, classifier: Classifier, photo: Photo, terms: Terms) -> Classification:
        try:
            found = await classifier.classify(photo, terms)
        except EcoError as error:
            self._meters.failed(classifier.name, error.reason)
            raise
        self._meters.classified(classifier.name, found.confidence)
        return found


def _is_mendable(error: EcoError) -> bool:
    """Whether the next classifier may do better."""
    spent_share = error.reason is Reason.MODEL_BUDGET_SPENT and error.metadata.get("limit") == "user"
    return error.reason in _MENDABLE and not spent_share


def _judged(found: Classification, passed_over: Sequence[ModelAttempt]) -> Classification:
    """The classification, or the error that its outcome stands for."""
    if found.outcome is ClassificationOutcome.NOT_WASTE:
        raise FailedPrecondition(Reason.NOT_WASTE)
    if found.outcome is ClassificationOutcome.UNCLEAR:
        raise InvalidArgument(Reason.PHOTO_UNCLEAR)
    return replace(found, passed_over=tuple(passed_over)) if passed_over else found
