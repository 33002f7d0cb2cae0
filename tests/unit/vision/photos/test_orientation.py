"""Photos stand upright as in every viewer, whatever is damaged beside the picture."""

import struct
import zlib
from collections.abc import Callable, Sequence
from io import BytesIO

import pytest
from PIL import Image

from tests.unit.vision.photos.cleaned import cleaned
from vision_svc.photos.orientation import orientation

Encode = Callable[..., bytes]
Entry = tuple[int, int, int, bytes]

_BYTE, _ASCII, _SHORT, _LONG, _RATIONAL, _SBYTE, _UNDEFINED, _SSHORT, _SLONG, _FLOAT = 1, 2, 3, 4, 5, 6, 7, 8, 9, 11
_SAID = (0x0112, _SHORT, 1, b"\6\0\0\0")
_MAKE = (0x010F, _ASCII, 4, b"Abc\0")
_XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:Description tiff:Orientation="6"/></x:xmpmeta>'


def _exif(*entries: Entry, order: str = "<", count: int | None = None, behind: bytes = bytes(4)) -> bytes:
    """An EXIF block of one directory; the values as they are given."""
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "LH", 8, count or len(entries))
    return head + b"".join(struct.pack(order + "HHL", *one[:3]) + one[3] for one in entries) + behind


_DAMAGED = {
    "a value past the end": _exif(_SAID, (0x927C, _UNDEFINED, 500, struct.pack("<L", 60_000))),
    "a value of two gigabytes": _exif(_SAID, (0xC4A5, _UNDEFINED, 0x7FFFFFFF, struct.pack("<L", 200))),
    "a value where the block is cut": _exif(_SAID, (0x0132, _ASCII, 20, struct.pack("<L", 90)), behind=b"\0"),
    "cut in the middle of the next entry": _exif(_SAID, _MAKE)[:-9],
    "more entries than there are": _exif(_SAID, count=65_535),
    "a type that isn't one": _exif((0x010F, 99, 1, b"abcd"), _SAID),
    "a directory that points to itself": _exif(_SAID, (0x8769, _LONG, 1, struct.pack("<L", 8))),
    "a next directory that is this one": _exif(_SAID, behind=struct.pack("<L", 8)),
    "a next directory nowhere": _exif(_SAID, behind=b"\xff" * 4),
}
_TYPES = {
    "BYTE": (_BYTE, 1, b"\6\0\0\0"),
    "SBYTE": (_SBYTE, 1, b"\6\0\0\0"),
    "UNDEFINED": (_UNDEFINED, 1, b"\6\0\0\0"),
    "ASCII": (_ASCII, 2, b"6\0\0\0"),
    "LONG": (_LONG, 1, b"\6\0\0\0"),
    "SLONG": (_SLONG, 1, b"\6\0\0\0"),
    "SSHORT": (_SSHORT, 1, b"\6\0\0\0"),
    "FLOAT": (_FLOAT, 1, struct.pack("<f", 6)),
    "two values": (_SHORT, 2, b"\6\0\6\0"),
    "three values, elsewhere": (_SHORT, 3, struct.pack("<L", 26)),
    "no value": (_SHORT, 0, b"\6\0\0\0"),
    "an unknown type": (99, 1, b"\6\0\0\0"),
    "RATIONAL, elsewhere": (_RATIONAL, 1, struct.pack("<L", 26)),
}


@pytest.mark.parametrize("block", _DAMAGED.values(), ids=_DAMAGED)
def test_what_stands_before_the_damage_counts(encode: Encode, quarters: Image.Image, block: bytes) -> None:
    """Every viewer shows these photos, upright; with JFIF before EXIF, EXIF alone, and in a WebP."""
    upright = cleaned(encode(quarters.transpose(Image.Transpose.ROTATE_270), "PNG")).identity
    jfif = encode(quarters)
    segment = b"\xff\xe1" + struct.pack(">H", len(block) + 8) + b"Exif\0\0" + block
    alone = jfif[:2] + segment + jfif[20:]
    behind = jfif[:20] + segment + jfif[20:]
    before = jfif[:2] + segment + jfif[2:]
    webp = encode(quarters, "WEBP", lossless=True, exif=b"Exif\0\0" + block)
    for content in (alone, behind, before, webp):
        identity = cleaned(content).identity
        assert (identity.width, identity.height) == (200, 320)
    assert cleaned(webp).identity == upright


