"""What is taken, what is refused and why, and what comes out."""

import contextlib
import hashlib
import struct
import zlib
from collections.abc import Callable
from io import BytesIO

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import ExifTags, Image

from mesh.errors import EcoError, InvalidArgument
from mesh.reasons import Reason
from tests.support.sample_photos import flower
from tests.unit.vision.photos.cleaned import cleaned
from vision_svc.classifiers.pixels import pixels
from vision_svc.photos.photos import MAX_BYTES, Photo, demand_size

Encode = Callable[..., bytes]

_RED, _GREEN, _BLUE, _WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)


def _corners(photo: Photo) -> list[tuple[int, ...]]:
    """The colours top left, top right, bottom left, bottom right, rounded to full and none."""
    seen = pixels(photo)
    height, width, _ = seen.shape
    points = [(x, y) for y in (height // 4, height * 3 // 4) for x in (width // 4, width * 3 // 4)]
    return [tuple(255 if int(value) > 127 else 0 for value in seen[y, x]) for x, y in points]


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def _png(width: int, height: int) -> bytes:
    """A black-and-white PNG of any size, cheaply: the rows are zeros, squeezed into next to nothing."""
    packer = zlib.compressobj(9)
    row = bytes(1 + (width + 7) // 8)
    rows = b"".join(packer.compress(row) for _ in range(height)) + packer.flush()
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", rows) + _chunk(b"IEND", b"")


def _refusal(content: bytes) -> InvalidArgument:
    with pytest.raises(InvalidArgument) as caught:
        cleaned(content)
    return caught.value


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "HEIC"])
def test_every_allowed_format_is_read(encode: Encode, quarters: Image.Image, form: str) -> None:
    """The formats phones and browsers send."""
    photo = cleaned(encode(quarters, form))
    assert _corners(photo) == [_RED, _GREEN, _BLUE, _WHITE]
    assert (photo.identity.width, photo.identity.height) == (320, 200)


@pytest.mark.parametrize(
    ("orientation", "corners"),
    [
        (1, [_RED, _GREEN, _BLUE, _WHITE]),
        (2, [_GREEN, _RED, _WHITE, _BLUE]),
        (3, [_WHITE, _BLUE, _GREEN, _RED]),
        (4, [_BLUE, _WHITE, _RED, _GREEN]),
        (5, [_RED, _BLUE, _GREEN, _WHITE]),
        (6, [_BLUE, _RED, _WHITE, _GREEN]),
        (7, [_WHITE, _GREEN, _BLUE, _RED]),
        (8, [_GREEN, _WHITE, _RED, _BLUE]),
    ],
)
def test_the_photo_is_turned_upright(
    encode: Encode, quarters: Image.Image, orientation: int, corners: list[tuple[int, ...]]
) -> None:
    """Phones store the sensor's view and say in EXIF how they were held."""
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    photo = cleaned(encode(quarters, exif=exif))
    assert _corners(photo) == corners
    assert (photo.identity.width, photo.identity.height) == ((200, 320) if orientation >= 5 else (320, 200))
    assert pixels(photo).shape == (photo.identity.height, photo.identity.width, 3)


def test_where_it_was_taken_is_forgotten(encode: Encode, quarters: Image.Image) -> None:
    """A photo with GPS and one without are the same photo: nothing but pixels is kept."""
    exif = Image.Exif()
    exif.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLatitude] = (37.0, 33.0, 58.0)
    exif[ExifTags.Base.Make] = "Phone"
    tagged = encode(quarters, exif=exif)
    assert b"Phone" in tagged
    assert cleaned(tagged).digest == cleaned(encode(quarters)).digest


def test_damaged_exif_does_not_spoil_the_photo(encode: Encode, quarters: Image.Image) -> None:
    """The picture is whole; only what is written beside it isn't."""
    content = encode(quarters, exif=b"Exif\0\0MM\0*\0\0\0\x08\0\xff")
    assert cleaned(content).identity.width == 320


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
def test_a_large_photo_becomes_small_and_keeps_its_shape(encode: Encode, form: str) -> None:
    """What the model sees is never larger, but the answer tells the original's size."""
    photo = cleaned(encode(Image.new("RGB", (4032, 3024), "teal"), form))
    assert pixels(photo).shape == (756, 1008, 3)
    assert (photo.identity.width, photo.identity.height) == (4032, 3024)


def test_reduced_by_whole_pixels_first_it_looks_the_same(encode: Encode) -> None:
    """Here by three, to 1,300 pixels: no edge is jagged, nothing is shifted."""
    large = flower().resize((3900, 2600), Image.Resampling.BICUBIC)
    copy = cleaned(encode(large, "PNG", compress_level=1))
    at_once = large.resize((1024, 683), Image.Resampling.BICUBIC)
    assert np.abs(pixels(copy).astype(int) - np.asarray(at_once)).mean() < 2


def test_the_digest_is_of_size_and_pixels(encode: Encode, quarters: Image.Image) -> None:
    """Two files of the same pixels are one photo; the same bytes in another shape are not."""
    photo = cleaned(encode(quarters, "PNG"))
    assert photo.digest == hashlib.sha256(b"320x200:" + quarters.tobytes()).hexdigest()
    assert photo.digest == cleaned(encode(quarters, "PNG", compress_level=1)).digest
    black = Image.new("RGB", (100, 50))
    assert (
        cleaned(encode(black, "PNG")).digest
        != cleaned(encode(black.transpose(Image.Transpose.ROTATE_90), "PNG")).digest
    )


