"""PNG: the picture is taken for what it is, whatever its other chunks hold."""

import struct
import zlib
from collections.abc import Callable
from io import BytesIO

import numpy as np
import pytest
from PIL import Image, ImageCms

from mesh.errors import InvalidArgument
from mesh.reasons import Reason
from tests.unit.vision.photos.cleaned import cleaned, seen

Encode = Callable[..., bytes]


@pytest.fixture
def noise() -> Image.Image:
    """A picture that can't be squeezed, 200 x 100."""
    return Image.fromarray(np.random.default_rng(0).integers(0, 255, (100, 200, 3), np.uint8))


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def _before_data(png: bytes, chunk: bytes) -> bytes:
    place = png.index(b"IDAT") - 4
    return png[:place] + chunk + png[place:]


def _behind_data(png: bytes, chunk: bytes) -> bytes:
    place = png.index(b"IEND") - 4
    return png[:place] + chunk + png[place:]


_TWO_MEGABYTES = zlib.compress(bytes(2_000_000))
_BESIDE = {
    "a packed text of 2 MB": _chunk(b"zTXt", b"Comment\0\0" + _TWO_MEGABYTES),
    "an international one": _chunk(b"iTXt", b"Comment\0\1\0\0\0" + _TWO_MEGABYTES),
    "a plain one": _chunk(b"tEXt", b"Comment\0" + b"x" * 2_000_000),
    "eighty of a megabyte": _chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(1_000_000))) * 80,
    "a packed text by another method": _chunk(b"zTXt", b"Comment\0\7" + _TWO_MEGABYTES),
    "a text whose name is no Latin": _chunk(b"iTXt", b"\xff\xfe\0\0\0\0\0x"),
    "a profile of 2 MB": _chunk(b"iCCP", b"x\0\0" + _TWO_MEGABYTES),
    "a profile of 20 MB": _chunk(b"iCCP", b"x\0\0" + zlib.compress(bytes(20_000_000))),
    "a profile by another method": _chunk(b"iCCP", b"x\0\7" + _TWO_MEGABYTES),
    "half a profile": _chunk(b"iCCP", b"x"),
    "EXIF of 2 MB": _chunk(b"eXIf", b"II*\0\x08\0\0\0\0\0" + bytes(2_000_000)),
    "half a resolution": _chunk(b"pHYs", b"\0"),
    "half a gamma": _chunk(b"gAMA", b"\0"),
    "half a transparency": _chunk(b"tRNS", b"\0"),
    "a transparency with a wrong checksum": _chunk(b"tRNS", bytes(6))[:-1] + b"\xff",
    "a text with a wrong checksum": _chunk(b"tEXt", b"Comment\0x")[:-1] + b"\xff",
    "an animation of no frames": _chunk(b"acTL", bytes(8)),
    "half an animation": _chunk(b"acTL", b"\0"),
    "an animation announced twice, without a frame": _chunk(b"acTL", struct.pack(">II", 2, 0)) * 2,
    "a frame beyond the picture": _chunk(b"fcTL", struct.pack(">IIIIIHHBB", 7, 9999, 9999, 9, 9, 1, 1, 0, 0)),
}


@pytest.mark.parametrize("place", [_before_data, _behind_data])
@pytest.mark.parametrize("beside", _BESIDE.values(), ids=_BESIDE)
def test_what_stands_beside_the_picture_never_refuses_it(
    encode: Encode, noise: Image.Image, beside: bytes, place: Callable[[bytes, bytes], bytes]
) -> None:
    """Drawing programs store whole documents in texts, scanners whole tables in profiles."""
    png = encode(noise, "PNG")
    assert cleaned(place(png, beside)).digest == cleaned(png).digest


