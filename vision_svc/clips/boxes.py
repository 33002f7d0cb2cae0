"""What a clip's file says of itself before a library sees it: the format, and whether its end is there.

MP4 and MOV are boxes, each with its length; Matroska and WebM are one large element. Players show what is there of a
file that was cut, and the library says "invalid data" where its index is missing: here it is counted in bytes.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from mesh.errors import InvalidArgument
from mesh.reasons import Reason
from vision_svc.clips.clips import ALLOWED

MOV, MATROSKA = "mov", "matroska"

_EBML = b"\x1a\x45\xdf\xa3"
_SEGMENT = b"\x18\x53\x80\x67"
_FIRST_BOXES = frozenset({b"ftyp", b"moov", b"wide", b"mdat", b"free", b"skip"})
_STILL_BRANDS = frozenset({b"heic", b"heix", b"mif1", b"avif", b"msf1"})
_MOST_BOXES = 4096  # fragments have two each, and a fragment lasts a tenth of a second at the least
_FOREIGN = {
    b"RIFF": "AVI",
    b"\x00\x00\x01\xba": "MPEG",
    b"OggS": "OGG",
    b"FLV": "FLV",
    b"\x30\x26\xb2\x75": "WMV",
    b"GIF8": "GIF",
    b"\xff\xd8\xff": "JPEG",
    b"\x89PNG": "PNG",
    b"#EXTM3U": "playlist",
    b"ffconcat": "playlist",
    b"<?xml": "playlist",
}


class Bytes(Protocol):
    """A file in memory."""

    size: int

    def at(self, place: int, count: int) -> bytes:
        """So many bytes from there; fewer at its end."""


@dataclass(frozen=True, slots=True)
class Outline:
    """What the file is.

    Attributes:
        format: MOV or MATROSKA, as FFmpeg's demuxers are called.
        lost: Share of its bytes that are missing at its end, 0 to 1.
        indexed: Whether what tells where the pictures are is there.
    """

    format: str
    lost: float
    indexed: bool = True


def outline(file: Bytes) -> Outline:
    """What the file is, by its content, never by its name.

    Raises:
        InvalidArgument: VIDEO_FORMAT, or VIDEO_UNREADABLE if it is nothing that is known.
    """
    head = file.at(0, 64)
    if head.startswith(_EBML):
        return _of_matroska(file)
    if head[4:8] in _FIRST_BOXES and head[8:12] not in _STILL_BRANDS:
        return _of_boxes(file)
    if head[4:8] == b"ftyp":
        raise _foreign("HEIC" if head[8:12] != b"avif" else "AVIF")
    for start, name in _FOREIGN.items():
        if head.startswith(start):
            raise _foreign(name)
    if head[:1] == b"\x47" and file.at(188, 1) == b"\x47":
        raise _foreign("MPEG-TS")
    raise InvalidArgument(Reason.VIDEO_UNREADABLE, detail="not a video", second="0.0")


def _foreign(name: str) -> InvalidArgument:
    return InvalidArgument(Reason.VIDEO_FORMAT, format=name, allowed=ALLOWED)


def _of_boxes(file: Bytes) -> Outline:
    end, indexed = 0, False
    for kind, end in _boxes(file):
        indexed = indexed or (kind == b"moov" and end <= file.size)
    return Outline(MOV, max(0.0, 1 - file.size / end) if end else 0.0, indexed)


def _boxes(file: Bytes) -> Iterator[tuple[bytes, int]]:
    """The outermost boxes: the kind of each, and where it says that it ends."""
    place = 0
    for _ in range(_MOST_BOXES):
        head = file.at(place, 16)
        if len(head) < 8:
            return
        length = int.from_bytes(head[:4])
        if length == 1:
            length = int.from_bytes(head[8:16])
        elif length == 0:  # to the end of the file
            length = file.size - place
        if length < 8:
            return
        yield head[4:8], place + length
        place += length


def _of_matroska(file: Bytes) -> Outline:
    size, place = _number(file, 4)
    if size is None:
        return Outline(MATROSKA, 0.0)
    place += size
    if file.at(place, 4) != _SEGMENT:
        return Outline(MATROSKA, 0.0)
    size, place = _number(file, place + 4)
    # What is recorded live, as browsers do, doesn't know how long it will be.
    return Outline(MATROSKA, max(0.0, 1 - file.size / (place + size)) if size else 0.0)


def _number(file: Bytes, place: int) -> tuple[int | None, int]:
    """EBML's length at a place, None if it is unknown, and where its content begins."""
    first = file.at(place, 1)
    if not first or not first[0]:
        return None, place + 1
    width = 9 - first[0].bit_length()
    value = int.from_bytes(file.at(place, width)) & ((1 << 7 * width) - 1)
    return (None if value == (1 << 7 * width) - 1 else value), place + width
