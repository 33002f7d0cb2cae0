"""Cleaning without the decoder's process: what most tests look at is the same."""

from io import BytesIO

from vision_svc.classifiers.pixels import Pixels, pixels
from vision_svc.photos.cleaning import clean
from vision_svc.photos.photos import Photo


def cleaned(content: bytes) -> Photo:
    """The photo in a file's bytes."""
    return clean(BytesIO(content), len(content))


def seen(content: bytes) -> Pixels:
    """What is left of it to see."""
    return pixels(cleaned(content))
