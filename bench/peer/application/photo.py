"""A photo as the model gets it and as it stays: upright, RGB, at most 1,024 pixels, nothing but the picture."""

import hashlib
from io import BytesIO

from PIL import Image, ImageOps

_SIDE, _MOST_PIXELS, _MOST_BYTES, _QUALITY = 1024, 50_000_000, 20 << 20, 85


def clean(data: bytes) -> tuple[bytes, str]:
    """The clean JPEG, and what identifies the picture.

    Raises:
        ValueError: The file is too large, or the picture.
    """
    if not 0 < len(data) <= _MOST_BYTES:
        raise ValueError("photo size")
    file = Image.open(BytesIO(data), formats=("JPEG", "PNG", "WEBP"))
    width, height = file.size
    if width * height > _MOST_PIXELS:
        raise ValueError("photo pixels")
    file.draft("RGB", (_SIDE, _SIDE))
    image = ImageOps.exif_transpose(file)
    image.thumbnail((_SIDE, _SIDE), reducing_gap=2.0)
    image = image.convert("RGB")
    image.info.clear()
    out = BytesIO()
    image.save(out, "JPEG", quality=_QUALITY)
    return out.getvalue(), f"{hashlib.sha256(image.tobytes()).hexdigest()} {width} {height}"
