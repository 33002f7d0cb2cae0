"""The boxes that a model draws, and things that it names twice."""

import pytest

from vision_svc.classifiers.classification import UNKNOWN, Box, Category, DetectedObject, WasteKind, text
from vision_svc.classifiers.objects import box_of, distinct

_LEFT, _RIGHT = Box(0, 0, 0.5, 1), Box(0.5, 0, 1, 1)


def _found(*levels: str, box: Box | None = None, confidence: float = 0.9, tags: tuple[str, ...] = ()) -> DetectedObject:
    return DetectedObject(WasteKind(Category(*levels), text("것", "thing")), confidence, box, tags)


_CAN = ("재활용폐기물", "금속류", "음료캔")
_METAL = ("재활용폐기물", "금속류")
_JAR = ("재활용폐기물", "유리병", "식품병")


def test_a_box_is_in_fractions() -> None:
    """Whatever the photo's size is when it is shown."""
    assert box_of([100, 250, 500, 1000]) == Box(0.1, 0.25, 0.5, 1.0)


def test_a_box_over_the_edge_is_cut() -> None:
    """Models draw a little beyond."""
    assert box_of([-8, 0, 500, 1013]) == Box(0, 0, 0.5, 1)


@pytest.mark.parametrize(
    "drawn",
    [
        None,
        [],
        "100 100 500 500",
        {"left": 1},
        [100, 100, 500],
        [100, 100, 500, 500, 1],
        [100, "100", 500, 500],
        [100, None, 500, 500],
        [100, [100], 500, 500],
        [500, 100, 100, 500],  # right of left
        [100, 500, 500, 100],  # below its lower edge
        [100, 100, 100, 500],  # no width
        [100, 100, 101, 101],  # a point
        [0.1, 0.1, 0.5, 0.5],  # fractions
        [100, 100, 2048, 500],  # pixels
        [-400, 100, 500, 500],
        [100, 100, float("inf"), 500],
        [100, 100, float("nan"), 500],
        [100, 100, 10**400, 500],
    ],
    ids=lambda drawn: str(drawn)[:40],
)
def test_nonsense_is_no_box(drawn: object) -> None:
    """The thing it was drawn for is kept all the same."""
    assert box_of(drawn) is None


def test_a_thing_that_is_named_twice_is_one() -> None:
    """The finer category stays, with all that was said of it."""
    once = _found(*_METAL, box=Box(0, 0, 0.5, 1), confidence=0.95, tags=("깨짐",))
    again = _found(*_CAN, box=Box(0, 0.1, 0.5, 1), confidence=0.6, tags=("유색", "깨짐"))
    (one,) = distinct([once, again])
    assert (one.kind, one.box, one.confidence) == (again.kind, once.box, 0.95)
    assert one.tags == ("깨짐", "유색")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (_found(*_CAN, box=_LEFT), _found(*_CAN, box=_RIGHT)),  # two cans
        (_found(*_CAN, box=_LEFT), _found(*_JAR, box=_LEFT)),  # a jar that a can stands before
        (_found(*_CAN), _found(*_JAR)),
    ],
    ids=["apart", "other", "unplaced"],
)
def test_different_things_stay_apart(one: DetectedObject, other: DetectedObject) -> None:
    """Either another kind or another place makes another thing."""
    assert distinct([one, other]) == (one, other)


def test_without_boxes_a_kind_is_one_thing() -> None:
    """As many pieces as it may be: nobody can tell them apart."""
    assert len(distinct([_found(*_CAN, box=_LEFT), _found(*_JAR), _found(*_CAN)])) == 2


def test_boxes_overlap_by_their_share() -> None:
    """Intersection over union."""
    assert _LEFT.overlap(_LEFT) == 1
    assert _LEFT.overlap(_RIGHT) == 0
    assert Box(0, 0, 1, 1).overlap(_LEFT) == 0.5


def test_an_unknown_thing_is_like_no_other() -> None:
    """미분류 isn't a wider category of anything."""
    assert len(distinct([DetectedObject(UNKNOWN, 0.3, _LEFT), _found(*_CAN, box=_LEFT)])) == 2
