"""HEIC by FFmpeg: the same picture as libheif's, and whatever isn't as phones write it is left to libheif."""

from collections.abc import Callable, Sequence
from io import BytesIO

import numpy as np
import pi_heif
import pillow_heif
import pytest
from PIL import Image

from mesh.errors import InvalidArgument
from tests.support.sample_photos import flower
from tests.unit.vision.photos.cleaned import cleaned, seen
from tests.unit.vision.photos.heic_grid import cut_out, heic_grid, mirrored, turned
from vision_svc.photos.cleaning import JPEG_QUALITY
from vision_svc.photos.colour import plain_rgb
from vision_svc.photos.formats import heic
from vision_svc.photos.formats.heif_items import Unusual
from vision_svc.photos.photos import CLEAN_SIDE

Encode = Callable[..., bytes]


def _fails(*_: object) -> Image.Image:
    raise AssertionError("left to libheif")


def _unusual(*_: object) -> None:
    raise Unusual


@pytest.fixture
def no_libheif(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only FFmpeg may decode."""
    monkeypatch.setattr(heic, "_reduced", _fails)


def _difference(content: bytes) -> float:
    """Between what is left of a photo, and what is left of it by libheif: mean of all colours, of 255."""
    file = pi_heif.open_heif(BytesIO(content))
    packed = BytesIO()
    plain_rgb(file[file.primary_index].to_pillow(), CLEAN_SIDE).save(packed, "JPEG", quality=JPEG_QUALITY)
    return float(np.abs(seen(content).astype(int) - np.asarray(Image.open(packed))).mean())


@pytest.mark.usefixtures("no_libheif")
@pytest.mark.parametrize("size", [(600, 400), (1500, 300), (2300, 160), (3300, 150), (4102, 130)])
def test_it_is_the_picture_that_libheif_sees(encode: Encode, size: tuple[int, int]) -> None:
    """At every whole number that it is divided by; the smallest with all that the codec has."""
    preset = "medium" if size == (600, 400) else "ultrafast"
    assert _difference(encode(flower().resize(size), "HEIC", quality=90, enc_params={"preset": preset})) < 1.5


@pytest.mark.usefixtures("no_libheif")
@pytest.mark.parametrize(
    "turns",
    [
        (),
        *[(turned(quarters),) for quarters in range(4)],
        (mirrored(0),),
        (mirrored(1), turned(1)),
        (turned(1), mirrored(1)),
    ],
)
def test_a_grid_is_put_together_and_turned(turns: Sequence[bytes]) -> None:
    """Phones pack tiles of 512 pixels; here two rows of three, the last ones wider and higher than the picture."""
    content = heic_grid(flower().resize((340, 250)), 128, turns=turns)
    assert _difference(content) < 1.5
    assert cleaned(content).identity.width == pi_heif.open_heif(BytesIO(content)).size[0]


@pytest.mark.usefixtures("no_libheif")
def test_a_large_grid_has_no_seams() -> None:
    """Divided by three, which no tile's side can be: the tiles are put together first."""
    assert _difference(heic_grid(flower().resize((3200, 120)), 128)) < 1.5


def _single(size: tuple[int, int]) -> bytes:
    file = BytesIO()
    pillow_heif.from_pillow(flower().resize(size)).save(file)
    return file.getvalue()


_UNUSUAL: dict[str, Callable[[], bytes]] = {
    "only its middle is shown": lambda: heic_grid(flower().resize((250, 250)), 128, more=[cut_out(100, 90)]),
    "tiles share their bytes": lambda: heic_grid(flower().resize((250, 250)), 128, sharing=True),
    "a column of tiles lies beyond it": lambda: heic_grid(flower().resize((250, 250)), 128, size=(100, 250)),
    "tiles don't reach its edge": lambda: heic_grid(flower().resize((250, 250)), 128, size=(400, 250)),
    "cut off": lambda: heic_grid(flower().resize((250, 250)), 128)[:-900],
    "no primary picture": lambda: heic_grid(flower().resize((250, 250)), 128).replace(b"pitm", b"free"),
    "tiles of another codec": lambda: heic_grid(flower().resize((250, 250)), 128).replace(b"hvc1", b"av01"),
    "tiles of another size than packed": lambda: heic_grid(flower().resize((250, 250)), 128).replace(
        b"ispe" + bytes(4) + (128).to_bytes(4) * 2, b"ispe" + bytes(4) + (130).to_bytes(4) * 2
    ),
    "tiles are missing": lambda: heic_grid(flower().resize((250, 250)), 128).replace(b"\0\0\1\1", b"\0\0\2\1", 1),
    "another matrix": lambda: heic_grid(flower().resize((250, 250)), 128).replace(
        b"nclx\0\1\0\x0d\0\6\x80", b"nclx\0\1\0\x0d\0\1\x80"
    ),
    "not the full range": lambda: heic_grid(flower().resize((250, 250)), 128).replace(
        b"nclx\0\1\0\x0d\0\6\x80", b"nclx\0\1\0\x0d\0\6\0"
    ),
    "a side is odd, which its colours can't be": lambda: _single((251, 250)),
}


@pytest.mark.parametrize("name", _UNUSUAL)
def test_what_is_unusual_is_left_to_libheif(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same picture, or the same refusal, as if there were no FFmpeg."""
    content = _UNUSUAL[name]()
    assert content != heic_grid(flower().resize((250, 250)), 128)
    verdict = _verdict(content)
    monkeypatch.setattr(heic, "primary_tiles", _unusual)
    assert verdict == _verdict(content)


def _verdict(content: bytes) -> str:
    try:
        return cleaned(content).digest
    except InvalidArgument as error:
        return f"{error.reason} {error.metadata}"