def test_a_profile_of_a_megabyte_and_more_is_applied(encode: Encode) -> None:
    """Monitors' and printers' are that large."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    swapped = profile.replace(b"rXYZ", b"-XYZ").replace(b"gXYZ", b"rXYZ").replace(b"-XYZ", b"gXYZ")
    large = struct.pack(">I", len(swapped) + 1_500_000) + swapped[4:] + bytes(1_500_000)
    red = encode(Image.new("RGB", (64, 64), (255, 0, 0)), "PNG")
    content = _before_data(red, _chunk(b"iCCP", b"x\0\0" + zlib.compress(large)))
    assert seen(content)[5, 5].tolist() == pytest.approx([0, 255, 0], abs=3)


@pytest.mark.parametrize("end", [b"", _chunk(b"IEND", b"")])
def test_up_to_a_tenth_may_be_missing(encode: Encode, noise: Image.Image, end: bytes) -> None:
    """Counted by the rows that the data gives; also where somebody has put an end behind what was left."""
    whole = encode(noise, "PNG")
    assert cleaned(whole[: len(whole) * 93 // 100] + end).identity.height == 100
    assert (seen(whole[: len(whole) * 93 // 100])[:64] == seen(whole)[:64]).all()
    with pytest.raises(InvalidArgument) as caught:
        cleaned(whole[: len(whole) * 3 // 4] + end)
    assert caught.value.reason is Reason.PHOTO_TRUNCATED
    assert int(caught.value.metadata["lost"].rstrip("%")) == pytest.approx(25, abs=3)


def test_without_its_last_chunk_it_is_the_same_photo(encode: Encode, noise: Image.Image) -> None:
    """Its last 12 bytes say only that it ends; what follows them says nothing."""
    whole = encode(noise, "PNG")
    for content in (whole[:-1], whole[:-12], whole[:-16], whole + b"PK\x03\x04" + bytes(5000)):
        assert cleaned(content).digest == cleaned(whole).digest


def test_an_animation_behind_the_picture_is_none(encode: Encode, noise: Image.Image) -> None:
    """An animation is announced before the picture; browsers show the picture."""
    whole = encode(noise, "PNG")
    content = _behind_data(whole, _chunk(b"acTL", struct.pack(">II", 2, 0)))
    assert cleaned(content).digest == cleaned(whole).digest


def test_each_kind_of_png_has_its_own_limit(encode: Encode) -> None:
    """Transparent ones are copied on the way to opaque ones; the limit told is always below what there is."""
    for mode, limit in (("RGB", 94), ("RGBA", 70), ("LA", 47)):
        content = bytearray(encode(Image.new(mode, (8, 8)), "PNG"))
        header = struct.pack(">II", 10_000, limit * 100 + 1) + content[24:29]
        content[16:33] = header + struct.pack(">I", zlib.crc32(b"IHDR" + header))
        with pytest.raises(InvalidArgument) as caught:
            cleaned(bytes(content))
        assert caught.value.reason is Reason.PHOTO_TOO_LARGE
        assert caught.value.metadata == {"limit": f"{limit} megapixels", "actual": f"{limit}.01 megapixels"}


def test_a_text_that_unpacks_to_gigabytes_is_never_unpacked(encode: Encode, noise: Image.Image) -> None:
    """Where XMP is read, no more than a profile's size of it is."""
    bomb = zlib.compress(bytes(64 << 20), 9)
    png = encode(noise, "PNG")
    content = _before_data(png, _chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + bomb) * 20)
    assert cleaned(content).digest == cleaned(png).digest


def test_interlaced_ones_are_read_and_measured() -> None:
    """Seven passes instead of one: their bytes are counted alike."""
    rows = np.random.default_rng(0).integers(0, 255, (64, 64), np.uint8)
    passes = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
    plain = b"".join(b"\0" + row.tobytes() for x, y, dx, dy in passes for row in rows[y::dy, x::dx])
    header = struct.pack(">IIBBBBB", 64, 64, 8, 0, 0, 0, 1)
    packed = zlib.compress(plain, 0)
    whole = b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", packed) + _chunk(b"IEND", b"")
    with Image.open(BytesIO(whole)) as image:
        assert (np.asarray(image) == rows).all()
    assert cleaned(whole[: len(whole) * 93 // 100]).identity.height == 64
    with pytest.raises(InvalidArgument, match="cut off"):
        cleaned(whole[: len(whole) * 3 // 4])
