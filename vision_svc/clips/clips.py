"""A clip: the limits on it, and the frames that are taken from it.

Imported by the decoder's process too, so nothing heavy may be imported here.
"""

from dataclasses import dataclass

from mesh.errors import InvalidArgument
from mesh.reasons import Reason
from vision_svc.photos.photos import Identity

MAX_BYTES = 100 << 20
"""A minute of what phones film in Full HD; the file is held in memory while it is looked through."""
MAX_SECONDS = 60.0
MAX_PIXELS = 4096 * 2304
"""4K in either of its shapes. A decoder holds up to sixteen pictures of it."""
MAX_PICTURES = 20_000
"""A minute at 240 a second has 14,400."""
MAX_TRACKS = 16
ALLOWED = "MP4, MOV, WEBM, MKV with H.264, HEVC, VP8 or VP9"

_ROUNDING_SECONDS = 0.5  # players round, and the sound may outlast the last picture


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame, as a clean photo.

    Attributes:
        jpeg: Upright, sRGB, at most `photos.CLEAN_SIDE` on the longer side.
        identity: Which photo it is, and its size in the clip.
        second: When it is shown, in seconds from the clip's beginning.
    """

    jpeg: bytes
    identity: Identity
    second: float


@dataclass(frozen=True, slots=True)
class StoredFrame:
    """A frame whose clean copy is stored as a photo.

    Attributes:
        object_key: Where.
        identity: Which photo it is.
        second: When it is shown.
    """

    object_key: str
    identity: Identity
    second: float


@dataclass(frozen=True, slots=True)
class Seen:
    """How far a clip was looked through.

    Attributes:
        second: Up to here.
        seconds: How long it is.
    """

    second: float
    seconds: float


def demand_size(size: int) -> None:
    """Refuses a file by its size alone.

    Args:
        size: Of the file, in bytes.

    Raises:
        InvalidArgument: VIDEO_EMPTY or VIDEO_TOO_LARGE.
    """
    if size == 0:
        raise InvalidArgument(Reason.VIDEO_EMPTY)
    if size > MAX_BYTES:
        raise InvalidArgument(
            Reason.VIDEO_TOO_LARGE, limit=f"{MAX_BYTES >> 20} MiB", actual=f"{size / (1 << 20):.1f} MiB"
        )


def demand_seconds(seconds: float) -> None:
    """Refuses a clip by how long it is, or says that it is.

    Raises:
        InvalidArgument: VIDEO_TOO_LONG.
    """
    if seconds > MAX_SECONDS + _ROUNDING_SECONDS:
        raise InvalidArgument(Reason.VIDEO_TOO_LONG, limit=f"{MAX_SECONDS:g}", actual=f"{seconds:.0f}")


def demand_pixels(width: int, height: int) -> None:
    """Refuses a clip by the size of its pictures.

    Raises:
        InvalidArgument: VIDEO_TOO_LARGE.
    """
    if width * height > MAX_PIXELS:
        raise InvalidArgument(Reason.VIDEO_TOO_LARGE, limit="4096 x 2304", actual=f"{width} x {height}")


def too_complex(limit: str) -> InvalidArgument:
    """The refusal of a clip that takes more than clips may.

    Args:
        limit: What it went beyond, such as "20 s".
    """
    return InvalidArgument(Reason.VIDEO_TOO_COMPLEX, limit=limit)


def unreadable(detail: str, second: float = 0.0) -> InvalidArgument:
    """The refusal of what can't be decoded.

    Args:
        detail: Why, such as "corrupt".
        second: Where in the clip.
    """
    return InvalidArgument(Reason.VIDEO_UNREADABLE, detail=detail, second=f"{second:.1f}")
