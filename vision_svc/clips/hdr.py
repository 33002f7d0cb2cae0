"""Pictures with a high dynamic range, as phones film by default, in the colours of a photo.

Taken as they are they look grey and dull. What is brighter than paper in daylight is bent, the rest is kept, as phones
do when they share a clip. One table over all colours does it, so it costs next to nothing.
"""

import math
from collections.abc import Callable, Mapping
from functools import cache
from types import MappingProxyType

from PIL import Image, ImageFilter

_PQ, _HLG = 16, 18  # as FFmpeg numbers the transfers
_TABLE = 33  # entries along each axis
_WHITE = 203.0  # candelas a square metre of paper white (BT.2408)
_PEAK = 1000.0  # of the display that HLG is for
# From BT.2020's primaries to sRGB's.
_GAMUT = (
    (1.6605, -0.5876, -0.0728),
    (-0.1246, 1.1329, -0.0083),
    (-0.0182, -0.1006, 1.1187),
)

Colour = tuple[float, float, float]


def to_sdr(image: Image.Image, transfer: int) -> Image.Image:
    """The picture in sRGB.

    Args:
        image: RGB in BT.2020's colours.
        transfer: How its brightness is written; one of TRANSFERS.
    """
    return image.filter(_table(transfer))


@cache
def _table(transfer: int) -> ImageFilter.Color3DLUT:
    light = TRANSFERS[transfer]

    def converted(red: float, green: float, blue: float) -> Colour:
        r, g, b = light((red, green, blue))
        return tuple(_written(_bent(sum(f * v for f, v in zip(row, (r, g, b), strict=True)))) for row in _GAMUT)  # type: ignore[return-value]

    return ImageFilter.Color3DLUT.generate(_TABLE, converted)


def _pq(colour: Colour) -> Colour:
    """Light of SMPTE ST 2084, 1 for paper white."""
    return _each(lambda value: _pq_light(value) / _WHITE, colour)


def _pq_light(value: float) -> float:
    root = math.pow(value, 1 / 78.84375)
    curve: float = max(root - 0.8359375, 0.0) / (18.8515625 - 18.6875 * root)
    return 10_000.0 * math.pow(curve, 1 / 0.1593017578125)


def _hlg(colour: Colour) -> Colour:
    """Light of BT.2100's HLG, 1 for paper white."""
    r, g, b = _each(_hlg_scene, colour)
    system = (0.2627 * r + 0.678 * g + 0.0593 * b) ** 0.2 if r + g + b > 0 else 0.0
    return _each(lambda value: value * system * _PEAK / _WHITE, (r, g, b))


def _hlg_scene(value: float) -> float:
    return value * value / 3 if value <= 0.5 else (2.718281828 ** ((value - 0.55991073) / 0.17883277) + 0.28466892) / 12


def _bent(light: float) -> float:
    """Light of a photo, 0 to 1: the same up to four fifths, the rest ever less (Reinhard's curve, with a knee)."""
    knee = 0.8
    if light <= knee:
        return max(light, 0.0)
    over = (light - knee) / (1 - knee)
    return min(knee + (1 - knee) * over / (1 + over), 1.0)


def _written(light: float) -> float:
    """Light as sRGB writes it."""
    return 12.92 * light if light <= 0.0031308 else 1.055 * light ** (1 / 2.4) - 0.055


def _each(change: Callable[[float], float], colour: Colour) -> Colour:
    red, green, blue = colour
    return change(red), change(green), change(blue)


TRANSFERS: Mapping[int, Callable[[Colour], Colour]] = MappingProxyType({_PQ: _pq, _HLG: _hlg})
"""The transfers with a high dynamic range, by FFmpeg's number: what gives light for what is written."""
