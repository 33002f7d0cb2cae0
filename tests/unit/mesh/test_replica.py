"""How late a replica is, by where its log and the primary's are."""

from math import inf

from mesh.replica import Lag


def test_a_replica_that_has_everything_is_as_late_as_the_last_look() -> None:
    """More may have been written since."""
    lag = Lag()
    lag.wrote(at=100.0, place=7)
    lag.replayed(7)
    assert lag.seconds(100.5) == 0.5


def test_an_idle_primary_makes_nobody_late() -> None:
    """Nothing is written for an hour; each look finds the replica at the end of the log."""
    lag = Lag()
    for at in range(3600):
        lag.wrote(at=at, place=7)
        lag.replayed(7)
    assert lag.seconds(3599.0) == 0.0


def test_one_that_stands_still_gets_later_although_it_believes_that_it_has_everything() -> None:
    """As when its connection to the primary is cut: it knows of nothing that it doesn't have."""
    lag = Lag()
    for at, place in ((0.0, 7), (1.0, 9), (2.0, 12)):
        lag.wrote(at, place)
        lag.replayed(7)
    assert lag.seconds(2.0) == 2.0


def test_one_that_is_between_two_looks_counts_as_at_the_earlier() -> None:
    """The log grew from 7 to 12 at some moment after the first."""
    lag = Lag()
    for at, place in ((0.0, 7), (1.0, 12)):
        lag.wrote(at, place)
    lag.replayed(11)
    assert lag.seconds(3.0) == 3.0
    lag.replayed(12)
    assert lag.seconds(3.0) == 2.0


def test_nothing_is_known_before_it_has_reached_a_place_that_was_seen() -> None:
    """A copy that is still being made, or a replica of something else."""
    lag = Lag()
    assert lag.seconds(0.0) == inf
    lag.wrote(at=0.0, place=7)
    lag.replayed(3)
    assert lag.seconds(0.0) == inf
