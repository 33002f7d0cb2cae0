"""Photos before they are uploaded."""

import io
import struct
import sys
import zlib
from typing import Any

import pytest
from PIL import Image, ImageCms

from eco2_client.photos import load


def encoded(image: Image.Image, kind: str = "JPEG", **options: Any) -> bytes:
    """The image as a file."""
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def sideways() -> bytes:
    """A phone's photo: large, turned by 90 degrees, with the place in it. Its left half is red to the sensor."""
    image = Image.new("RGB", (2000, 1000), "white")
    image.paste("red", (0, 0, 1000, 1000))
    exif = Image.Exif()
    exif[0x0112] = 6
    exif.get_ifd(0x8825)[2] = (37.0, 33.0, 48.0)
    return encoded(image, exif=exif)


def bomb() -> bytes:
    """A PNG that says it has 400 megapixels."""
    header = b"IHDR" + struct.pack(">IIBBBBB", 20_000, 20_000, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + header + struct.pack(">I", zlib.crc32(header))


def test_a_large_photo_is_made_smaller_upright_and_without_its_place() -> None:
    """What the sensor has on the left is on top for people."""
    loaded = load(sideways(), 800)
    image = Image.open(io.BytesIO(loaded.content))
    assert (loaded.content_type, image.size, dict(image.getexif())) == ("image/jpeg", (400, 800), {})
    red, green, _ = image.convert("RGB").getpixel((200, 100))  # type: ignore[misc]
    assert red > 200 > 60 > green


def test_a_small_photo_without_metadata_is_sent_as_it_is() -> None:
    """Each encoding loses something."""
    photo = encoded(Image.new("RGB", (300, 200), "green"))
    assert load(photo, 800).content is photo


def test_a_small_photo_loses_its_place_too() -> None:
    exif = Image.Exif()
    exif.get_ifd(0x8825)[2] = (37.0, 33.0, 48.0)
    loaded = load(encoded(Image.new("RGB", (300, 200)), exif=exif), 800)
    assert dict(Image.open(io.BytesIO(loaded.content)).getexif()) == {}


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P", "L", "CMYK", "I;16"])
def test_any_colours_become_jpegs(mode: str) -> None:
    """What shines through gets white behind it."""
    kind = "JPEG" if mode == "CMYK" else "PNG"
    clear = Image.new("RGBA", (900, 600), (0, 0, 0, 0))
    image = clear.convert(mode) if mode in ("RGBA", "LA") else Image.new(mode, (900, 600))
    loaded = load(encoded(image, kind), 450)
    smaller = Image.open(io.BytesIO(loaded.content))
    assert (smaller.size, smaller.mode) == ((450, 300), "RGB")
    if mode in ("RGBA", "LA"):
        assert smaller.getpixel((10, 10)) == (255, 255, 255)


def test_colours_keep_their_profile() -> None:
    """A phone's wide colours would turn pale."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    loaded = load(encoded(Image.new("RGB", (900, 600)), icc_profile=profile), 450)
    assert Image.open(io.BytesIO(loaded.content)).info["icc_profile"] == profile


@pytest.mark.parametrize("damage", ["cut", "bomb"])
def test_what_cant_be_read_here_is_the_apis_to_judge(damage: str) -> None:
    """Sent as it is."""
    photo = {"cut": encoded(Image.effect_noise((400, 400), 50))[:-5000], "bomb": bomb()}[damage]
    assert load(photo, 100).content == photo


def test_without_pillow_photos_are_sent_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is an extra."""
    monkeypatch.setitem(sys.modules, "eco2_client.shrinking", None)
    photo = sideways()
    assert load(photo, 800).content == photo


def test_nothing_is_made_smaller_that_shall_not_be() -> None:
    photo = sideways()
    assert load(photo, None).content == photo
