"""PNG: its picture without its text, its animation, and whatever else its chunks hold."""

import re
import struct
import zlib
from collections.abc import Iterator
from io import BytesIO

from PIL.PngImagePlugin import PngImageFile

from mesh.errors import InvalidArgument
from mesh.reasons import Reason
from vision_svc.photos.formats.picture import DECODED_BYTES, Picture, demand_most, taken_though_cut
from vision_svc.photos.orientation import orientation
from vision_svc.photos.photos import ALLOWED, demand_pixels

_SIGNATURE_BYTES = 8
# The picture as Pillow holds it, and the copies that make it opaque: none, one of RGBA, or two of what becomes RGBA.
_BYTES_A_PIXEL, _BYTES_WITH_ALPHA, _BYTES_WITH_ADDED_ALPHA = 6, 8, 12
_GREY_ALPHA, _RGBA = 4, 6
_MOST_INFLATED = 4 << 20  # bytes; the largest profiles of monitors and printers have two million
_PIECE = 1 << 20
_TRANSPARENCY_BYTES = {0: (2, 2), 2: (6, 6), 3: (1, 256)}  # by colour type, the least and the most
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
# Adam7: first column and row of each pass, and its steps.
_PASSES = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
_EXIF_PROFILES = (b"Raw profile type exif\0", b"Raw profile type APP1\0")
_XMP = b"XML:com.adobe.xmp\0"
_NO_HEX = re.compile(rb"[^0-9A-Fa-f]")


class _Chunks:
    """What a PNG's chunks say.

    Args:
        content: The file.

    Attributes:
        header: IHDR's content.
        before: The chunks that make the picture and stand before its data.
        data: The pieces of the picture's packed rows.
        exif: The EXIF block; empty if there is none.
        xmp: The XMP packet; empty if there is none.
        profile: The colour profile; empty if there is none, or it is too large to be one.
        animated: Whether there are more frames.
    """

    def __init__(self, content: bytes) -> None:
        self.header = self.exif = self.xmp = self.profile = b""
        self.before: list[bytes] = []
        self.data: list[bytes] = []
        frames = announced = 0
        for kind, start, end in _chunks(content):
            body = content[start:end] if kind in _READ else b""
            match kind:
                case b"IHDR":
                    self.header = self.header or body
                    self.before.append(content[start - 8 : end + 4])
                case b"PLTE" if not self.data:
                    self.before.append(content[start - 8 : end + 4])
                case b"tRNS" if not self.data and self._is_transparency(body, content[end : end + 4]):
                    self.before.append(content[start - 8 : end + 4])
                case b"IDAT":
                    self.data.append(body)
                case b"acTL" if not self.data:
                    announced = int.from_bytes(body[:4])
                case b"fdAT":
                    frames += 1
                case b"iCCP" if not self.profile:
                    self.profile = _inflated(body.partition(b"\0")[2][1:])
                case b"eXIf" if not self.exif:
                    self.exif = body
                case b"tEXt" | b"zTXt" | b"iTXt":
                    self._add_text(kind, body)
        self.animated = announced > 1 and frames > 0

    def _is_transparency(self, body: bytes, checksum: bytes) -> bool:
        least, most = _TRANSPARENCY_BYTES.get(self._colour, (0, -1))
        return least <= len(body) <= most and zlib.crc32(b"tRNS" + body).to_bytes(4) == checksum

    def _add_text(self, kind: bytes, body: bytes) -> None:
        """EXIF as ImageMagick writes it, XMP as everybody does; no other text is unpacked."""
        key = next((key for key in (*_EXIF_PROFILES, _XMP) if body.startswith(key)), None)
        if key is None:
            return
        text, packed = body[len(key) :], kind == b"zTXt"
        if kind == b"iTXt":
            packed = text[:1] == b"\1"
            text = text[2:].split(b"\0", 2)[-1]
        elif packed:
            text = text[1:]
        if packed:
            text = _inflated(text)
        if key == _XMP:
            self.xmp = self.xmp or text
        else:
            self.exif = self.exif or _from_hex(text)

    @property
    def _colour(self) -> int:
        return self.header[9] if len(self.header) > 9 else 0

    @property
    def bytes_a_pixel(self) -> int:
        """Memory that making it plain takes."""
        if self._colour == _RGBA:
            return _BYTES_WITH_ALPHA
        transparent = self._colour == _GREY_ALPHA or any(chunk[4:8] == b"tRNS" for chunk in self.before)
        return _BYTES_WITH_ADDED_ALPHA if transparent else _BYTES_A_PIXEL

    @property
    def size(self) -> tuple[int, int]:
        """Width and height, in pixels."""
        return int.from_bytes(self.header[:4]), int.from_bytes(self.header[4:8])

    @property
    def plain(self) -> bytes:
        """A PNG of the picture alone."""
        data = b"".join(self.data)
        return b"\x89PNG\r\n\x1a\n" + b"".join(
            (*self.before, struct.pack(">I", len(data)), b"IDAT", data, bytes(4), b"\0\0\0\0IEND\xae\x42\x60\x82")
        )


