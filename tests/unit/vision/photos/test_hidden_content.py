"""What may hide in a JPEG beside its picture: nothing of it is in the clean copy, which everybody may read."""

import struct
from collections.abc import Callable

import pytest
from PIL import ExifTags, Image

from mesh.errors import InvalidArgument
from tests.support.sample_photos import flower
from tests.unit.vision.photos.cleaned import cleaned

Encode = Callable[..., bytes]

_TOLD = (b"Exif", b"Seoul", b"Phone", b"37.55N", b"xmpmeta", b"ICC_PROFILE", b"JFXX")


def _segment(marker: int, content: bytes) -> bytes:
    return bytes((0xFF, marker)) + struct.pack(">H", len(content) + 2) + content


def _exif(tag: int, value: object) -> bytes:
    exif = Image.Exif()
    exif[tag] = value
    return exif.tobytes()


@pytest.mark.parametrize(
    "options",
    [
        {"exif": _exif(ExifTags.Base.Make, "Phone")},
        {"comment": b"Seoul"},
        {"xmp": b"<x:xmpmeta/>"},
        {"comment": b"Seoul", "progressive": True},
    ],
    ids=["EXIF", "a comment", "XMP", "progressive"],
)
def test_what_apps_write_beside_a_picture_goes(encode: Encode, options: dict[str, object]) -> None:
    """Also from a photo that is small enough already."""
    whole = encode(flower(), **options)
    assert any(told in whole for told in _TOLD)
    assert not any(told in cleaned(whole).jpeg for told in _TOLD)


_HIDDEN: dict[str, Callable[[bytes], bytes]] = {
    "behind the end": lambda whole: whole + b"37.55N 126.97E",
    "a zero behind the end": lambda whole: whole + b"\0",
    "no end": lambda whole: whole[:-2],
    "EXIF between the tables": lambda whole: _before(whole, b"\xdb", _segment(0xE1, b"Exif\0\0" + bytes(9))),
    "EXIF in front of the scan": lambda whole: _before(whole, b"\xda", _segment(0xE1, b"Exif\0\0" + bytes(9))),
    "EXIF behind the scan": lambda whole: whole[:-2] + _segment(0xE1, b"Exif\0\0" + bytes(9)) + whole[-2:],
    "a comment": lambda whole: _before(whole, b"\xc0", _segment(0xFE, b"Seoul")),
    "a segment nobody knows": lambda whole: _before(whole, b"\xc0", _segment(0xEB, b"Seoul")),
    "bytes between segments": lambda whole: _before(whole, b"\xc0", b"Seoul"),
    "fill bytes": lambda whole: _before(whole, b"\xc0", b"\xff" * 9),
    "a JFIF thumbnail": lambda whole: whole[:2] + _segment(0xE0, b"JFIF\0\1\1\0\0\1\0\1\1\1" + b"abc") + whole[20:],
    "a longer JFIF header": lambda whole: whole[:2] + _segment(0xE0, whole[6:20] + b"Seoul") + whole[20:],
    "a JFIF extension": lambda whole: _before(whole, b"\xdb", _segment(0xE0, b"JFXX\0\x10" + bytes(9))),
    "a second picture": lambda whole: whole + whole,
}


def _before(whole: bytes, marker: bytes, what: bytes) -> bytes:
    place = whole.index(b"\xff" + marker)
    return whole[:place] + what + whole[place:]


@pytest.mark.parametrize("name", _HIDDEN)
def test_nothing_can_hide_in_it(encode: Encode, name: str) -> None:
    """The picture is the same; what is beside it must not stay."""
    whole = encode(flower())
    photo = cleaned(_HIDDEN[name](whole))
    assert not any(told in photo.jpeg for told in _TOLD)
    assert photo.jpeg == cleaned(whole).jpeg
    assert photo.identity.width == 600


@pytest.mark.parametrize("marker", [0xC0, 0xC4, 0xDA, 0xDB, 0xDD])
def test_nothing_can_hide_in_a_segment_of_the_picture(encode: Encode, marker: int) -> None:
    """The decoder counts what it reads there, and refuses more."""
    whole = encode(flower(), restart_marker_rows=1)
    place = whole.index(bytes((0xFF, marker)))
    (length,) = struct.unpack_from(">H", whole, place + 2)
    longer = struct.pack(">H", length + 5) + whole[place + 4 : place + 2 + length] + b"Seoul"
    try:
        photo = cleaned(whole[: place + 2] + longer + whole[place + 2 + length :])
    except InvalidArgument:
        return
    assert b"Seoul" not in photo.jpeg
