"""A photo: the limits on size, and the clean copy.

Imported by the decoder's process too, so nothing heavy may be imported here.
"""

import re
from dataclasses import dataclass

from mesh.errors import InvalidArgument
from mesh.reasons import Reason

MAX_BYTES = 20 * 1024 * 1024
MAX_SIDE = 20_000
CLEAN_SIDE = 1_024
LEAST_SIDE = 1_000
"""Longer side at which a reduced photo is large enough: the quarter of a 12-megapixel one has 1,008."""
ALLOWED = "JPEG, PNG, WEBP, HEIC"

_MEGAPIXEL = 1_000_000
_IDENTITY = re.compile(r"([0-9a-f]{64}) (\d{1,6}) (\d{1,6})")


@dataclass(frozen=True, slots=True)
class Identity:
    """Which photo it is; as text, the three in this order, with blanks between.

    Attributes:
        digest: SHA-256 of the clean size and pixels, before they were packed into a JPEG, lower-case hex.
        width: Width of the upright original, in pixels.
        height: Height of the upright original, in pixels.
    """

    digest: str
    width: int
    height: int

    def __str__(self) -> str:
        return f"{self.digest} {self.width} {self.height}"

    @classmethod
    def parse(cls, text: str) -> "Identity | None":
        """The identity written so; None if it isn't one."""
        match = _IDENTITY.fullmatch(text)
        return cls(match[1], int(match[2]), int(match[3])) if match else None


@dataclass(frozen=True, slots=True)
class Photo:
    """A cleaned photo.

    Attributes:
        jpeg: Upright, sRGB, at most CLEAN_SIDE on the longer side, and without metadata or thumbnail.
        identity: Which photo it is.
    """

    jpeg: bytes
    identity: Identity

    @property
    def digest(self) -> str:
        """What identifies it."""
        return self.identity.digest


def reduction(width: int, height: int) -> int:
    """The largest whole number by which both sides may be divided and leave at least LEAST_SIDE on the longer one."""
    return max(1, max(width, height) // LEAST_SIDE)


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
        raise _too_large(size, MAX_BYTES, 1 << 20, "MiB")


def demand_pixels(width: int, height: int, most: int) -> None:
    """Refuses a picture by the size its header claims; decoders call it before they allocate one.

    Args:
        width: In pixels.
        height: In pixels.
        most: Pixels that this kind of picture may have.

    Raises:
        InvalidArgument: PHOTO_TOO_LARGE.
    """
    most -= most % _MEGAPIXEL
    if width * height > most:
        raise _too_large(width * height, most, _MEGAPIXEL, "megapixels")
    if max(width, height) > MAX_SIDE:
        raise InvalidArgument(Reason.PHOTO_TOO_LARGE, limit=f"{MAX_SIDE} px a side", actual=f"{max(width, height)} px")


def _too_large(actual: int, limit: int, unit: int, name: str) -> InvalidArgument:
    """The refusal, with as few decimals as still show that the one is more than the other."""
    digits = next(digits for digits in range(9) if round(actual / unit, digits) * unit > limit)
    return InvalidArgument(
        Reason.PHOTO_TOO_LARGE, limit=f"{limit // unit} {name}", actual=f"{actual / unit:.{digits}f} {name}"
    )