_READ = frozenset({b"IHDR", b"tRNS", b"IDAT", b"acTL", b"iCCP", b"eXIf", b"tEXt", b"zTXt", b"iTXt"})


def read(content: bytes) -> Picture:
    """The picture. Of an animation whose frames are missing, and of a file whose end is, what there is.

    Args:
        content: The file.

    Raises:
        InvalidArgument: PHOTO_TOO_LARGE, PHOTO_FORMAT of an animation, or PHOTO_TRUNCATED if too much is missing.
        Exception: Whatever Pillow raises on a broken file.
    """
    chunks = _Chunks(content)
    demand_pixels(*chunks.size, DECODED_BYTES // chunks.bytes_a_pixel)
    if chunks.animated:
        raise InvalidArgument(Reason.PHOTO_FORMAT, format="animated PNG", allowed=ALLOWED)
    image = PngImageFile(BytesIO(chunks.plain))
    try:
        image.load()
    except OSError:
        demand_most(_lost(chunks))
        with taken_though_cut():
            image = PngImageFile(BytesIO(chunks.plain))
            image.load()
    if chunks.profile:
        image.info["icc_profile"] = chunks.profile
    return Picture(image, chunks.size, orientation(chunks.exif, chunks.xmp))


def _chunks(content: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Kind, and beginning and end of the content, of each chunk; the last one may end with the file."""
    place = _SIGNATURE_BYTES
    while place + 8 < len(content):
        kind, start = content[place + 4 : place + 8], place + 8
        if kind == b"IEND":
            return
        end = start + int.from_bytes(content[place : place + 4])
        yield kind, start, min(end, len(content))
        place = end + 4


def _inflated(packed: bytes) -> bytes:
    """What is packed; nothing if it is damaged, or more than a profile ever has."""
    unpacker = zlib.decompressobj()
    try:
        plain = unpacker.decompress(packed, _MOST_INFLATED)
    except zlib.error:
        return b""
    return plain if unpacker.eof else b""


def _from_hex(text: bytes) -> bytes:
    """The bytes of a raw profile: its name, its length, and lines of hexadecimal digits; it may be cut."""
    digits = _NO_HEX.sub(b"", b"".join(text.split(b"\n")[3:]))
    return bytes.fromhex(digits[: len(digits) & ~1].decode("ascii"))


def _lost(chunks: _Chunks) -> float:
    """Share of the picture's rows that its data doesn't give, counted as bytes, 0 to 1."""
    expected, given = _row_bytes(chunks), 0
    unpacker = zlib.decompressobj()
    packed = b"".join(chunks.data)
    try:
        while given < expected and not unpacker.eof and (piece := unpacker.decompress(packed, _PIECE)):
            given += len(piece)
            packed = unpacker.unconsumed_tail
    except zlib.error:
        pass
    return 1 - min(given, expected) / expected


def _row_bytes(chunks: _Chunks) -> int:
    """How many bytes all rows have when they are unpacked; each begins with the number of its filter."""
    (width, height), (depth, colour, _, _, interlaced) = chunks.size, chunks.header[8:13]
    bits = depth * _CHANNELS[colour]
    passes = _PASSES if interlaced else ((0, 0, 1, 1),)
    sizes = [((width - x + dx - 1) // dx, (height - y + dy - 1) // dy) for x, y, dx, dy in passes]
    return sum(rows * (1 + (columns * bits + 7) // 8) for columns, rows in sizes if columns > 0 and rows > 0)
