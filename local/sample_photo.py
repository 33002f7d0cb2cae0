"""A photo to scan, drawn by code: the repository holds no photos of others. `python -m local.sample_photo note.jpg`.

It shows a note on a sheet of paper, as a phone takes it: a little turned, lit from one side, not quite sharp, with a
sensor's noise. The offline model knows it for paper. The same versions of Pillow and NumPy draw the same picture.
"""

import sys
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

_SIZE = (720, 960)
_PAPER, _INK = (238, 232, 220), (40, 44, 70)
_MARGIN, _LETTER, _LINE = 90, 34, 51  # pixels
_TURN = 8  # degrees
_SHADE = np.array([0.18, 0.09], np.float32)  # how much darker the far end is, across and down
_NOISE = 4.0  # standard deviation, of 255
_BLUR = 0.8  # pixels
_LINES = """\
Shopping for Sunday

2 bottles of water
a carton of milk, eggs
batteries for the torch
rice, noodles, seaweed

Take the bags back,
and the paper on Tuesday,
tied up with a string.

Ask next door: is the
blue chair still good,
or does it need a sticker?
"""


def draw() -> bytes:
    """The photo, as a JPEG file."""
    sheet = Image.new("RGB", _SIZE, _PAPER)
    font = ImageFont.load_default(_LETTER)
    for number, line in enumerate(_LINES.splitlines()):
        ImageDraw.Draw(sheet).text((_MARGIN, _MARGIN + number * _LINE), line, _INK, font)
    turned = sheet.rotate(_TURN, Image.Resampling.BICUBIC, fillcolor=_PAPER)
    file = BytesIO()
    _photographed(turned).save(file, "JPEG", quality=88)
    return file.getvalue()


def _photographed(scene: Image.Image) -> Image.Image:
    """What a sensor makes of it."""
    width, height = scene.size
    across, down = _SHADE
    light = np.linspace(1, 1 - down, height)[:, np.newaxis] * np.linspace(1, 1 - across, width)
    seen = np.asarray(scene, np.float32) * light[..., np.newaxis]
    seen += np.random.default_rng(12).normal(0, _NOISE, seen.shape)
    return Image.fromarray(seen.clip(0, 255).astype(np.uint8)).filter(ImageFilter.GaussianBlur(_BLUR))


def main() -> None:
    """`python -m local.sample_photo FILE`."""
    match sys.argv[1:]:
        case [file]:
            Path(file).write_bytes(draw())
        case _:
            sys.exit(str(main.__doc__))


if __name__ == "__main__":
    main()