@pytest.mark.parametrize(("kind", "count", "value"), _TYPES.values(), ids=_TYPES)
def test_an_orientation_of_another_type_is_still_one(kind: int, count: int, value: bytes) -> None:
    """Editors and cheap cameras write them; it is the value that viewers look at."""
    assert orientation(_exif((0x0112, kind, count, value), behind=bytes(4) + b"\6\0\0\0\1\0\0\0")) == 6


def test_big_endian_is_read_likewise() -> None:
    """A BYTE stands in the first of the four bytes, a LONG in the last, in either order."""
    for kind, value in ((_SHORT, b"\0\6\0\0"), (_BYTE, b"\6\0\0\0"), (_LONG, b"\0\0\0\6"), (_LONG, b"\0\6\0\0")):
        assert orientation(b"Exif\0\0" + _exif((0x0112, kind, 1, value), order=">")) == 6


@pytest.mark.parametrize("value", [0, 9, 255, 65_535])
def test_what_is_no_orientation_is_none(value: int) -> None:
    """The picture stays as it is."""
    assert orientation(_exif((0x0112, _SHORT, 1, struct.pack("<HH", value, 0)))) == 1


@pytest.mark.parametrize(
    "block", [b"", b"II", b"II*\0\xff\xff\xff\xff", b"MM*\0" + bytes(20), b"Exif\0\0", b"hello" * 9]
)
def test_what_is_no_exif_says_nothing(block: bytes) -> None:
    """And nothing is raised."""
    assert orientation(block) == 1


def test_xmp_is_asked_only_where_exif_is_silent() -> None:
    """MacOS turns PNG files by XMP alone, and shows them so; where both speak, viewers follow EXIF."""
    assert orientation(b"", _XMP) == 6
    assert orientation(b"", b"<tiff:Orientation>8</tiff:Orientation>") == 8
    assert orientation(_exif((0x0112, _SHORT, 1, b"\1\0\0\0")), _XMP) == 1
    assert orientation(b"", _XMP[:40]) == 1


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def _with_chunk(png: bytes, chunk: bytes, *, behind: bool) -> bytes:
    place = png.index(b"IEND") - 4 if behind else png.index(b"IDAT") - 4
    return png[:place] + chunk + png[place:]


def _raw_profile(block: bytes) -> bytes:
    """As ImageMagick writes it."""
    return b"\nexif\n%8d\n" % len(block) + block.hex().encode() + b"\n"


@pytest.mark.parametrize("behind", [False, True])
def test_a_png_is_turned_by_each_of_its_ways_to_say_so(encode: Encode, quarters: Image.Image, behind: bool) -> None:
    """A chunk of its own, ImageMagick's text, packed or not, XMP; before the picture or behind it, damaged or not."""
    png, block = encode(quarters, "PNG"), _DAMAGED["a value past the end"]
    ways: Sequence[bytes] = (
        _chunk(b"eXIf", block),
        _chunk(b"tEXt", b"Raw profile type exif\0" + _raw_profile(b"Exif\0\0" + block)),
        _chunk(b"zTXt", b"Raw profile type APP1\0\0" + zlib.compress(_raw_profile(b"Exif\0\0" + block))),
        _chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + _XMP),
        _chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + zlib.compress(_XMP)),
    )
    for way in ways:
        assert cleaned(_with_chunk(png, way, behind=behind)).identity.width == 200


def test_a_phones_second_picture_turns_nothing(encode: Encode, quarters: Image.Image) -> None:
    """The first EXIF block is the photo's; a later one may be a thumbnail's."""
    file = BytesIO()
    quarters.save(file, "MPO", save_all=True, append_images=[quarters], exif=b"Exif\0\0" + _exif(_SAID))
    assert cleaned(file.getvalue()).identity.width == 200
