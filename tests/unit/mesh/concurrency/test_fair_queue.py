"""Fair queuing on a clock that only tests move: shares of time, nobody starves, nothing idles, nothing is kept."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mesh.concurrency.fair_queue import FairQueue, Turn


class _Work(Turn):
    """A turn that takes so many seconds once it is granted."""

    def __init__(
        self,
        user: str,
        seconds: float = 1.0,
        came_at: float = 0.0,
        *,
        may_use_reserve: bool = True,
        batch: bool = False,
    ) -> None:
        super().__init__(user, may_use_reserve, batch=batch)
        self.seconds = seconds
        self.came_at = came_at


class _House:
    """A queue whose slots do what they are given, second after second."""

    def __init__(self, slots: int, reserve: int = 0) -> None:
        self.now = 0.0
        self.queue = FairQueue(slots, reserve, lambda: self.now)
        self.at_work: dict[_Work, float] = {}
        self.granted: list[_Work] = []
        self.held: defaultdict[str, float] = defaultdict(float)

    def ask(self, user: str, seconds: float = 1.0, *, batch: bool = False) -> _Work:
        work = _Work(user, seconds, self.now, batch=batch)
        if not self.queue.join(work):
            self._begin(work)
        assert self.queue.grant() is None
        return work

    def grant(self) -> None:
        while turn := self.queue.grant():
            assert isinstance(turn, _Work)
            self._begin(turn)

    def go_on(self) -> bool:
        """To the next end of a piece of work; False if there is none."""
        if not self.at_work:
            return False
        work = min(self.at_work, key=lambda one: self.at_work[one])
        self._to(self.at_work[work])
        del self.at_work[work]
        self.queue.end(work)
        self.grant()
        return True

    def until(self, moment: float) -> None:
        while self.at_work and min(self.at_work.values()) <= moment:
            self.go_on()
        self._to(moment)

    def _begin(self, work: _Work) -> None:
        self.at_work[work] = self.now + work.seconds
        self.granted.append(work)

    def holders(self) -> Counter[str]:
        return Counter(work.user for work in self.at_work)

    def _to(self, moment: float) -> None:
        for user, count in self.holders().items():
            self.held[user] += count * (moment - self.now)
        self.now = moment


def _order(house: _House) -> str:
    while house.go_on():
        pass
    return "".join(work.user for work in house.granted)


def test_users_take_turns_however_many_they_send() -> None:
    """Fifty photos of one user are no reason for another to wait for fifty."""
    house = _House(1)
    for user in "aaaaabbc":
        house.ask(user)
    assert _order(house) == "abcabaaa"


def test_who_comes_alone_is_served_in_order() -> None:
    """Users who ask once each are first come, first served."""
    house = _House(2)
    for user in "fadbce":
        house.ask(user)
    assert _order(house) == "fadbce"


def test_slow_work_is_paid_by_its_time() -> None:
    """One photo of ten seconds weighs as much as ten of one."""
    house = _House(1)
    for _ in range(3):
        house.ask("a", seconds=10)
    for _ in range(20):
        house.ask("b", seconds=1)
    assert _order(house) == "abbbbbbbbbbabbbbbbbbbba"


def test_work_in_progress_counts() -> None:
    """Who holds a slot pays for it while it lasts, not only when it is over."""
    house = _House(3)
    for user, seconds in (("a", 100), ("a", 100), ("b", 10), ("a", 10), ("b", 10)):
        house.ask(user, seconds)
    house.until(10)
    assert house.holders() == {"a": 2, "b": 1}


def test_idleness_earns_nothing() -> None:
    """Who comes after hours of others' work takes turns with them, and doesn't make up for the hours."""
    house = _House(1)
    for _ in range(4):
        house.ask("a", seconds=100)
    house.until(150)
    for _ in range(3):
        house.ask("b", seconds=100)
    assert _order(house) == "aababab"


def test_one_user_leaves_the_reserve_alone() -> None:
    """Whoever comes finds a slot at once, and only one; a user alone has all the others."""
    house = _House(4, reserve=1)
    for _ in range(20):
        house.ask("a", seconds=100)
    assert house.holders() == {"a": 4}
    for _ in range(2):
        house.ask("b", seconds=100)
    assert house.holders() == {"a": 4, "b": 1}
    assert not house.queue.free("newcomer")


def test_a_patient_turn_leaves_the_reserve_alone() -> None:
    """Where a usual wait is short, the reserve is for those who wait longer."""
    house = _House(1, reserve=1)
    house.ask("a", seconds=100)
    work = _Work("b", may_use_reserve=False)
    house.queue.join(work)
    house.grant()
    assert house.holders() == {"a": 1}
    work.may_use_reserve = True
    house.grant()
    assert house.holders() == {"a": 1, "b": 1}


@pytest.mark.parametrize(("asking", "dropped"), [("b", "a"), ("c", "a"), ("a", "a")])
def test_whoever_has_most_waiting_makes_room(asking: str, dropped: str) -> None:
    """A user who fills the queue sends nobody else away, and loses what came last."""
    house = _House(1)
    first = [house.ask("a") for _ in range(4)]
    house.ask("b")
    new = house.ask(asking)
    out = house.queue.drop(new)
    assert out is (new if asking == "a" else first[-1])
    assert out.user == dropped


def test_of_equals_the_one_who_comes_last_is_dropped() -> None:
    """Nobody is sent away for somebody who has as many."""
    house = _House(1)
    for user in "abc":
        house.ask(user)
    new = house.ask("d")
    assert house.queue.drop(new) is new


def test_batch_work_makes_room_first() -> None:
    """However much interactive work of one user waits."""
    house = _House(1)
    for _ in range(5):
        house.ask("a")
    first, second = house.ask("b", batch=True), house.ask("b", batch=True)
    new = house.ask("c")
    assert [house.queue.drop(new) for _ in range(2)] == [second, first]
    assert house.queue.drop(new).user == "a"


@pytest.mark.parametrize(("slots", "most"), [(1, 1), (2, 1), (5, 2), (8, 4)])
def test_batch_work_never_has_more_than_half(slots: int, most: int) -> None:
    """Nor the reserve, whatever is free: who comes finds a slot at once."""
    house = _House(slots, reserve=1)
    for user in "abc" * 10:
        house.ask(user, seconds=100, batch=True)
    assert len(house.at_work) == most
    assert house.queue.waiting == 30 - most
    assert house.queue.free("a")
    assert not house.queue.free("a", batch=True)


def test_interactive_work_goes_first() -> None:
    """Whoever's it is, and however long the batch work waits; that takes turns by user, too."""
    house = _House(1)
    house.ask("x")
    for user in "bbbc":
        house.ask(user, batch=True)
    for user in "ab":
        house.ask(user)
    assert _order(house) == "xabbcbb"


