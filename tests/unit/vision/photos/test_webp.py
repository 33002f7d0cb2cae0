"""WebP: the last bytes, and what stands beside the picture."""

from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from mesh.errors import InvalidArgument
from mesh.reasons import Reason
from tests.support.sample_photos import flower
from tests.unit.vision.photos.cleaned import cleaned, seen

Encode = Callable[..., bytes]


@pytest.mark.parametrize("missing", [1, 2, 60])
def test_without_its_last_bytes_it_is_the_same_photo(encode: Encode, missing: int) -> None:
    """As browsers show it."""
    whole = encode(flower(), "WEBP")
    difference = np.abs(seen(whole).astype(int) - seen(whole[:-missing]))
    assert difference[:-48].max() == 0
    assert difference.mean() < 2


def test_half_of_one_is_cut_off(encode: Encode) -> None:
    """The container says how long it should be."""
    whole = encode(flower(), "WEBP")
    with pytest.raises(InvalidArgument) as caught:
        cleaned(whole[: len(whole) // 2])
    assert caught.value.reason is Reason.PHOTO_TRUNCATED
    assert caught.value.metadata == {"lost": "50%"}


def test_rubbish_behind_it_is_ignored(encode: Encode, quarters: Image.Image) -> None:
    """Phones and messengers append their own."""
    whole = encode(quarters, "WEBP")
    assert cleaned(whole + b"PK\x03\x04" + bytes(1000)).digest == cleaned(whole).digest


@pytest.mark.parametrize("xmp", [b"<x:xmpmeta", b"\xff\xfe", b"x" * 2_000_000])
def test_what_stands_beside_the_picture_never_refuses_it(encode: Encode, quarters: Image.Image, xmp: bytes) -> None:
    """Viewers skip what they can't read."""
    whole = encode(quarters, "WEBP")
    assert cleaned(encode(quarters, "WEBP", xmp=xmp, exif=xmp[:60_000])).digest == cleaned(whole).digest
