"""Whose turn it is: fair queuing by the time that users hold slots, not by how often they ask.

Start-time fair queuing (Goyal, Vin and Cheng, 1996) for work whose length isn't known before it is over, as the
API server of Kubernetes has it (`fairqueuing/queueset`). Virtual time goes on at the rate of one user's equal share:
slots in use by users at work or waiting. Each user has a virtual time of their own, which goes on with every second
that a slot of theirs is held; the one who is furthest behind is next. Who comes anew begins at the common virtual
time: idleness earns nothing, and nobody waits longer than it takes the others to get their shares.

Batch work, for which nobody waits, gives way: it is granted what interactive work leaves, at most half of the slots and
none of the reserve. When both wait, every fourth slot is batch work's all the same, unless it has its half: under a
steady stream of interactive work it would never end otherwise. A user's batch work and interactive work take turns as
two users' would.

A user of whom nothing waits and nothing is at work is forgotten, so memory is bounded by the slots and what waits.
"""

import time
from collections import deque
from collections.abc import Callable, Sequence
from enum import Enum, auto

_BATCH_EVERY = 4


class TurnState(Enum):
    """Where a turn stands."""

    NEW = auto()
    WAITING = auto()
    HOLDING = auto()
    OVER = auto()


class Turn:
    """One piece of work that waits for a slot, or holds one.

    Args:
        user: Whose.
        may_use_reserve: Whether it may have a slot of the reserve, if its user holds no other.
        batch: Whether it gives way, because nobody waits for it.

    Attributes:
        state: Where it stands; the queue's to change.
    """

    __slots__ = ("batch", "may_use_reserve", "state", "user")

    def __init__(self, user: str, may_use_reserve: bool = True, *, batch: bool = False) -> None:
        self.user = user
        self.may_use_reserve = may_use_reserve
        self.batch = batch
        self.state = TurnState.NEW

    @property
    def flow(self) -> "_FlowKey":
        """What it takes turns with."""
        return self.user, self.batch


_FlowKey = tuple[str, bool]


class _Flow:
    """What one user has waiting and at work, batch or interactive."""

    __slots__ = ("_at", "_used", "batch", "holding", "waiting")

    def __init__(self, used: float, now: float, batch: bool) -> None:
        self._used = used
        self._at = now
        self.batch = batch
        self.holding = 0
        self.waiting: deque[Turn] = deque()

    def used(self, now: float) -> float:
        """The user's virtual time."""
        return self._used + self.holding * (now - self._at)

    def hold(self, slots: int, now: float) -> None:
        """Holds so many slots more, or fewer, from now on."""
        self._used, self._at = self.used(now), now
        self.holding += slots


