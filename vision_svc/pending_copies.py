"""What looks came to whose photo storage hasn't replaced yet: the next try stores the copy, and asks nobody again.

An opinion is remembered for a week anyway (`vision_svc.classifiers.cache`), a refusal that was paid for isn't.
"""

from collections import OrderedDict
from collections.abc import Awaitable, Callable

from mesh.errors import EcoError, FailedPrecondition, InvalidArgument
from mesh.models.usage import settled
from vision_svc.classifiers.classification import Classification

# What another look would end in as well. Others are tried again anyway, so the copy is, too.
FINAL = (FailedPrecondition, InvalidArgument)

_MOST = 1_000  # a few kilobytes each


class PendingOutcomes:
    """Outcomes of looks, by photo; in this process only."""

    def __init__(self) -> None:
        self._held: OrderedDict[str, Classification | EcoError] = OrderedDict()

    async def outcome(self, photo: str, look: Callable[[], Awaitable[Classification]]) -> Classification:
        """What an earlier look at a photo came to, or else what this one does.

        Raises:
            EcoError: That is what it came to.
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
