"""Several things in one photo: checks the boxes that a model draws, and merges what it named twice.

A model's box may be nonsense: the thing it was drawn for is kept, without a box.
"""

from collections.abc import Sequence
from dataclasses import replace

from vision_svc.classifiers.classification import Box, Category, DetectedObject

GRID = 1000
"""The edges of a photo lie at 0 and at this, in the numbers that a model writes."""

_LEAST_AREA = 0.0005  # of the photo: 23 pixels square of a photo of 1,024; fractions of 1 are far below
_MOST_BEYOND = 20  # models draw a little over the edge
_SAME = 0.5  # overlap from which two of one kind are one thing; the usual limit of object detection


def box_of(drawn: object) -> Box | None:
    """The box that a model drew: left, top, right and bottom on the grid. None if it is no such thing.

    A box that reaches a little over the photo's edge is cut there.
    """
    if not isinstance(drawn, list) or len(drawn) != 4 or not all(map(_on_grid, drawn)):
        return None
    left, top, right, bottom = (min(max(number / GRID, 0.0), 1.0) for number in drawn)
    box = Box(left, top, right, bottom)
    return box if left < right and top < bottom and box.area >= _LEAST_AREA else None


def _on_grid(number: object) -> bool:
    return isinstance(number, int | float) and -_MOST_BEYOND <= number <= GRID + _MOST_BEYOND


def distinct(objects: Sequence[DetectedObject]) -> tuple[DetectedObject, ...]:
    """The objects, each once and the first one first.

    Two are the same if one's category is the other's or a wider one, and their boxes overlap by half; without both
    boxes the category alone decides. The finer category stays, and what either says.
    """
    kept: list[DetectedObject] = []
    for found in objects:
        place = next((place for place, known in enumerate(kept) if _same(known, found)), None)
        if place is None:
            kept.append(found)
        else:
            kept[place] = _merged(kept[place], found)
    return tuple(kept)


def _same(one: DetectedObject, other: DetectedObject) -> bool:
    first, second = _levels(one.kind.category), _levels(other.kind.category)
    shorter = min(len(first), len(second))
    if first[:shorter] != second[:shorter]:
        return False
    return one.box is None or other.box is None or one.box.overlap(other.box) >= _SAME


def _merged(one: DetectedObject, other: DetectedObject) -> DetectedObject:
    finer = other if len(_levels(other.kind.category)) > len(_levels(one.kind.category)) else one
    return replace(
        finer,
        box=one.box or other.box,
        tags=tuple(dict.fromkeys((*one.tags, *other.tags))),
        confidence=max(one.confidence, other.confidence),
    )


def _levels(category: Category) -> tuple[str, ...]:
    return tuple(filter(None, (category.major, category.middle, category.minor)))