class FairQueue:
    """Slots, and who waits for them.

    Args:
        slots: Held at once by anybody.
        reserve: Slots beside them for users who hold none: one who has all the others keeps nobody waiting.
        clock: Seconds, from anywhere.
    """

    def __init__(self, slots: int, reserve: int = 0, clock: Callable[[], float] = time.monotonic) -> None:
        self._slots = slots
        self._reserve = reserve
        self._clock = clock
        self._flows: dict[_FlowKey, _Flow] = {}
        self._queued: dict[_FlowKey, _Flow] = {}  # those of them that wait, in the order in which it was their turn
        self._virtual = 0.0
        self._at = clock()
        self._held = 0
        self._most_batch = max(1, slots // 2)
        self._batch_held = 0
        self._batch_passed_over = 0
        self._waiting = 0

    def __len__(self) -> int:
        """Users who hold or wait for a slot; one who does so for batch work, too, is two."""
        return len(self._flows)

    @property
    def waiting(self) -> int:
        """Turns that wait."""
        return self._waiting

    def free(self, user: str, *, batch: bool = False) -> bool:
        """Whether a user would get a slot, who doesn't mind that it is one of the reserve."""
        flow = self._flows.get((user, batch)) or _Flow(0.0, 0.0, batch)
        return self._may_hold(flow, may_use_reserve=True)

    def join(self, turn: Turn) -> bool:
        """Lets a turn wait behind the others of its user; False if it needn't, since it has a slot already."""
        now = self._advance()
        flow = self._flows.get(turn.flow)
        if flow is None:
            flow = self._flows[turn.flow] = _Flow(self._virtual, now, turn.batch)
        # Those who wait, if anybody does, can't use what is free: it is the reserve, and they hold a slot; or they are
        # batch work that has its half.
        if not flow.waiting and self._may_hold(flow, may_use_reserve=turn.may_use_reserve):
            self._hold(turn, flow, now)
            return False
        flow.waiting.append(turn)
        self._queued.setdefault(turn.flow, flow)
        self._waiting += 1
        turn.state = TurnState.WAITING
        return True

    def grant(self) -> Turn | None:
        """The turn that gets a slot now; None if there is none for any that wait."""
        if not self._queued or self._held >= self._slots + self._reserve:
            return None
        now = self._advance()
        able = [
            (key, flow)
            for key, flow in self._queued.items()
            if self._may_hold(flow, may_use_reserve=flow.waiting[0].may_use_reserve)
        ]
        if not able:
            return None
        batch = self._is_for_batch([flow for _, flow in able])
        # All users who wait are looked at. Of those that are level, the one who waits longest is first.
        key, flow = min((one for one in able if one[1].batch is batch), key=lambda one: one[1].used(now))
        del self._queued[key]
        turn = flow.waiting.popleft()
        if flow.waiting:
            self._queued[key] = flow
        self._waiting -= 1
        self._hold(turn, flow, now)
        return turn

    def drop(self, newest: Turn) -> Turn:
        """Takes out a turn that waits, a batch one if there is any.

        Of those the newest of whoever has most: of the user whose turn `newest` is, if nobody has more.
        """
        longest = max(
            self._queued, key=lambda one: (self._queued[one].batch, len(self._queued[one].waiting), one == newest.flow)
        )
        turn = self._queued[longest].waiting[-1]
        self.end(turn)
        return turn

    def end(self, turn: Turn) -> None:
        """Ends a turn: frees its slot, if it holds one, or else gives up its place."""
        if turn.state is TurnState.OVER:
            return
        now = self._advance()
        flow = self._flows[turn.flow]
        if turn.state is TurnState.HOLDING:
            flow.hold(-1, now)
            self._held -= 1
            self._batch_held -= turn.batch
        else:
            flow.waiting.remove(turn)
            self._waiting -= 1
            if not flow.waiting:
                del self._queued[turn.flow]
        if not flow.holding and not flow.waiting:
            del self._flows[turn.flow]
        turn.state = TurnState.OVER

    def _hold(self, turn: Turn, flow: _Flow, now: float) -> None:
        flow.hold(1, now)
        self._held += 1
        self._batch_held += turn.batch
        turn.state = TurnState.HOLDING

    def _may_hold(self, flow: _Flow, *, may_use_reserve: bool) -> bool:
        """Whether a user may have another slot."""
        if flow.batch:
            return self._held < self._slots and self._batch_held < self._most_batch
        if self._held < self._slots:
            return True
        return self._held < self._slots + self._reserve and may_use_reserve and not flow.holding

    def _is_for_batch(self, able: Sequence[_Flow]) -> bool:
        """Whether batch work is next, of some that may have the slot."""
        if not any(flow.batch for flow in able):
            return False
        if not all(flow.batch for flow in able) and self._batch_passed_over < _BATCH_EVERY - 1:
            self._batch_passed_over += 1
            return False
        self._batch_passed_over = 0
        return True

    def _advance(self) -> float:
        """Brings the common virtual time up to now."""
        now = self._clock()
        if self._flows:
            self._virtual += (now - self._at) * self._held / len(self._flows)
        self._at = now
        return now
