"""Chooses frames: of each scene the sharpest, and none that looks like another.

A clip that pans over three things has three scenes. Each frame costs a look by a model, so a second one of the same
thing isn't worth it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from PIL import Image, ImageChops, ImageFilter, ImageStat

_MEASURED_SIDE = 512  # noise and the codec's blocks are averaged away; blur of a hand that moves isn't
_LAPLACIAN = ImageFilter.Kernel((3, 3), (0, 1, 0, 1, -4, 1, 0, 1, 0), scale=1, offset=128)
_SKETCH = (16, 16)
_DIFFERENT = 20.0  # of 255, on average over a sketch: another thing, or another side of it
_BLURRED = 0.08  # of the sharpest frame's sharpness: a scene that never gets sharper was a movement
_MOST_SCENES = 24  # that are held at once


@dataclass(frozen=True, slots=True)
class Look:
    """One picture of a clip.

    Attributes:
        second: When it is shown.
        image: It, as a photo.
        size: Its width and height in the clip, in pixels, when upright.
    """

    second: float
    image: Image.Image
    size: tuple[int, int]


@dataclass(slots=True)
class _Scene:
    """A stretch of a clip in which the same is seen.

    Attributes:
        best: Its sharpest picture.
        sharpness: How sharp that is.
        sketch: What its latest picture looks like.
        looks: How many pictures it has.
    """

    best: Look
    sharpness: float
    sketch: Image.Image
    looks: int = 1
    best_sketch: Image.Image = field(init=False)

    def __post_init__(self) -> None:
        self.best_sketch = self.sketch

    def add(self, look: Look, sharpness: float, sketch: Image.Image) -> None:
        """One more picture."""
        self.looks += 1
        self.sketch = sketch
        if sharpness > self.sharpness:
            self.best, self.sharpness, self.best_sketch = look, sharpness, sketch


class Scenes:
    """The scenes of a clip whose pictures come in order."""

    def __init__(self) -> None:
        self._scenes: list[_Scene] = []

    def add(self, look: Look) -> None:
        """The next picture."""
        sharp, sketch = sharpness(look.image), look.image.resize(_SKETCH, Image.Resampling.BOX)
        current = self._scenes[-1] if self._scenes else None
        if current and difference(current.sketch, sketch) < _DIFFERENT:
            current.add(look, sharp, sketch)
            return
        self._scenes.append(_Scene(look, sharp, sketch))
        if len(self._scenes) > _MOST_SCENES:
            self._scenes.remove(min(self._scenes[:-1], key=_worth))

    def best(self, most: int) -> Sequence[Look]:
        """Up to so many frames, in order of time; the scenes that last longest have them."""
        sharpest = max((scene.sharpness for scene in self._scenes), default=0.0)
        clear = [scene for scene in self._scenes if scene.sharpness >= sharpest * _BLURRED]
        taken: list[_Scene] = []
        for scene in sorted(clear, key=_worth, reverse=True):
            if len(taken) < most and all(difference(scene.best_sketch, one.best_sketch) >= _DIFFERENT for one in taken):
                taken.append(scene)
        return sorted((scene.best for scene in taken), key=lambda look: look.second)


def _worth(scene: _Scene) -> tuple[int, float]:
    return scene.looks, scene.sharpness


def sharpness(image: Image.Image) -> float:
    """Variance of the Laplacian: the more edges, and the harder, the larger."""
    grey = image.convert("L")
    grey.thumbnail((_MEASURED_SIDE, _MEASURED_SIDE), Image.Resampling.BOX)
    edges = grey.filter(_LAPLACIAN)
    inner = (1, 1, max(edges.width - 1, 2), max(edges.height - 1, 2))  # the outermost row is left as it was
    return float(ImageStat.Stat(edges.crop(inner)).var[0])


def difference(one: Image.Image, other: Image.Image) -> float:
    """How unlike two sketches are, 0 to 255; sketches of different shapes differ wholly."""
    if one.size != other.size:
        return 255.0
    channels = ImageStat.Stat(ImageChops.difference(one, other)).mean
    return float(sum(channels) / len(channels))
