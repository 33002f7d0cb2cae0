"""A photo: checked before it is decoded, turned upright, made plain and small.

What comes out carries no metadata, since it is nothing but pixels: no place, no camera, no thumbnail. Everything here
is CPU work; run it off the event loop.

The rule for what isn't taken: a picture in a known format outside JPEG, PNG and WEBP is PHOTO_FORMAT, and so is an
animation; what is no picture at all, or a broken one, is PHOTO_UNREADABLE. The content decides, never a name.
"""

import hashlib
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.ImageFile import ImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.WebPImagePlugin import WebPImageFile

from mesh.errors import InvalidArgument, Reason
from vision_svc.colours import plain_rgb

MAX_BYTES = 20 * 1024 * 1024
MAX_PIXELS = 50_000_000
MAX_SIDE = 20_000
CLEAN_SIDE = 1_024
ALLOWED = "JPEG, PNG, WEBP"

Pixels = NDArray[np.uint8]
"""RGB, uint8 [height, width, 3], in sRGB."""

_EXIF_ORIENTATION = 0x0112
_UPRIGHT: Mapping[int, Image.Transpose] = MappingProxyType(
    {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_270,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_90,
    }
)
_SIDEWAYS = frozenset({5, 6, 7, 8})

# Opened by plugin, not by Image.open: that one warns of a large picture before telling how large it is, and takes the
# second picture a phone may hide in a JPEG (depth, gain map) for an animation.
_OPENERS: Mapping[str, Callable[[BytesIO], ImageFile]] = MappingProxyType(
    {"JPEG": JpegImageFile, "PNG": PngImageFile, "WEBP": WebPImageFile}
)


@dataclass(frozen=True, slots=True)
class Photo:
    """A cleaned photo.

    Attributes:
        pixels: At most CLEAN_SIDE on the longer side; read-only.
        digest: SHA-256 of the size and the pixels, lower-case hex: what identifies the photo.
        width: Width of the upright original, in pixels.
        height: Height of the upright original, in pixels.
    """

    pixels: Pixels
    digest: str
    width: int
    height: int


def refuse_on_warnings() -> None:
    """Makes Pillow refuse a picture where it would only warn of it; a damaged EXIF block alone is no reason to.

    Call it once at start: warning filters belong to the process, not to a thread.
    """
    warnings.filterwarnings("error", module=r"PIL\.")
    warnings.filterwarnings("ignore", "(possibly )?corrupt EXIF", module=r"PIL\.")


def prepare(content: bytes) -> Photo:
    """Checks and cleans a photo.

    Args:
        content: The whole file.

    Raises:
        InvalidArgument: PHOTO_EMPTY, PHOTO_TOO_LARGE, PHOTO_FORMAT or PHOTO_UNREADABLE.
    """
    demand_size(len(content))
    with _decoding():
        image = _OPENERS[_format(content)](BytesIO(content))
    _demand_dimensions(image.width, image.height)
    with _decoding():
        animated = getattr(image, "is_animated", False)
    if animated:
        raise InvalidArgument(Reason.PHOTO_FORMAT, format=f"animated {image.format}", allowed=ALLOWED)
    orientation = _orientation(image)
    width, height = reversed(image.size) if orientation in _SIDEWAYS else image.size
    with _decoding():
        pixels = np.array(_clean(image, orientation), np.uint8)
    pixels.setflags(write=False)
    return Photo(pixels, _digest(pixels), width, height)


def demand_size(size: int) -> None:
    """Refuses a file by its size alone; sources call it before they load one.

    Args:
        size: Of the file, in bytes.

    Raises:
        InvalidArgument: PHOTO_EMPTY or PHOTO_TOO_LARGE.
    """
    if size == 0:
        raise InvalidArgument(Reason.PHOTO_EMPTY)
    if size > MAX_BYTES:
        raise InvalidArgument(
            Reason.PHOTO_TOO_LARGE, limit=f"{MAX_BYTES >> 20} MiB", actual=f"{size / (1 << 20):.1f} MiB"
        )


def _format(content: bytes) -> str:
    """The format's name by the first bytes."""
    if content.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG"
    if content.startswith(b"RIFF") and content[8:12] == b"WEBP":
        return "WEBP"
    foreign = _foreign_format(content)
    if foreign is None:
        raise InvalidArgument(Reason.PHOTO_UNREADABLE, detail="not a picture")
    raise InvalidArgument(Reason.PHOTO_FORMAT, format=foreign, allowed=ALLOWED)


def _foreign_format(content: bytes) -> str | None:
    """The name of a picture format we don't take, so that people learn what to change; None if it is no picture."""
    if content[4:8] == b"ftyp":
        brand = content[8:12]
        if brand in {b"avif", b"avis"}:
            return "AVIF"
        return "HEIC" if brand in {b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1"} else None
    starts = {
        b"GIF8": "GIF",
        b"BM": "BMP",
        b"II*\0": "TIFF",
        b"MM\0*": "TIFF",
        b"\0\0\0\x0cjP  ": "JPEG 2000",
        b"\0\0\0\x0cJXL ": "JPEG XL",
        b"\xff\x0a": "JPEG XL",
        b"8BPS": "PSD",
        b"%PDF": "PDF",
    }
    return next((name for start, name in starts.items() if content.startswith(start)), None)


def _demand_dimensions(width: int, height: int) -> None:
    """Refuses what would take too much memory to decode; only the header has been read so far."""
    if width * height > MAX_PIXELS:
        raise _too_many_pixels(f"{width * height / 1e6:.0f} megapixels")
    if max(width, height) > MAX_SIDE:
        raise InvalidArgument(Reason.PHOTO_TOO_LARGE, limit=f"{MAX_SIDE} px a side", actual=f"{max(width, height)} px")


def _too_many_pixels(actual: str) -> InvalidArgument:
    return InvalidArgument(Reason.PHOTO_TOO_LARGE, limit=f"{MAX_PIXELS // 1_000_000} megapixels", actual=actual)


@contextmanager
def _decoding() -> Iterator[None]:
    """Turns what a decoder raises into our error.

    Hostile bytes make decoders raise almost anything, warnings included; it all means that the photo can't be read.
    """
    try:
        yield
    except (InvalidArgument, MemoryError):
        raise
    except Image.DecompressionBombError as error:
        raise _too_many_pixels("far more") from error
    except Exception as error:
        detail = "truncated" if isinstance(error, OSError) and "truncated" in str(error) else "corrupt"
        raise InvalidArgument(Reason.PHOTO_UNREADABLE, detail=detail) from error


def _orientation(image: ImageFile) -> int:
    """EXIF orientation, 1 to 8; upright when the EXIF block is damaged, since the picture may be whole."""
    try:
        return int(image.getexif().get(_EXIF_ORIENTATION, 1))
    except Exception:
        return 1


def _clean(image: ImageFile, orientation: int) -> Image.Image:
    """The picture as a phone's screen would show it: small, sRGB, opaque, upright."""
    # A JPEG is decoded at a fraction of its size, which saves most of the time and memory.
    image.draft(None, (CLEAN_SIDE, CLEAN_SIDE))
    image.load()
    rgb = plain_rgb(image, CLEAN_SIDE)
    return rgb.transpose(_UPRIGHT[orientation]) if orientation in _UPRIGHT else rgb


def _digest(pixels: Pixels) -> str:
    height, width, _ = pixels.shape
    return hashlib.sha256(f"{width}x{height}:".encode() + pixels.tobytes()).hexdigest()