def test_the_copy_is_a_plain_jpeg(encode: Encode, quarters: Image.Image) -> None:
    """What goes to storage and to a model: no EXIF, no profile, no comment."""
    exif = Image.Exif()
    exif[ExifTags.Base.Make] = "Phone"
    photo = cleaned(encode(quarters, exif=exif, comment=b"Seoul", dpi=(300, 300)))
    with Image.open(BytesIO(photo.jpeg)) as copy:
        assert (copy.format, copy.mode) == ("JPEG", "RGB")
        assert not copy.getexif()
        assert set(copy.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}


def test_the_second_picture_in_a_phones_jpeg_is_ignored(encode: Encode, quarters: Image.Image) -> None:
    """Phones append depth maps and stereo views (MPO); the first picture is the photo."""
    content = encode(quarters, "MPO", save_all=True, append_images=[Image.new("RGB", (320, 200))])
    assert _corners(cleaned(content)) == [_RED, _GREEN, _BLUE, _WHITE]


def test_an_empty_file_is_told_apart() -> None:
    """An upload that broke off is common, and people can act on it."""
    assert _refusal(b"").reason is Reason.PHOTO_EMPTY


def test_too_many_bytes_are_refused_before_they_are_looked_at() -> None:
    """Exactly the limit passes."""
    demand_size(MAX_BYTES)
    error = _refusal(b"\xff\xd8\xff".ljust(MAX_BYTES + 1))
    assert error.reason is Reason.PHOTO_TOO_LARGE
    assert error.metadata == {"limit": "20 MiB", "actual": "20.000001 MiB"}


def test_a_hundred_megapixels_are_refused_by_the_header() -> None:
    """13 kB on the wire would be 100 MB or more in memory."""
    error = _refusal(_png(10_000, 10_000))
    assert error.reason is Reason.PHOTO_TOO_LARGE
    assert error.metadata == {"limit": "94 megapixels", "actual": "100 megapixels"}


def test_a_webp_too_large_for_the_decoder_is_refused() -> None:
    """Pillow refuses these itself, before it tells the size."""
    canvas = struct.pack("<I", 16_382)[:3] * 2
    header = b"VP8X" + struct.pack("<I", 10) + bytes(4) + canvas
    assert _refusal(b"RIFF" + struct.pack("<I", len(header) + 4) + b"WEBP" + header).reason is Reason.PHOTO_TOO_LARGE


def test_an_endless_stripe_is_refused() -> None:
    """Few pixels, but no photo, and scaling it is slow."""
    error = _refusal(_png(20_001, 1))
    assert error.reason is Reason.PHOTO_TOO_LARGE
    assert error.metadata["actual"] == "20001 px"


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "HEIC"])
def test_half_a_photo_is_told_apart(encode: Encode, form: str) -> None:
    """Half a photo would be classified by its grey lower half."""
    whole = encode(flower(), form)
    assert _refusal(whole[: len(whole) // 2]).reason is Reason.PHOTO_TRUNCATED


@pytest.mark.parametrize(
    "content", [b"hello, I am a text file", b"\0" * 100, b"\xff\xd8\xff but no JPEG", b"RIFF\0\0\0\0WEBPjunk"]
)
def test_what_is_no_picture_is_unreadable(content: bytes) -> None:
    """Whatever its name said."""
    assert _refusal(content).reason is Reason.PHOTO_UNREADABLE


@pytest.mark.parametrize("form", ["GIF", "BMP", "TIFF", "AVIF"])
def test_other_formats_are_named(encode: Encode, quarters: Image.Image, form: str) -> None:
    """People can convert a picture if they learn what it is."""
    error = _refusal(encode(quarters, form))
    assert error.reason is Reason.PHOTO_FORMAT
    assert error.metadata == {"format": form, "allowed": "JPEG, PNG, WEBP, HEIC"}


@pytest.mark.parametrize("orientation", range(1, 9))
def test_an_iphones_photo_is_turned_once(encode: Encode, quarters: Image.Image, orientation: int) -> None:
    """HEIC says how it was held twice, in the container and in EXIF; only the container counts."""
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    heic, jpeg = (encode(quarters, form, exif=exif.tobytes()) for form in ("HEIC", "JPEG"))
    assert _corners(cleaned(heic)) == _corners(cleaned(jpeg))
    assert cleaned(heic).identity.width == cleaned(jpeg).identity.width


@pytest.mark.parametrize("form", ["PNG", "WEBP"])
def test_animations_are_refused(encode: Encode, quarters: Image.Image, form: str) -> None:
    """An answer about one frame would be an answer about something else."""
    content = encode(quarters, form, save_all=True, append_images=[Image.new("RGB", quarters.size)])
    error = _refusal(content)
    assert error.reason is Reason.PHOTO_FORMAT
    assert error.metadata["format"] == f"animated {form}"


@pytest.fixture(scope="module")
def files(encode: Encode) -> list[bytes]:
    """A small valid file of each format, to be damaged."""
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 255, (24, 24, 3), np.uint8))
    whole = []
    for form in ("JPEG", "PNG", "WEBP", "HEIC"):
        whole.append(encode(noise, form))
    return whole


@settings(max_examples=150, deadline=None)
@given(
    which=st.integers(0, 3),
    damage=st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.binary(max_size=6)), max_size=4),
)
def test_damaged_files_never_raise_anything_else(
    files: list[bytes], which: int, damage: list[tuple[float, bytes]]
) -> None:
    """Decoders raise almost anything on hostile bytes; people get a photo or a reason."""
    content = bytearray(files[which])
    for place, patch in damage:
        start = int(place * len(content))
        content[start : start + len(patch)] = patch
    with contextlib.suppress(EcoError):
        cleaned(bytes(content))
