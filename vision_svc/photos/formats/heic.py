"""HEIC: the primary picture, whatever else is in the file."""

from io import BytesIO

import pi_heif
from PIL import Image

from vision_svc.photos.formats.picture import DECODED_BYTES, Picture
from vision_svc.photos.photos import demand_pixels, reduction

# libheif's planes, the same as RGB, and a copy of that; more for other than eight bits in 4:2:0, which phones write.
_BYTES_A_PIXEL = 7
_BYTES_A_RICH_PIXEL = 11
_STRIP_ROWS = 64


def configure() -> None:
    """Sets what belongs to the process: no threads, and no picture but the main ones."""
    pi_heif.options.DECODE_THREADS = 1  # photos run side by side, and every thread's stack counts as memory
    pi_heif.options.THUMBNAILS = pi_heif.options.DEPTH_IMAGES = pi_heif.options.AUX_IMAGES = False


def read(content: bytes) -> Picture:
    """The primary picture, upright: libheif turns it as the container says; EXIF only repeats that.

    Args:
        content: The file.

    Raises:
        InvalidArgument: PHOTO_TOO_LARGE.
        Exception: Whatever libheif raises on a broken file.
    """
    file = pi_heif.open_heif(BytesIO(content))
    primary = file[file.primary_index]
    rich = primary.info["bit_depth"] > 8 or primary.has_alpha or primary.info.get("chroma", 420) != 420
    width, height = primary.size
    demand_pixels(width, height, DECODED_BYTES // (_BYTES_A_RICH_PIXEL if rich else _BYTES_A_PIXEL))
    image = _reduced(primary)
    if profile := primary.info.get("icc_profile"):
        image.info["icc_profile"] = profile
    return Picture(image, (width, height))


def _reduced(picture: pi_heif.HeifImage) -> Image.Image:
    """The pixels, strip by strip, so that a large picture is never in memory twice."""
    pixels, (width, height) = picture.data, picture.size
    factor = reduction(width, height)
    small = Image.new(picture.mode, (-(-width // factor), -(-height // factor)))
    for top in range(0, height, _STRIP_ROWS * factor):
        rows = min(_STRIP_ROWS * factor, height - top)
        part: bytes = pixels[top * picture.stride : (top + rows) * picture.stride]
        strip = Image.frombuffer(picture.mode, (width, rows), part, "raw", picture.mode, picture.stride, 1)
        small.paste(strip.reduce(factor), (0, top // factor))
    return small
