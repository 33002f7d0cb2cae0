"""Users who are gone, as the service thinks of them."""

from dataclasses import dataclass

_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 300.0


@dataclass(frozen=True, slots=True, repr=False)
class Departure:
    """A user who is gone. Has no `repr`, since logs name nobody.

    Attributes:
        user_id: Who.
        to_user: Whose their data becomes; None: it is erased.
        tries: How often it was tried in vain.
    """

    user_id: str
    to_user: str | None = None
    tries: int = 0

    def pause(self, share: float) -> float:
        """Seconds until the next try, after one more in vain.

        Args:
            share: How much of the longest pause, from 0 to 1; random.
        """
        longest = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2.0 ** min(self.tries, 30))
        return longest * (0.5 + share / 2)
