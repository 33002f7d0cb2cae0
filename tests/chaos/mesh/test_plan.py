"""What a run is made of: its plan, and photos that a model can tell apart."""

import pytest

from tests.chaos.mesh.clients import photos
from tests.chaos.mesh.plan import PROCESSES, Kind, plan


def test_a_seed_always_gives_the_same_plan() -> None:
    """Else a run that found something couldn't be repeated."""
    assert plan(7, 120.0) == plan(7, 120.0)
    assert plan(7, 120.0) != plan(8, 120.0)


def test_twelve_seconds_meet_every_class_of_blow() -> None:
    """The form that the suite runs."""
    for seed in range(50):
        kinds = {blow.kind for blow in plan(seed, 12.0).blows}
        assert kinds >= {Kind.KILL, Kind.FREEZE, Kind.RESTART}
        assert kinds & {Kind.DISK_FULL, Kind.DISK_STALLED}
        assert kinds & {Kind.FLUSH, Kind.MEMORY_FULL, Kind.CLOCK, Kind.RUBBISH}


def test_a_run_can_be_kept_to_blows_of_one_name() -> None:
    """To look at one fault closely; a name that fits none is a typing error."""
    assert {str(blow.kind) for blow in plan(7, 60.0, "disk full").blows} == {"disk full"}
    with pytest.raises(ValueError, match="no blow"):
        plan(7, 60.0, "disc full")


def test_two_minutes_meet_every_kind_of_blow_and_every_process() -> None:
    """Whatever the seed."""
    for seed in range(50):
        blows = plan(seed, 120.0).blows
        assert {blow.kind for blow in blows} == set(Kind)
        assert {blow.target for blow in blows} == set(PROCESSES)


@pytest.mark.parametrize("number", [0, 1, 0b1010_0101_1100_0011, photos.LIMIT - 1])
def test_a_photo_tells_its_number(number: int) -> None:
    """It is how calls to the model are put down to scans."""
    assert photos.number_of(photos.photo(number)) == number
