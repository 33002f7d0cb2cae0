"""WebP: checked before Pillow sees it, which allocates the pixels before it tells how many there are."""

import struct
from io import BytesIO

from PIL.WebPImagePlugin import WebPImageFile

from mesh.errors import InvalidArgument
from mesh.reasons import Reason
from vision_svc.photos.formats.picture import DECODED_BYTES, Picture, demand_most
from vision_svc.photos.orientation import orientation
from vision_svc.photos.photos import ALLOWED, demand_pixels

_BYTES_A_PIXEL = 16  # libwebp's two canvases, its answer, and Pillow's picture
_RIFF_BYTES = 8


def read(content: bytes) -> Picture:
    """The picture.

    Args:
        content: The file.

    Raises:
        InvalidArgument: PHOTO_TOO_LARGE, PHOTO_FORMAT of an animation, or PHOTO_TRUNCATED if too much is missing.
        Exception: Whatever Pillow raises on a broken file.
    """
    demand_pixels(*_size(content), DECODED_BYTES // _BYTES_A_PIXEL)
    image = WebPImageFile(BytesIO(_padded(content)))
    if image.is_animated:
        raise InvalidArgument(Reason.PHOTO_FORMAT, format="animated WEBP", allowed=ALLOWED)
    size = image.size
    image.load()
    return Picture(image, size, orientation(image.info.get("exif", b""), image.info.get("xmp", b"")))


def _size(content: bytes) -> tuple[int, int]:
    """Width and height by the header, in pixels."""
    head = content[:32].ljust(32, b"\0")
    if head[12:16] == b"VP8X":
        return int.from_bytes(head[24:27], "little") + 1, int.from_bytes(head[27:30], "little") + 1
    if head[12:16] == b"VP8L":
        packed = int.from_bytes(head[21:25], "little")
        return (packed & 0x3FFF) + 1, (packed >> 14 & 0x3FFF) + 1
    return int.from_bytes(head[26:28], "little") & 0x3FFF, int.from_bytes(head[28:30], "little") & 0x3FFF


def _padded(content: bytes) -> bytes:
    """The file at the length it claims: libwebp refuses a shorter one outright, and doesn't say how many rows it had.

    Raises:
        InvalidArgument: PHOTO_TRUNCATED: too much is missing.
    """
    (length,) = struct.unpack_from("<I", content, 4)
    missing = max(0, length + _RIFF_BYTES - len(content))
    demand_most(missing / (length + _RIFF_BYTES))
    return content + bytes(missing)
