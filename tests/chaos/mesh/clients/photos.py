"""Photos that carry a number which survives cleaning, sixteen black and white squares, and a place that must not."""

import io

from PIL import ExifTags, Image

_SIDE = 4
_SQUARE = 64
SIDE = _SIDE * _SQUARE
LIMIT = 1 << (_SIDE * _SIDE)


def photo(number: int) -> bytes:
    """A JPEG that shows a number below LIMIT."""
    image = Image.new("L", (SIDE, SIDE))
    for bit in range(_SIDE * _SIDE):
        if number >> bit & 1:
            image.paste(255, _box(bit))
    file = io.BytesIO()
    exif = Image.Exif()
    exif.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLatitude] = (37.0, 33.0, 58.0)
    image.convert("RGB").save(file, "JPEG", quality=90, exif=exif)
    return file.getvalue()


def number_of(content: bytes) -> int:
    """The number that a photo shows, whatever its size and format have become."""
    squares = Image.open(io.BytesIO(content)).convert("L").resize((_SIDE, _SIDE), Image.Resampling.BOX)
    return sum(1 << bit for bit, light in enumerate(squares.tobytes()) if light > 127)


def _box(bit: int) -> tuple[int, int, int, int]:
    left, top = bit % _SIDE * _SQUARE, bit // _SIDE * _SQUARE
    return left, top, left + _SQUARE, top + _SQUARE
