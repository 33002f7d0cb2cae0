"""Which files may stay in storage as they came: JPEGs with nothing but a small picture in them."""

import struct
from collections.abc import Callable

import numpy as np
import pytest
from PIL import ExifTags, Image, ImageCms

from mesh.errors import InvalidArgument
from tests.support.sample_photos import flower
from tests.unit.vision.photos.cleaned import cleaned

Encode = Callable[..., bytes]

_SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
_NOISE = Image.fromarray(np.random.default_rng(0).integers(0, 255, (600, 800, 3), np.uint8))


def _segment(marker: int, content: bytes) -> bytes:
    return bytes((0xFF, marker)) + struct.pack(">H", len(content) + 2) + content


def _exif(tag: int, value: object) -> bytes:
    exif = Image.Exif()
    exif[tag] = value
    return exif.tobytes()


@pytest.mark.parametrize(
    ("picture", "options"),
    [
        (flower(), {}),
        (flower(), {"quality": 60, "subsampling": 0}),
        (flower(), {"optimize": True}),
        (flower(), {"restart_marker_rows": 1}),
        (flower().convert("L"), {}),
        (flower().resize((1024, 683)), {}),
    ],
)
def test_a_small_picture_and_nothing_else_comes_clean(
    encode: Encode, picture: Image.Image, options: dict[str, object]
) -> None:
    """As browsers and apps write it that shrink a photo before they send it; with a JFIF header or without."""
    content = encode(picture, **options)
    header = content.index(b"JFIF") - 4
    assert cleaned(content).came_clean
    assert cleaned(content[:header] + content[header + 18 :]).came_clean


@pytest.mark.parametrize(
    ("picture", "options"),
    [
        (flower(), {"exif": _exif(ExifTags.Base.Make, "Phone")}),
        (flower(), {"exif": _exif(ExifTags.Base.Orientation, 6)}),
        (flower(), {"comment": b"Seoul"}),
        (flower(), {"icc_profile": _SRGB}),
        (flower(), {"xmp": b"<x:xmpmeta/>"}),
        (flower(), {"progressive": True}),
        (flower().convert("CMYK"), {}),
        (flower().resize((1025, 700)), {}),
        (_NOISE, {"quality": 95}),
    ],
)
def test_what_says_more_or_is_larger_does_not(encode: Encode, picture: Image.Image, options: dict[str, object]) -> None:
    """It is replaced by a copy, as ever."""
    assert not cleaned(encode(picture, **options)).came_clean


@pytest.mark.parametrize("form", ["PNG", "WEBP", "MPO"])
def test_other_formats_do_not(encode: Encode, form: str) -> None:
    """Storage serves JPEGs only; and a second picture is one nobody has looked at."""
    options = {"save_all": True, "append_images": [flower()]} if form == "MPO" else {}
    assert not cleaned(encode(flower(), form, **options)).came_clean


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
    assert not photo.came_clean
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
    assert not photo.came_clean
