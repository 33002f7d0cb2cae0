"""A photo: what of it is taken, and what is left of it once it is clean.

Imported by the decoder's process too, so nothing heavy may be imported here.
"""

from dataclasses import dataclass

from mesh.errors import InvalidArgument, Reason

MAX_BYTES = 20 * 1024 * 1024
MAX_PIXELS = 50_000_000
MAX_SIDE = 20_000
CLEAN_SIDE = 1_024
ALLOWED = "JPEG, PNG, WEBP, HEIC"


@dataclass(frozen=True, slots=True)
class Photo:
    """A cleaned photo.

    Attributes:
        jpeg: Upright, sRGB, at most CLEAN_SIDE on the longer side, and nothing but pixels: no place, no camera, no
            thumbnail.
        digest: SHA-256 of the size and the pixels before they were packed into the JPEG, lower-case hex: what
            identifies the photo.
        width: Width of the upright original, in pixels.
        height: Height of the upright original, in pixels.
    """

    jpeg: bytes
    digest: str
    width: int
    height: int


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
