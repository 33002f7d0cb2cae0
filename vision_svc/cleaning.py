"""Cleaning a photo: checked before it is decoded, turned upright, made plain and small.

Everything here is CPU work on bytes that strangers sent. It runs in the decoder's process, never in the service's.

The rule for what isn't taken: a picture in a known format outside JPEG, PNG, WEBP and HEIC is PHOTO_FORMAT, and so is
an animation; what is no picture at all, or a broken one, is PHOTO_UNREADABLE; what takes more memory than a photo ever
does is PHOTO_TOO_COMPLEX. The content decides, never a name.
"""

import hashlib
import mmap
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from io import BytesIO
from types import MappingProxyType
from typing import IO, cast

import pi_heif
from PIL import Image, TiffImagePlugin
from PIL.ImageFile import ImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.WebPImagePlugin import WebPImageFile

from mesh.errors import InvalidArgument, Reason
from vision_svc.colours import plain_rgb
from vision_svc.photos import ALLOWED, CLEAN_SIDE, MAX_PIXELS, MAX_SIDE, Identity, Photo, demand_size

# Measured on photos of 1,024 x 768: 130 kB; 75 saves a quarter and shows at the edges of print, 95 costs 80 % more.
JPEG_QUALITY = 85

File = BytesIO | mmap.mmap

_HEAD_BYTES = 64
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
_OPENERS: Mapping[str, Callable[[IO[bytes]], ImageFile]] = MappingProxyType(
    {"JPEG": JpegImageFile, "PNG": PngImageFile, "WEBP": WebPImageFile, "HEIC": pi_heif.HeifImageFile}
)
_HEIC_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"})
_AVIF_BRANDS = frozenset({b"avif", b"avis"})


def configure() -> None:
    """Makes the libraries refuse what they would only warn of, but for a damaged EXIF block, and load what they need.

    Call it once at start: warning filters and the libraries' options belong to the process.
    """
    warnings.filterwarnings("error", module=r"PIL\.")
    warnings.filterwarnings("ignore", "(possibly )?corrupt EXIF", module=r"PIL\.")
    # Loaded on demand otherwise: what reads EXIF, and what writes a JPEG.
    TiffImagePlugin.PREFIXES  # noqa: B018
    Image.preinit()
    pi_heif.options.DECODE_THREADS = 1  # photos run side by side, and every thread's stack counts as memory
    pi_heif.options.THUMBNAILS = pi_heif.options.DEPTH_IMAGES = pi_heif.options.AUX_IMAGES = False


def clean(file: File, size: int) -> Photo:
    """Checks and cleans a photo.

    Args:
        file: The whole file, at its beginning.
        size: Of the file, in bytes.

    Raises:
        InvalidArgument: PHOTO_EMPTY, PHOTO_TOO_LARGE, PHOTO_FORMAT, PHOTO_UNREADABLE or PHOTO_TOO_COMPLEX.
    """
    demand_size(size)
    head = file.read(_HEAD_BYTES)
    file.seek(0)
    form = _format(head)
    if form == "WEBP":
        _demand_dimensions(*_webp_size(head))
    with _decoding():
        image = _OPENERS[form](cast(IO[bytes], file))
    _demand_dimensions(image.width, image.height)
    with _decoding():
        # Several pictures in a HEIC are a burst or a depth map beside the primary one, which is the photo.
        animated = form != "HEIC" and getattr(image, "is_animated", False)
    if animated:
        raise InvalidArgument(Reason.PHOTO_FORMAT, format=f"animated {form}", allowed=ALLOWED)
    orientation = _orientation(image)
    width, height = reversed(image.size) if orientation in _SIDEWAYS else image.size
    with _decoding():
        small = _small(image, orientation)
        jpeg = BytesIO()
        small.save(jpeg, "JPEG", quality=JPEG_QUALITY)
    return Photo(jpeg.getvalue(), Identity(_digest(small), width, height))


def _format(head: bytes) -> str:
    """The format's name by the first bytes."""
    if head.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG"
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return "WEBP"
    if head[4:8] == b"ftyp":
        brands = {head[place : place + 4] for place in range(8, len(head) - 3, 4)}
        if head[8:12] in _HEIC_BRANDS and not brands & _AVIF_BRANDS:
            return "HEIC"
    foreign = _foreign_format(head)
    if foreign is None:
        raise InvalidArgument(Reason.PHOTO_UNREADABLE, detail="not a picture")
    raise InvalidArgument(Reason.PHOTO_FORMAT, format=foreign, allowed=ALLOWED)


def _foreign_format(head: bytes) -> str | None:
    """The name of a picture format we don't take, so that people learn what to change; None if it is no picture."""
    if head[4:8] == b"ftyp":
        return "AVIF" if any(brand in head for brand in _AVIF_BRANDS) else None
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
    return next((name for start, name in starts.items() if head.startswith(start)), None)


def _webp_size(head: bytes) -> tuple[int, int]:
    """Width and height by the header; Pillow can't tell them before it has allocated the pixels."""
    if head[12:16] == b"VP8X":
        return int.from_bytes(head[24:27], "little") + 1, int.from_bytes(head[27:30], "little") + 1
    if head[12:16] == b"VP8L":
        packed = int.from_bytes(head[21:25], "little")
        return (packed & 0x3FFF) + 1, (packed >> 14 & 0x3FFF) + 1
    return int.from_bytes(head[26:28], "little") & 0x3FFF, int.from_bytes(head[28:30], "little") & 0x3FFF


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
    except InvalidArgument:
        raise
    except MemoryError as error:
        raise InvalidArgument(Reason.PHOTO_TOO_COMPLEX, limit="memory") from error
    except Image.DecompressionBombError as error:
        raise _too_many_pixels("far more") from error
    except Exception as error:
        detail = "truncated" if isinstance(error, OSError) and "truncated" in str(error) else "corrupt"
        raise InvalidArgument(Reason.PHOTO_UNREADABLE, detail=detail) from error


def _orientation(image: ImageFile) -> int:
    """EXIF orientation, 1 to 8; upright when the EXIF block is damaged, since the picture may be whole."""
    if image.format == "HEIF":  # its decoder has turned it already, by the container's own word
        return 1
    try:
        return int(image.getexif().get(_EXIF_ORIENTATION, 1))
    except Exception:
        return 1


def _small(image: ImageFile, orientation: int) -> Image.Image:
    """The picture as a phone's screen would show it: small, sRGB, opaque, upright."""
    # A JPEG is decoded at a fraction of its size, which saves most of the time and memory.
    image.draft(None, (CLEAN_SIDE, CLEAN_SIDE))
    image.load()
    rgb = plain_rgb(image, CLEAN_SIDE)
    rgb.info.clear()  # else a JPEG's comment would be written again
    return rgb.transpose(_UPRIGHT[orientation]) if orientation in _UPRIGHT else rgb


def _digest(image: Image.Image) -> str:
    whole = hashlib.sha256(f"{image.width}x{image.height}:".encode())
    whole.update(image.tobytes())
    return whole.hexdigest()
