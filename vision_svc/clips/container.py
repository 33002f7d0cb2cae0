"""Opens a clip: one of two demuxers, by name, on a file in memory, and one track of pictures in it.

FFmpeg has hundreds of demuxers, some of which open further files and addresses. Nothing but the two is ever asked, no
protocol is allowed, and what a file refers to outside itself is left alone.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from types import MappingProxyType

import av
from av.container.input import InputContainer
from av.stream import Discard, Disposition
from av.video.stream import VideoStream

from mesh.errors import InvalidArgument
from mesh.reasons import Reason
from vision_svc.clips.boxes import MOV, Outline, outline
from vision_svc.clips.clips import ALLOWED, MAX_PIXELS, MAX_TRACKS, demand_pixels, demand_seconds, too_complex
from vision_svc.photos.formats.picture import MOST_LOST

CODECS = frozenset({"h264", "hevc", "vp8", "vp9"})

_BUFFER = 1 << 18
_MOST_PADDED = 64 * (4096 + 2304)  # codecs pad a picture to whole blocks
_OPTIONS: Mapping[str, str] = MappingProxyType(
    {
        "protocol_whitelist": "",
        "codec_whitelist": ",".join(sorted(CODECS)),
        "max_streams": str(MAX_TRACKS),
        "max_pixels": str(MAX_PIXELS + _MOST_PADDED),
        "threads": "1",
    }
)
_MOV_OPTIONS: Mapping[str, str] = MappingProxyType({"enable_drefs": "0", "use_absolute_path": "0"})
_SECRET = frozenset({"encv", "drmi"})  # the names of encrypted tracks


class File:
    """A file in memory, as the library reads one: never beyond its size, behind which frames are written.

    Args:
        descriptor: Of the file.
        size: Of the clip in it, in bytes.
    """

    def __init__(self, descriptor: int, size: int) -> None:
        self.size = size
        self._descriptor = descriptor
        self._place = 0

    def at(self, place: int, count: int) -> bytes:
        """So many bytes from there; fewer at its end."""
        return os.pread(self._descriptor, max(0, min(count, self.size - place)), place)

    def read(self, count: int) -> bytes:
        """The next bytes."""
        piece = self.at(self._place, count)
        self._place += len(piece)
        return piece

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Goes to a place."""
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._place, os.SEEK_END: self.size}[whence]
        self._place = max(0, start + offset)
        return self._place

    def tell(self) -> int:
        """The place."""
        return self._place


@dataclass(frozen=True, slots=True)
class Clip:
    """An open clip.

    Attributes:
        container: The file.
        track: The pictures.
        lost: Share of the file's bytes that are missing at its end, 0 to 1.
    """

    container: InputContainer
    track: VideoStream
    lost: float


@contextmanager
def opened(file: File) -> Iterator[Clip]:
    """The clip in a file, until the block is left.

    Raises:
        InvalidArgument: VIDEO_FORMAT, VIDEO_UNREADABLE, VIDEO_EMPTY, VIDEO_PROTECTED, VIDEO_TOO_LONG, VIDEO_TOO_LARGE,
            VIDEO_TOO_COMPLEX or VIDEO_TRUNCATED.
    """
    what = outline(file)
    if not what.indexed or what.lost > MOST_LOST:
        raise _cut(what)
    options = {**_OPTIONS, **(_MOV_OPTIONS if what.format == MOV else {})}
    with av.open(file, "r", format=what.format, options=options, buffer_size=_BUFFER) as container:
        track = _track(container)
        _demand_taken(container, track)
        for other in container.streams:
            if other is not track:
                other.discard = Discard.all
        yield Clip(container, track, what.lost)


def _cut(what: Outline) -> InvalidArgument:
    share = f"{what.lost:.0%}" if what.indexed else "index"
    return InvalidArgument(Reason.VIDEO_TRUNCATED, lost=share)


def _track(container: InputContainer) -> VideoStream:
    """The track of pictures that players show: the largest, and never a cover."""
    if len(container.streams) >= MAX_TRACKS:
        raise too_complex(f"{MAX_TRACKS} tracks")
    tracks = [one for one in container.streams.video if not one.disposition & Disposition.attached_pic]
    if not tracks:
        raise InvalidArgument(Reason.VIDEO_EMPTY)
    return max(tracks, key=lambda one: (bool(one.disposition & Disposition.default), one.width * one.height))


def _demand_taken(container: InputContainer, track: VideoStream) -> None:
    if track.codec_context is None or track.codec_tag in _SECRET:
        raise InvalidArgument(Reason.VIDEO_PROTECTED if track.codec_context else Reason.VIDEO_FORMAT, allowed=ALLOWED)
    if track.codec_context.codec.name not in CODECS:
        raise InvalidArgument(Reason.VIDEO_FORMAT, format=track.codec_context.codec.name, allowed=ALLOWED)
    demand_pixels(track.width, track.height)
    claimed = [container.duration / av.time_base] if container.duration else []
    if track.duration and track.time_base:
        claimed.append(float(track.duration * track.time_base))
    demand_seconds(max(claimed, default=0.0))
