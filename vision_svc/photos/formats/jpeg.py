"""JPEG: decoded at a fraction of its size, without its metadata, and measured by the rows that its data gave."""

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO

from PIL import Image
from PIL.JpegImagePlugin import JpegImageFile

from vision_svc.photos.formats.picture import DECODED_BYTES, Picture, cut, demand_most
from vision_svc.photos.orientation import orientation
from vision_svc.photos.photos import demand_pixels, reduction

_SCALES = (8, 4, 2, 1)
_BLOCK = 8  # pixels of a block's side
_COEFFICIENT_BYTES = 2
_MARK_PIXELS = 8

_EOI = b"\xff\xd9"
_SOS, _APP0, _APP1, _APP2, _APP14, _COM = 0xDA, 0xE0, 0xE1, 0xE2, 0xEE, 0xFE
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
# Stuffed zeros, restarts, fill bytes and whatever else has no length are passed over.
_MARKER = re.compile(rb"\xff([\x02-\xcf\xd9-\xfe])")
_EXIF = b"Exif\0"
_XMP = b"http://ns.adobe.com/xap/1.0/\0"
# What of the application segments changes the picture, with the least length at which a decoder can read it.
_KEPT = ((_APP0, b"JFIF\0", 14), (_APP2, b"ICC_PROFILE\0", 15), (_APP14, b"Adobe", 12))


@dataclass(frozen=True, slots=True)
class _Component:
    """A colour component: its number in the file, and its samples across and down in a group of blocks."""

    number: int
    across: int
    down: int


class _Header:
    """The segments before the first scan.

    Args:
        content: The file.

    Attributes:
        kept: The segments that make the picture.
        exif: The first EXIF block; empty if there is none.
        xmp: The first XMP packet; empty if there is none.
        components: Of the frame.
        size: Width and height of the frame, in pixels.
        scan: Where the first scan begins; the end of the file if there is none.
        in_one_scan: Whether the first scan is the whole picture, so that it can be decoded as it comes.
    """

    def __init__(self, content: bytes) -> None:
        self.kept = bytearray(content[:2])
        self.exif = self.xmp = b""
        self.components: Sequence[_Component] = ()
        self.size = (0, 0)
        self.scan = len(content)
        self.in_one_scan = True
        for marker, start, end in _segments(content):
            body = content[start:end]
            if marker == _SOS:
                self.scan = start - 4
                self.in_one_scan = self.in_one_scan and body[:1] == bytes((len(self.components),))
                break
            self._add(marker, body)
            if _matters(marker, body):
                self.kept += content[start - 4 : end]

    def _add(self, marker: int, body: bytes) -> None:
        if marker in _FRAMES:
            self.in_one_scan = marker in {0xC0, 0xC1, 0xC9}
            self.size = int.from_bytes(body[3:5]), int.from_bytes(body[1:3])
            self.components = tuple(
                _Component(body[place], body[place + 1] >> 4, body[place + 1] & 15)
                for place in range(6, len(body) - 2, 3)
            )
        elif marker == _APP1 and body.startswith(_EXIF):
            self.exif = self.exif or body
        elif marker == _APP1 and body.startswith(_XMP):
            self.xmp = self.xmp or body

    @property
    def most_pixels(self) -> int:
        """How many pixels the frame may have: a picture in several scans is held as coefficients, at full size."""
        blocks = [one.across * one.down for one in self.components]
        if self.in_one_scan or not any(blocks):
            return 1 << 32
        return DECODED_BYTES * max(blocks) // (_COEFFICIENT_BYTES * sum(blocks))


