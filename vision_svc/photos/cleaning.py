"""Cleans a photo: checks it before it is decoded, turns it upright, converts it to sRGB and scales it down.

Everything here is CPU work on untrusted bytes. It runs in the decoder's process, never in the service's.

What is refused: a picture in a known format outside JPEG, PNG, WEBP and HEIC is PHOTO_FORMAT, and so is
an animation; what is no picture at all, or a broken one, is PHOTO_UNREADABLE; one that ends too early PHOTO_TRUNCATED;
one that needs more memory than photos do is PHOTO_TOO_COMPLEX. The content decides, never the file's name.
"""

import hashlib
import mmap
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from io import BytesIO
from types import MappingProxyType

from PIL import Image

from mesh.errors import InvalidArgument
from mesh.reasons import Reason
from vision_svc.photos.colour import plain_rgb
from vision_svc.photos.formats import heic, jpeg, png, webp
from vision_svc.photos.formats.picture import Picture, cut
from vision_svc.photos.photos import ALLOWED, CLEAN_SIDE, Identity, Photo, demand_size

# Measured on photos of 1,024 x 768: 130 kB; 75 saves a quarter and shows at the edges of print, 95 costs 80 % more.
JPEG_QUALITY = 85
_THUMBNAIL_QUALITY = 75

File = BytesIO | mmap.mmap

_HEAD_BYTES = 64
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

_READERS: Mapping[str, Callable[[bytes], Picture]] = MappingProxyType(
    {"JPEG": jpeg.read, "PNG": png.read, "WEBP": webp.read, "HEIC": heic.read}
)
_HEIC_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1"})
_AVIF_BRANDS = frozenset({b"avif", b"avis"})
_CUT = ("truncated", "end-of-file", "end of file")  # in the libraries' messages about a file that ends too early


def configure() -> None:
    """Silences Pillow's warnings, since viewers show such photos too, and loads the libraries' plugins.

    Call it once at start: warning filters and the libraries' options belong to the process.
    """
    warnings.filterwarnings("ignore", module=r"PIL\.")
    Image.preinit()  # loaded on demand otherwise: what writes a JPEG
    heic.configure()


def clean(file: File, size: int) -> Photo:
    """Checks and cleans a photo.

    Args:
        file: The whole file, at its beginning.
        size: Of the file, in bytes.

    Raises:
        InvalidArgument: PHOTO_EMPTY, PHOTO_TOO_LARGE, PHOTO_FORMAT, PHOTO_UNREADABLE, PHOTO_TRUNCATED or
            PHOTO_TOO_COMPLEX.
    """
    demand_size(size)
    content = file.read()
    read = _READERS[_format(content[:_HEAD_BYTES])]
    with _decoding():
        picture = read(content)
        small = plain_rgb(picture.image, CLEAN_SIDE)
        small.info.clear()  # else a JPEG's comment would be written again
        if picture.orientation in _UPRIGHT:
            small = small.transpose(_UPRIGHT[picture.orientation])
        jpeg_file = BytesIO()
        small.save(jpeg_file, "JPEG", quality=JPEG_QUALITY)
    width, height = reversed(picture.size) if picture.orientation in _SIDEWAYS else picture.size
    return Photo(jpeg_file.getvalue(), Identity(_digest(small), width, height))


def thumbnail(content: bytes, side: int) -> bytes:
    """A small JPEG of a clean copy.

    Args:
        content: A photo that `clean` has made, so a JPEG that is upright and without metadata.
        side: Pixels of the longer side, at most.

    Raises:
        InvalidArgument: PHOTO_FORMAT, PHOTO_UNREADABLE or PHOTO_TRUNCATED: it is no such copy.
    """
    with _decoding(), Image.open(BytesIO(content), formats=("JPEG",)) as image:
        image.draft("RGB", (side, side))  # decoded at a fraction of its size, which takes a tenth of the time
        small = image.convert("RGB")
        small.thumbnail((side, side))
        small.info.clear()
        jpeg_file = BytesIO()
        small.save(jpeg_file, "JPEG", quality=_THUMBNAIL_QUALITY)
    return jpeg_file.getvalue()


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
    """The name of a picture format that is refused, for the error's text; None if it is no picture."""
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
    except Exception as error:
        if str(error).endswith("bytes failed"):  # libheif's way to say it
            raise InvalidArgument(Reason.PHOTO_TOO_COMPLEX, limit="memory") from error
        if any(word in str(error).lower() for word in _CUT):
            raise cut() from error
        raise InvalidArgument(Reason.PHOTO_UNREADABLE, detail="corrupt") from error


def _digest(image: Image.Image) -> str:
    whole = hashlib.sha256(f"{image.width}x{image.height}:".encode())
    whole.update(image.tobytes())
    return whole.hexdigest()
