"""A high dynamic range as a photo shows it."""

import pytest
from PIL import Image

from vision_svc.clips.hdr import to_sdr

_PQ, _HLG = 16, 18


def _grey(signal: float, transfer: int) -> tuple[int, ...]:
    image = Image.new("RGB", (2, 2), (round(signal * 255),) * 3)
    pixel = to_sdr(image, transfer).getpixel((0, 0))
    assert isinstance(pixel, tuple)
    return pixel


@pytest.mark.parametrize(("signal", "transfer"), [(0.58, _PQ), (0.75, _HLG)], ids=["PQ", "HLG"])
def test_paper_is_nearly_white(signal: float, transfer: int) -> None:
    """BT.2408: paper in daylight, which a photo without the conversion shows as a grey of 148 or 191."""
    assert _grey(signal, transfer) == pytest.approx((243, 243, 243), abs=8)


@pytest.mark.parametrize(("signal", "transfer"), [(0.38, _PQ), (0.38, _HLG)], ids=["PQ", "HLG"])
def test_a_grey_card_is_a_middle_grey(signal: float, transfer: int) -> None:
    """BT.2408: a card that reflects 18 % has 26 candelas a square metre where paper has 203."""
    assert _grey(signal, transfer) == pytest.approx((101, 101, 101), abs=3)


@pytest.mark.parametrize("transfer", [_PQ, _HLG], ids=["PQ", "HLG"])
def test_brighter_stays_brighter(transfer: int) -> None:
    """From black to the sun, without a step."""
    values = [_grey(step / 16, transfer)[0] for step in range(17)]
    assert values == sorted(values)
    assert values[0] == 0
    assert values[-1] > 250


def test_a_saturated_colour_stays_that_colour() -> None:
    """BT.2020's red has no place in sRGB; the nearest has no green."""
    red, green, blue = to_sdr(Image.new("RGB", (2, 2), (180, 20, 20)), _HLG).getpixel((0, 0))  # type: ignore[misc]
    assert red > 200
    assert max(green, blue) < 40