class _Measured(JpegImageFile):
    """A JPEG without its end marker: when its data runs out, the rows that are still missing are counted.

    Attributes:
        lost_rows: Rows that the decoder had not written by then, of the scaled picture; the marker that is added then
            makes it fill them.
    """

    lost_rows: int | None = None

    def _read_dpi_from_exif(self) -> None:
        """Does nothing: EXIF was removed before."""

    def load_prepare(self) -> None:
        super().load_prepare()
        width = min(_MARK_PIXELS, self.width)
        noise = os.urandom(width * self.height * len(self.getbands()))
        self._mark = Image.frombytes(self.mode, (width, self.height), noise)
        self.im.paste(self._mark.im, (0, 0, width, self.height))

    def load_read(self, read_bytes: int) -> bytes:
        assert self.fp is not None
        if piece := self.fp.read(read_bytes):
            return piece
        if self.lost_rows is not None:
            return b""
        self.lost_rows = next((lost for lost in range(self.height) if self._is_written(-1 - lost)), self.height)
        return _EOI

    def _is_written(self, row: int) -> bool:
        row += self.height
        pixels = range(self._mark.width)
        return any(self.im.getpixel((x, row)) != self._mark.getpixel((x, row)) for x in pixels)


def read(content: bytes) -> Picture:
    """The picture, at the smallest scale that is still about as large as a clean photo.

    Args:
        content: The file.

    Raises:
        InvalidArgument: PHOTO_TOO_LARGE, or PHOTO_TRUNCATED if too much is missing.
        Exception: Whatever Pillow raises on a broken file.
    """
    header = _Header(content)
    demand_pixels(*header.size, header.most_pixels)
    if header.components and header.scan == len(content):
        raise cut()
    whole = _demand_scans(content, header) if not header.in_one_scan else content.find(_EOI, header.scan)
    end = whole if whole >= 0 else len(content)
    image = _Measured(BytesIO(header.kept + content[header.scan : end]))
    size = image.size
    scale = next(scale for scale in _SCALES if scale <= reduction(*size))
    image.draft(None, (max(1, size[0] // scale), max(1, size[1] // scale)))
    image.load()
    if header.in_one_scan:
        # The decoder writes rows of blocks and looks one ahead: the last ones are there though not written yet.
        pending = max(one.down for one in header.components) * _BLOCK * image.height // size[1] + 2
        lost = image.lost_rows or 0
        demand_most(lost / image.height if lost > pending else 0)
    return Picture(image, size, orientation(header.exif, header.xmp))


def _segments(content: bytes, place: int = 2) -> Iterator[tuple[int, int, int]]:
    """Marker, and beginning and end of what it carries, of each segment, up to the end marker."""
    while found := _MARKER.search(content, place):
        marker, start = found[1][0], found.end()
        if marker == _EOI[1]:
            yield marker, start, start
            return
        place = max(start + 2, start + int.from_bytes(content[start : start + 2]))
        yield marker, start + 2, place


def _matters(marker: int, body: bytes) -> bool:
    if _APP0 <= marker <= 0xEF or marker == _COM:
        return any(marker == kept and body.startswith(name) and len(body) >= least for kept, name, least in _KEPT)
    return True


def _demand_scans(content: bytes, header: _Header) -> int:
    """Where the end marker of a picture in several scans is; -1 if the file ends before it.

    Such a picture comes in passes over all rows, each finer: a cut file lacks sharpness, not rows. Without its end it
    is accepted if every component's mean colours, and some detail of the first one, were finished by another scan.

    Raises:
        InvalidArgument: PHOTO_TRUNCATED: less than that is there.
    """
    finished: set[tuple[int, bool]] = set()
    running: set[tuple[int, bool]] = set()
    for marker, start, end in _segments(content, header.scan):
        if marker == _EOI[1]:
            return start - 2
        finished |= running
        running = _passes(content[start:end]) if marker == _SOS else set()
    needed = {(one.number, False) for one in header.components} | {(header.components[0].number, True)}
    if not needed <= finished:
        raise cut()
    return -1


def _passes(scan: bytes) -> set[tuple[int, bool]]:
    """Which components a scan's header names, each with whether it brings detail; mean colours come first."""
    first, last = scan[-3:-1] if len(scan) >= 6 else (1, 0)
    kinds = [detail for detail, there in ((False, first == 0), (True, last > 0)) if there]
    return {(component, detail) for component in scan[1 : 1 + 2 * scan[0] : 2] for detail in kinds}
