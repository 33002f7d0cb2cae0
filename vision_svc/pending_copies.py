"""Outcomes of photos whose clean copy storage has refused: the next try stores the copy without asking a model again.

Classifications are cached for a week anyway (`vision_svc.classifiers.cache`); refusals that were paid for aren't.
"""

from collections import OrderedDict
from collections.abc import Awaitable, Callable

from mesh.errors import EcoError, FailedPrecondition, InvalidArgument
from mesh.models.usage import settled
from vision_svc.classifiers.classification import Classification

# Errors that a retry would end in as well. After others the stage is retried anyway, and the copy with it.
FINAL = (FailedPrecondition, InvalidArgument)

_MOST = 1_000  # a few kilobytes each


class PendingOutcomes:
    """Outcomes by photo; in this process only."""

    def __init__(self) -> None:
        self._held: OrderedDict[str, Classification | EcoError] = OrderedDict()

    async def outcome(self, photo: str, look: Callable[[], Awaitable[Classification]]) -> Classification:
        """The outcome of an earlier try, or else of this one.

        Raises:
            EcoError: The outcome is this error.
        """
        held = self._held.get(photo)
        if held is None:
            return await self._first(photo, look)
        if isinstance(held, EcoError):
            raise settled(held)
        return held

    def forget(self, photo: str) -> None:
        """Its clean copy is stored."""
        self._held.pop(photo, None)

    async def _first(self, photo: str, look: Callable[[], Awaitable[Classification]]) -> Classification:
        try:
            found = await look()
        except FINAL as error:
            self._hold(photo, error)
            raise
        self._hold(photo, found)
        return found

    def _hold(self, photo: str, outcome: Classification | EcoError) -> None:
        self._held[photo] = outcome
        if len(self._held) > _MOST:
            self._held.popitem(last=False)
