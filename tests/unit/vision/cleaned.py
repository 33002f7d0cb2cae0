"""Cleaning without the decoder's process: what most tests look at is the same."""

from io import BytesIO

from vision_svc.cleaning import clean
from vision_svc.photos import Photo
from vision_svc.pixels import Pixels, pixels


def cleaned(content: bytes) -> Photo:
    """The photo in a file's bytes."""
    return clean(BytesIO(content), len(content))


def seen(content: bytes) -> Pixels:
    """What is left of it to see."""
    return pixels(cleaned(content))