def test_batch_work_has_every_fourth_slot_at_least() -> None:
    """Under a steady stream of interactive work it would never end otherwise."""
    house = _House(1)
    house.ask("x")
    for user in "bb":
        house.ask(user, batch=True)
    for _ in range(8):
        house.ask("a")
    assert _order(house) == "xaaabaaabaa"


def test_a_user_finds_the_reserve_beside_their_own_batch() -> None:
    """What a batch of theirs holds is no reason to wait in front of the phone."""
    house = _House(2, reserve=1)
    house.ask("a", seconds=100, batch=True)
    house.ask("b", seconds=100)
    house.ask("a", seconds=100)
    assert house.holders() == {"a": 2, "b": 1}


def test_users_who_have_gone_leave_nothing_behind() -> None:
    """However many, whether they were served or gave up, beside one who is always there."""
    house = _House(1, reserve=1)
    for _ in range(3):
        house.ask("always", seconds=1e9)
    for number in range(10_000):
        for kind in range(4):
            work = _Work(f"{number} {kind}")
            house.queue.join(work)
            if kind:
                house.queue.grant()
            house.queue.end(work)
    assert len(house.queue) == 1
    assert house.queue.waiting == 2


_REQUESTS = st.lists(
    st.tuples(st.sampled_from("abcdef"), st.floats(0, 20), st.floats(0.125, 30)), min_size=1, max_size=60
)


def _run(
    slots: int, reserve: int, requests: Sequence[tuple[str, float, float]]
) -> tuple[_House, Mapping[_Work, float]]:
    """Lets requests (user, when, seconds) come; checks at each step that no slot idles that somebody could use."""
    house = _House(slots, reserve)
    begun: dict[_Work, float] = {}

    def check() -> None:
        begun.update({work: house.now for work in house.granted if work not in begun})
        assert len(house.at_work) <= slots + reserve
        waits = house.queue.waiting > 0
        assert not (waits and len(house.at_work) < slots), "a slot idles"
        first = {work.user for work in asked if work not in begun} - set(house.holders())
        assert not (first and house.queue.free("newcomer")), "the reserve idles although somebody holds nothing"

    asked: list[_Work] = []
    for user, moment, seconds in sorted(requests, key=lambda one: one[1]):
        house.until(moment)
        asked.append(house.ask(user, seconds))
        check()
    while house.go_on():
        check()
    assert set(begun) == set(asked), "somebody starved"
    assert len(house.queue) == house.queue.waiting == 0
    return house, begun


@settings(deadline=None)
@given(st.integers(1, 5), st.integers(0, 2), _REQUESTS)
def test_everybody_is_served_and_nothing_idles(
    slots: int, reserve: int, requests: list[tuple[str, float, float]]
) -> None:
    """Whatever comes in whatever order: work-conserving but for the reserve, no starvation, nothing left behind."""
    _run(slots, reserve, requests)


@settings(deadline=None)
@given(st.integers(1, 4), st.lists(st.floats(0.5, 10), min_size=2, max_size=5))
def test_shares_are_of_time(slots: int, lengths: list[float]) -> None:
    """Users who always have work get the same time, within the longest pieces: however long theirs are."""
    house = _House(slots)
    for number, seconds in enumerate(lengths):
        for _ in range(int(50 * slots / seconds) + 1):
            house.ask(str(number), seconds)
    house.until(50)
    held = [house.held[str(number)] for number in range(len(lengths))]
    assert max(held) - min(held) <= 2 * slots * max(lengths) + 1e-6


@settings(deadline=None)
@given(st.integers(1, 4), st.integers(1, 200), st.floats(0.125, 20))
def test_a_newcomer_waits_for_one_piece_of_work_at_most(slots: int, queued: int, seconds: float) -> None:
    """Behind any number of one user's, with no reserve: for the slot that is free next."""
    house = _House(slots)
    for _ in range(queued):
        house.ask("many", seconds)
    house.until(seconds / 2)
    new = house.ask("new", 1.0)
    while new not in house.granted:
        house.go_on()
    assert house.now - new.came_at <= seconds / 2 + 1e-9
