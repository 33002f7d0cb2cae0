"""Colours come out as they were meant."""

from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image, ImageCms

from tests.unit.vision.photos.cleaned import seen

Encode = Callable[..., bytes]


def _colour(content: bytes) -> tuple[int, ...]:
    return tuple(int(value) for value in seen(content)[5, 5])


def test_cmyk_becomes_rgb(encode: Encode) -> None:
    """Pictures from print shops; taken as RGB they come out as negatives."""
    red = Image.new("CMYK", (64, 64), (0, 255, 255, 0))
    assert _colour(encode(red)) == pytest.approx((255, 0, 0), abs=4)


@pytest.mark.parametrize("form", ["PNG", "WEBP"])
def test_what_is_transparent_stands_on_white(encode: Encode, form: str) -> None:
    """Cut-outs; the colour under full transparency is arbitrary."""
    clear = Image.new("RGBA", (64, 64), (255, 0, 0, 0))
    assert _colour(encode(clear, form)) == (255, 255, 255)


def test_half_transparent_is_mixed_with_white(encode: Encode) -> None:
    """A glass on a transparent ground keeps its tint."""
    assert _colour(encode(Image.new("RGBA", (64, 64), (0, 0, 0, 128)), "PNG")) == (127, 127, 127)


def test_a_palette_with_a_transparent_colour_stands_on_white(encode: Encode) -> None:
    """As old drawing programs save them."""
    image = Image.new("P", (64, 64), 0)
    image.putpalette([255, 0, 0, 0, 0, 255])
    assert _colour(encode(image, "PNG")) == pytest.approx((255, 0, 0), abs=1)
    assert _colour(encode(image, "PNG", transparency=0)) == (255, 255, 255)


@pytest.mark.parametrize(("value", "expected"), [(0, 0), (0x80FF, 0x80), (0xFFFF, 0xFF)])
def test_sixteen_bit_greys_are_scaled_down(encode: Encode, value: int, expected: int) -> None:
    """Scanners write them; cut off at 255 they would be white."""
    grey = Image.fromarray(np.full((64, 64), value, np.uint16))
    assert _colour(encode(grey, "PNG")) == (expected,) * 3


@pytest.mark.parametrize(("mode", "colour"), [("1", 1), ("L", 255), ("LA", (255, 255))])
def test_greys_and_bitmaps_become_rgb(encode: Encode, mode: str, colour: int | tuple[int, ...]) -> None:
    """The model knows three channels only."""
    assert _colour(encode(Image.new(mode, (64, 64), colour), "PNG")) == (255, 255, 255)


def test_the_pictures_own_profile_is_applied(encode: Encode) -> None:
    """Phones write Display P3; here red and green are swapped, so that nobody can miss it."""
    swapped = _swap_red_and_green(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    red = Image.new("RGB", (64, 64), (255, 0, 0))
    assert _colour(encode(red, "PNG", icc_profile=swapped)) == pytest.approx((0, 255, 0), abs=3)


def _swap_red_and_green(profile: bytes) -> bytes:
    """An ICC profile with the tags of the red and green primaries exchanged."""
    return profile.replace(b"rXYZ", b"-XYZ").replace(b"gXYZ", b"rXYZ").replace(b"-XYZ", b"gXYZ")


@pytest.mark.parametrize("profile", [b"no profile", b"\0" * 200])
def test_a_damaged_profile_is_ignored(encode: Encode, profile: bytes) -> None:
    """sRGB is what nearly everybody means."""
    red = Image.new("RGB", (64, 64), (255, 0, 0))
    assert _colour(encode(red, "PNG", icc_profile=profile)) == pytest.approx((255, 0, 0), abs=1)


def test_a_profile_of_another_colour_model_is_ignored(encode: Encode) -> None:
    """An RGB profile in a grey picture says nothing about it."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    assert _colour(encode(Image.new("L", (64, 64), 90), "PNG", icc_profile=profile)) == (90, 90, 90)
