"""A picture as decoded from its file, before it is turned, converted and scaled."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from PIL import Image, ImageFile

from mesh.errors import InvalidArgument
from mesh.reasons import Reason
from vision_svc.photos.orientation import UPRIGHT

MOST_LOST = 0.1
"""Share of a picture that may be missing at its end, where the photographed thing hardly ever is."""

DECODED_BYTES = 540 << 20
"""Memory that the pixels of one picture may take while it is decoded, with every copy that its decoder makes."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A decoded picture.

    Attributes:
        image: Loaded, in any mode, as the file has it or scaled down; its `info` holds an `icc_profile` if it has one.
        size: Width and height that the file claims, in pixels, before it is turned.
        orientation: How to turn it upright, EXIF's 1 to 8.
    """

    image: Image.Image
    size: tuple[int, int]
    orientation: int = UPRIGHT


def cut(lost: float | None = None) -> InvalidArgument:
    """The refusal of a file that ends too early.

    Args:
        lost: Share of the picture that is missing, 0 to 1; None if unknown.
    """
    share = "unknown" if lost is None else f"{lost:.0%}"
    return InvalidArgument(Reason.PHOTO_TRUNCATED, lost=share)


def demand_most(lost: float) -> None:
    """Refuses a picture of which too much is missing.

    Args:
        lost: Share of the picture, 0 to 1.

    Raises:
        InvalidArgument: PHOTO_TRUNCATED.
    """
    if lost > MOST_LOST:
        raise cut(lost)


@contextmanager
def taken_though_cut() -> Iterator[None]:
    """Lets Pillow load what is there of a file that ends too early. The setting belongs to the process."""
    ImageFile.LOAD_TRUNCATED_IMAGES = True
    try:
        yield
    finally:
        ImageFile.LOAD_TRUNCATED_IMAGES = False
