"""JPEG: what is cut off, what is damaged beside the picture, and how large one may be."""

import struct
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from mesh.errors import InvalidArgument
from mesh.reasons import Reason
from tests.support import sample_photos
from tests.unit.vision.photos.cleaned import cleaned, seen

Encode = Callable[..., bytes]

_EOI = b"\xff\xd9"


@pytest.fixture(scope="module", name="flower")
def _flower() -> Image.Image:
    return sample_photos.flower()


def _refusal(content: bytes) -> InvalidArgument:
    with pytest.raises(InvalidArgument) as caught:
        cleaned(content)
    return caught.value


def _segment(marker: int, content: bytes) -> bytes:
    return bytes((0xFF, marker)) + struct.pack(">H", len(content) + 2) + content


@pytest.mark.parametrize("options", [{}, {"subsampling": 0}, {"progressive": True}, {"restart_marker_rows": 1}])
@pytest.mark.parametrize("missing", [1, 2, 3])
def test_without_its_end_marker_it_is_the_same_photo(
    encode: Encode, flower: Image.Image, options: dict[str, object], missing: int
) -> None:
    """Uploads that broke off at the end, and cameras that forget the marker; nothing visible is missing."""
    whole = encode(flower, **options)
    difference = np.abs(seen(whole).astype(int) - seen(whole[:-missing]))
    assert difference[:-24].max() == 0
    assert difference.mean() < 0.5


def test_a_small_photo_may_miss_its_end_marker_too(encode: Encode) -> None:
    """The decoder writes whole rows of blocks, here the only one: none of its rows is there before the end."""
    whole = encode(Image.new("RGB", (40, 12), "teal"))
    assert (seen(whole[:-2]) == seen(whole)).all()


@pytest.mark.parametrize("end", [b"", _EOI, b"PK\x03\x04" + bytes(500)])
@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
def test_up_to_a_tenth_may_be_missing(encode: Encode, flower: Image.Image, mode: str, end: bytes) -> None:
    """Rows are counted in the decoder: also where somebody has put an end marker behind what was left."""
    whole = encode(flower.convert(mode), quality=95)
    scan = whole.index(b"\xff\xda")
    kept = {share: whole[: scan + int((len(whole) - scan) * share)].rstrip(b"\xff") for share in (0.96, 0.75)}
    if end != b"PK\x03\x04" + bytes(500):
        assert cleaned(kept[0.96] + end).identity.height == 400
        error = _refusal(kept[0.75] + end)
        assert error.reason is Reason.PHOTO_TRUNCATED
        assert 10 < int(error.metadata["lost"].rstrip("%")) < 40
    assert cleaned(whole + end).digest == cleaned(whole).digest


def test_a_large_photo_is_measured_at_the_scale_it_is_decoded_at(encode: Encode, flower: Image.Image) -> None:
    """A tenth of the rows is a tenth at every scale."""
    whole = encode(flower.resize((4800, 3200)), quality=80)
    assert cleaned(whole[: len(whole) * 97 // 100]).identity.height == 3200
    assert _refusal(whole[: len(whole) * 3 // 4]).reason is Reason.PHOTO_TRUNCATED


def test_a_progressive_photo_loses_sharpness_before_it_loses_rows(encode: Encode, flower: Image.Image) -> None:
    """Its passes go over the whole picture: the last ones may be missing, the first ones not."""
    whole = encode(flower, progressive=True, quality=90)
    difference = np.abs(seen(whole).astype(int) - seen(whole[: len(whole) * 8 // 10]))
    assert difference.mean() < 4
    assert _refusal(whole[: len(whole) // 10]).reason is Reason.PHOTO_TRUNCATED


def test_cut_before_the_picture_begins_it_is_cut(encode: Encode, flower: Image.Image) -> None:
    """The reason is the same."""
    assert _refusal(encode(flower)[:300]).reason is Reason.PHOTO_TRUNCATED


_BESIDE = {
    "half a JFIF header": _segment(0xE0, b"JFIF\0"),
    "half an Adobe header": _segment(0xEE, b"Adobe"),
    "half a Photoshop block": _segment(0xED, b"Photoshop 3.0\x008BIM\x03"),
    "half a profile": _segment(0xE2, b"ICC_PROFILE\0"),
    "one part of a profile of nine": _segment(0xE2, b"ICC_PROFILE\0\1\x09" + bytes(50)),
    "half an index of pictures": _segment(0xE2, b"MPF\0II"),
    "half of XMP": _segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0<x:xmpmeta"),
    "rubbish between segments": b"rubbish",
    "fill bytes": b"\xff" * 9,
    "sixty megabytes of EXIF by its own word": _segment(
        0xE1, b"Exif\0\0II*\0\x08\0\0\0\1\0" + struct.pack("<HHLL", 0x010F, 2, 60_000_000, 8)
    ),
}


@pytest.mark.parametrize("beside", _BESIDE.values(), ids=_BESIDE)
def test_what_stands_beside_the_picture_never_refuses_it(encode: Encode, flower: Image.Image, beside: bytes) -> None:
    """Viewers skip what they can't read."""
    whole = encode(flower)
    assert cleaned(whole[:20] + beside + whole[20:]).digest == cleaned(whole).digest


def test_a_hundred_megapixels_cost_no_more_than_they_are_decoded_at(encode: Encode) -> None:
    """Phones' 50, 64, 108 and 200 megapixels, and their panoramas."""
    for size in ((8160, 6144), (12_000, 9_000), (16_320, 12_240), (16_382, 3_628)):
        photo = cleaned(encode(Image.new("L", size, 90)))
        assert (photo.identity.width, photo.identity.height) == size


def test_a_progressive_one_is_held_at_full_size(encode: Encode) -> None:
    """As coefficients: two bytes for each sample, whatever it is scaled to. The limit is told in the photo's pixels."""
    whole = bytearray(encode(Image.new("RGB", (64, 64)), progressive=True))
    frame = whole.index(b"\xff\xc2")
    whole[frame + 5 : frame + 9] = struct.pack(">HH", 12_240, 16_320)
    error = _refusal(bytes(whole))
    assert error.reason is Reason.PHOTO_TOO_LARGE
    assert error.metadata == {"limit": "188 megapixels", "actual": "200 megapixels"}


def test_twelve_megapixels_are_decoded_at_a_quarter(encode: Encode) -> None:
    """1,008 pixels are as good as 1,024, at half the cost."""
    assert seen(encode(Image.new("RGB", (4032, 3024), "teal"))).shape == (756, 1008, 3)
    assert seen(encode(Image.new("RGB", (3024, 4032), "teal"))).shape == (1008, 756, 3)
    assert max(seen(encode(Image.new("RGB", (3900, 3000), "teal"))).shape) == 1024
