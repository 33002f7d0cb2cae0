"""A worker's share of the jobs while others have less to do.

Claims are large when nobody is idle, since each costs a statement. Otherwise the first one that woke would take
everything: so claims begin small and double while there is more, the others are told that there is, and whoever has
more at work waits longer before it claims. It takes no more than that: nobody counts for anybody else.
"""

_MOST = 128
# So many at work at once are enough to be kept busy by; beyond them others are called.
_ENOUGH = 8
# Before each claim, for each job at work. One takes several times that of a core; who was called claims sooner.
_PAUSE_SECONDS = 0.005
_LONGEST_PAUSE = 0.05


class Share:
    """How much a worker claims at once, and when.

    Attributes:
        wanted: Whether another worker has much less at work, by what was last heard; at first there may be one.
    """

    def __init__(self) -> None:
        self.wanted = True
        self._next = _ENOUGH

    @property
    def most(self) -> int:
        """Jobs that may be claimed at once."""
        return self._next if self.wanted else _MOST

    def claimed(self, *, full: bool) -> None:
        """Tells whether a claim found as many as it asked for."""
        self._next = min(self._next * 2, _MOST) if full else _ENOUGH

    def pause(self, at_work: int) -> float:
        """Seconds to leave to others before a claim, with so many jobs at work."""
        return min(at_work * _PAUSE_SECONDS, _LONGEST_PAUSE) if self.calls_others(at_work) else 0.0

    def calls_others(self, at_work: int) -> bool:
        """Whether others are to be told of a job that is due, with so many at work."""
        return self.wanted and at_work >= _ENOUGH
