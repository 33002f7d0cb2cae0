"""Photos for the tests: a drawn note, and two photographs that scikit-learn's wheel brings along."""

from functools import cache
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path

from PIL import Image

from local import sample_photo


@cache
def note() -> bytes:
    """A note on paper, as a JPEG file: what the demo scans, and the offline model is sure of."""
    return sample_photo.draw()


def photograph(name: str) -> bytes:
    """One of scikit-learn's photographs, as a JPEG file of 640 x 427 pixels: flower.jpg or china.jpg, a temple."""
    package = find_spec("sklearn")
    assert package
    assert package.origin
    return (Path(package.origin).parent / "datasets" / "images" / name).read_bytes()


def flower() -> Image.Image:
    """A dahlia before leaves, 600 x 400: edges and even ground, as photos have them."""
    return Image.open(BytesIO(photograph("flower.jpg"))).convert("RGB").resize((600, 400))
