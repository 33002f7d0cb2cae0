"""Photos made smaller, by Pillow: the extra `shrink`."""

import io
import warnings

from PIL import Image, ImageOps

_QUALITY = 88
_READ = ("JPEG", "PNG", "WEBP")


def shrunk(content: bytes, max_side: int) -> bytes | None:
    """A photo as JPEG: upright, with at most `max_side` pixels on its longer side, without its metadata.

    Where a photo was taken stands in its metadata. What stays is the colour profile.

    Returns:
        None if it is small and has no metadata already, or can't be read here; then the API has to judge.
    """
    try:
        with warnings.catch_warnings(action="ignore"), Image.open(io.BytesIO(content), formats=_READ) as image:
            if max(image.size) <= max_side and not _has_metadata(image):
                return None
            image.thumbnail((max_side, max_side), Image.Resampling.LANCZOS, reducing_gap=2.0)
            upright = ImageOps.exif_transpose(image)
            file = io.BytesIO()
            profile = upright.info.get("icc_profile") if upright.mode == "RGB" else None
            _plain(upright).save(file, "JPEG", quality=_QUALITY, optimize=True, icc_profile=profile)
            return file.getvalue()
    except (OSError, ValueError, SyntaxError, MemoryError, Image.DecompressionBombError):
        return None


def _has_metadata(image: Image.Image) -> bool:
    return bool(image.getexif()) or any(name in image.info for name in ("xmp", "XML:com.adobe.xmp", "photoshop"))


def _plain(image: Image.Image) -> Image.Image:
    """In RGB; what shines through gets white behind it."""
    if image.has_transparency_data:
        solid = Image.new("RGB", image.size, "white")
        layer = image.convert("RGBA")
        solid.paste(layer, mask=layer.getchannel("A"))
        return solid
    return image.convert("RGB")
