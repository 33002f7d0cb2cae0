"""Which classifier looks at a photo: the first of a chain that can.

A result says who was passed over and why. Only what another classifier could do better moves on to the next one: a
photo that shows no waste shows none to anybody, and a user's spent share is spent whatever the classifier.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

import structlog

from mesh.errors import EcoError, FailedPrecondition, InvalidArgument
from mesh.models.usage import Terms
from mesh.reasons import Reason
from vision_svc.classifiers.classification import Classification, ClassificationOutcome, ModelAttempt
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
    """Something that can look at a photo.

    Attributes:
        name: "offline" or a hosted model's name.
        version: All that an opinion depends on besides the photo: the model and its prompt.
    """

    @property
    def name(self) -> str: ...

    @property
    def version(self) -> str: ...

    async def classify(self, photo: Photo, terms: Terms) -> Classification:
        """What the photo shows; what it cost goes on the bill of the terms.

        Raises:
            EcoError: A MODEL_ reason.
        """


class CachingClassifier(Classifier, Protocol):
    """A classifier that knows what it has said; `vision_svc.classifiers.cache.Cached`."""

    async def known(self, identity: Identity) -> Classification | None:
        """What it said of a photo, if it has seen it."""


class FallbackChain:
    """Classifiers in the order they are asked.

    Args:
        classifiers: At least one.
    """

    def __init__(self, classifiers: Sequence[CachingClassifier]) -> None:
        self._classifiers = tuple(classifiers)

    async def known(self, identity: Identity) -> Classification | None:
        """What the one who is asked first has said of a photo; another's opinion is no substitute for theirs.

        Raises:
            FailedPrecondition: NOT_WASTE.
            InvalidArgument: PHOTO_UNCLEAR.
        """
        found = await self._classifiers[0].known(identity)
        return _judged(found, ()) if found else None

    async def classify(self, photo: Photo, terms: Terms) -> Classification:
        """The first opinion that can be had.

        Raises:
            FailedPrecondition: NOT_WASTE, or the last classifier's own reason.
            InvalidArgument: PHOTO_UNCLEAR.
            EcoError: The last classifier's, with what was paid in its metadata.
        """
        passed_over: list[ModelAttempt] = []
        try:
            for classifier in self._classifiers[:-1]:
                try:
                    found = await classifier.classify(photo, terms)
                except EcoError as error:
                    if not _is_mendable(error):
                        raise
                    _log.warning("classifier passed over", model=classifier.name, reason=error.reason)
                    passed_over.append(ModelAttempt(classifier.name, error.reason))
                else:
                    return _judged(found, passed_over)
            return _judged(await self._classifiers[-1].classify(photo, terms), passed_over)
        except EcoError as error:
            terms.bill.attach(error)
            raise


def _is_mendable(error: EcoError) -> bool:
    """Whether the next classifier may do better."""
    spent_share = error.reason is Reason.MODEL_BUDGET_SPENT and error.metadata.get("limit") == "user"
    return error.reason in _MENDABLE and not spent_share


def _judged(found: Classification, passed_over: Sequence[ModelAttempt]) -> Classification:
    """The opinion as a result, or as the error it stands for."""
    if found.outcome is ClassificationOutcome.NOT_WASTE:
        raise FailedPrecondition(Reason.NOT_WASTE)
    if found.outcome is ClassificationOutcome.UNCLEAR:
        raise InvalidArgument(Reason.PHOTO_UNCLEAR)
    return replace(found, passed_over=tuple(passed_over)) if passed_over else found
