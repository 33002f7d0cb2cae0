"""Converts any picture that Pillow can open to a small one in sRGB.

Phones write Display P3, print shops CMYK, drawing programs transparency, scanners 16 bits a channel. With the wrong
colour space a green bottle looks brown.
"""

from io import BytesIO

from PIL import Image, ImageCms

from vision_svc.photos.photos import reduction

_WHITE = "white"


def plain_rgb(image: Image.Image, side: int) -> Image.Image:
    """The picture in sRGB, opaque, and no longer than `side` on its longer side.

    Args:
        image: A loaded picture in any mode.
        side: In pixels. Smaller pictures keep their size.
    """
    small = _scalable(image)
    # Averages of whole pixels first: a tenth of what the smooth filter takes, which then has little left to do.
    if (by := reduction(*small.size)) > 1:
        small = small.reduce(by)
    small.thumbnail((side, side), Image.Resampling.BICUBIC)
    return _in_srgb(_opaque(small), image.info.get("icc_profile"))


def _scalable(image: Image.Image) -> Image.Image:
    """The picture in a mode that can be scaled smoothly: palettes, bitmaps and 16-bit greys can't."""
    if image.mode.startswith("I"):
        return image.point(lambda value: value * (1 / 256)).convert("L")
    if image.has_transparency_data and image.mode != "RGBA":
        return image.convert("RGBA")
    if image.mode in {"1", "P"}:
        return image.convert("RGB")
    return image


def _opaque(image: Image.Image) -> Image.Image:
    """On white, where the picture is transparent."""
    if image.mode != "RGBA":
        return image
    paper = Image.new("RGBA", image.size, _WHITE)
    return Image.alpha_composite(paper, image).convert("RGB")


def _in_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """Colours converted by the picture's own profile; without one, or with a damaged one, it is taken for sRGB."""
    if profile:
        try:
            converted = ImageCms.profileToProfile(
                image, ImageCms.ImageCmsProfile(BytesIO(profile)), ImageCms.createProfile("sRGB"), outputMode="RGB"
            )
        except (ImageCms.PyCMSError, OSError, ValueError):
            converted = None
        if converted is not None:
            return converted
    return image.convert("RGB")
