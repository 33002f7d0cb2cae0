"""How much of a worker's room each user has, and who has as much as one may."""

from collections import Counter
from collections.abc import Collection


def reserve_of(places: int) -> int:
    """How many of so many places nobody gets who has all the others: a quarter, none of fewer than four."""
    return places // 4


class UserShares:
    """The jobs at work, by user; users without any are forgotten.

    Args:
        most: Jobs of one user that may be at work at once.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._at_work: Counter[str] = Counter()
        self._held_back = False

    @property
    def held_back(self) -> bool:
        """Whether somebody was left out of the last claim: there may be jobs for which there is room later."""
        return self._held_back

    def begin(self, user_id: str) -> None:
        """One more job of a user is at work."""
        self._at_work[user_id] += 1

    def end(self, user_id: str) -> None:
        """One of them has ended."""
        self._at_work[user_id] -= 1
        if not self._at_work[user_id]:
            del self._at_work[user_id]

    def claimable(self, room: int) -> tuple[int, Collection[str]]:
        """What may be claimed, so that nobody gets more than one may.

        Args:
            room: Jobs there is room for.

        Returns:
            How many, and of whom none.
        """
        self._held_back = False
        if self._at_work.total() + room <= self._most:
            return room, ()
        full = [user_id for user_id, count in self._at_work.items() if count >= self._most]
        others = max((count for count in self._at_work.values() if count < self._most), default=0)
        self._held_back = bool(full)
        return min(room, self._most - others), full
