"""What makes a frame sharp, and two frames alike."""

import pytest
from PIL import Image, ImageEnhance, ImageFilter

from tests.support.sample_clips import scene
from vision_svc.clips.scenes import Look, Scenes, sharpness


def _chosen(pictures: list[Image.Image], most: int = 5) -> list[float]:
    scenes = Scenes()
    for second, picture in enumerate(pictures):
        scenes.add(Look(second, picture, picture.size))
    return [look.second for look in scenes.best(most)]


@pytest.mark.parametrize("number", [0, 1, 2])
def test_blur_makes_less_sharp(number: int) -> None:
    """In steps that a hand makes."""
    radii = (0, 1, 2, 4)
    values = [sharpness(scene(number, (640, 480)).filter(ImageFilter.GaussianBlur(radius))) for radius in radii]
    assert values == sorted(values, reverse=True)
    assert values[0] > 2 * values[-1]


def test_the_camera_coming_back_to_a_thing_is_no_second_frame() -> None:
    """It was paid for once."""
    assert _chosen([scene(0), scene(1), scene(0)]) == [0, 1] or _chosen([scene(0), scene(1), scene(0)]) == [1, 2]


def test_light_that_changes_a_little_is_no_other_thing() -> None:
    """Phones adjust while they film."""
    assert len(_chosen([ImageEnhance.Brightness(scene(0)).enhance(factor) for factor in (1.0, 1.05, 1.1)])) == 1


def test_a_movement_between_two_things_is_not_taken() -> None:
    """It is never sharp."""
    swing = Image.blend(scene(0), scene(1), 0.5).filter(ImageFilter.GaussianBlur(12))
    assert _chosen([scene(0), swing, scene(1)]) == [0, 2]


def test_what_is_filmed_longest_comes_first() -> None:
    """When there are more scenes than frames may be taken."""
    assert _chosen([scene(0), scene(1), scene(1), scene(2), scene(2), scene(2)], most=2) in ([1, 3], [2, 3], [1, 4])


def test_black_is_taken_only_when_there_is_nothing_else() -> None:
    """A clip fades in, or was filmed in a pocket."""
    black = Image.new("RGB", (320, 240))
    assert _chosen([black, scene(0)]) == [1]
    assert _chosen([black, black]) == [0]
