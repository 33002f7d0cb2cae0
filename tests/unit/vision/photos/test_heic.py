"""HEIC: the primary picture, upright once, at any size that fits."""

from collections.abc import Callable, Sequence
from io import BytesIO

import numpy as np
import pillow_heif
import pytest
from PIL import Image

from mesh.errors import InvalidArgument
from mesh.reasons import Reason
from tests.support.sample_photos import flower
from tests.unit.vision.photos.cleaned import cleaned, seen

Encode = Callable[..., bytes]


def _heic(*pictures: Image.Image, **options: object) -> bytes:
    whole = pillow_heif.HeifFile()  # type: ignore[no-untyped-call]
    for picture in pictures:
        whole.add_from_pillow(picture)
    file = BytesIO()
    whole.save(file, enc_params={"preset": "ultrafast"}, **options)
    return file.getvalue()


def _colour(content: bytes) -> Sequence[int]:
    return seen(content)[5, 5].tolist()


@pytest.mark.parametrize("size", [(1100, 300), (300, 1100), (400, 300)])
@pytest.mark.parametrize("primary", [0, 1, 2])
def test_of_several_pictures_the_primary_one_is_the_photo(size: tuple[int, int], primary: int) -> None:
    """Bursts, and the two eyes of a spatial photo; wherever the primary one stands, and larger than it is kept."""
    pictures = [Image.new("RGB", size, "teal")] * 3
    pictures[primary] = Image.new("RGB", size, (255, 0, 0))
    content = _heic(*pictures, primary_index=primary, quality=90)
    assert _colour(content) == pytest.approx([255, 0, 0], abs=6)
    assert (cleaned(content).identity.width, cleaned(content).identity.height) == size
    assert max(seen(content).shape) <= 1024


def test_pictures_of_different_sizes_and_kinds_do_not_mix() -> None:
    """The second one is smaller, or transparent."""
    photo = Image.new("RGB", (1100, 300), (255, 0, 0))
    for other in (Image.new("RGB", (640, 480), "teal"), Image.new("RGBA", (1200, 310), (0, 0, 0, 0))):
        content = _heic(other, photo, primary_index=1, quality=90)
        assert cleaned(content).identity.width == 1100
        assert _colour(content) == pytest.approx([255, 0, 0], abs=6)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_several_pictures_are_turned_once(encode: Encode, quarters: Image.Image, orientation: int) -> None:
    """By the container; EXIF says the same again."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    jpeg = encode(quarters, exif=exif)
    content = _heic(quarters, Image.new("RGB", (90, 80), "teal"), primary_index=0, exif=exif.tobytes(), quality=95)
    assert cleaned(content).identity.width == cleaned(jpeg).identity.width
    assert np.abs(seen(content).astype(int) - seen(jpeg)).mean() < 4


def test_a_thumbnail_is_not_the_photo() -> None:
    """Phones add one of 320 pixels."""
    photo = Image.new("RGB", (1100, 400), (255, 0, 0))
    assert cleaned(_heic(photo, thumbnails=[320])).identity.width == 1100


def test_ten_bits_and_greys_are_read() -> None:
    """High dynamic range, and what document scanners write."""
    deep = np.full((300, 400, 3), (65_535, 0, 0), np.uint16)
    file = BytesIO()
    pillow_heif.from_bytes("RGB;16", (400, 300), deep.tobytes()).save(file, quality=90)
    assert _colour(file.getvalue()) == pytest.approx([255, 0, 0], abs=6)
    assert _colour(_heic(Image.new("L", (400, 300), 90))) == pytest.approx([90] * 3, abs=3)


def test_what_is_transparent_stands_on_white() -> None:
    """Stickers cut out of photos."""
    assert _colour(_heic(Image.new("RGBA", (1100, 400), (255, 0, 0, 0)))) == pytest.approx([255] * 3, abs=2)


def test_a_large_one_is_scaled_as_well_in_strips() -> None:
    """The result is that of scaling it at once, to the pixel; by libheif, as one that may be transparent."""
    content = _heic(flower().resize((4232, 168)).convert("RGBA"), quality=80)
    png = BytesIO()
    pillow_heif.open_heif(BytesIO(content)).to_pillow().save(png, "PNG")
    assert (seen(content) == seen(png.getvalue())).all()


def test_too_large_a_one_is_refused_with_both_numbers() -> None:
    """Of the picture the container claims; what is told as too large reads larger than the limit."""
    content = bytearray(_heic(Image.new("RGB", (256, 256))))
    size = content.index(b"ispe") + 8
    content[size : size + 8] = (10_000).to_bytes(4) + (8_001).to_bytes(4)
    with pytest.raises(InvalidArgument) as caught:
        cleaned(bytes(content))
    assert caught.value.reason is Reason.PHOTO_TOO_LARGE
    assert caught.value.metadata == {"limit": "80 megapixels", "actual": "80.01 megapixels"}


@pytest.mark.parametrize("rubbish", [b"PK\x03\x04" + bytes(1000), b"SEFT" * 20, b"\0\0\0\0", b"\xff" * 100])
def test_rubbish_behind_it_is_ignored(encode: Encode, quarters: Image.Image, rubbish: bytes) -> None:
    """Phones and messengers append their own."""
    content = encode(quarters, "HEIC")
    assert cleaned(content + rubbish).digest == cleaned(content).digest
