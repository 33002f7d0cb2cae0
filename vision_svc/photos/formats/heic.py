"""HEIC: the primary picture, whatever else is in the file."""

from collections.abc import Mapping
from io import BytesIO
from types import MappingProxyType

import pi_heif
from PIL import Image

from vision_svc.photos.formats import hevc
from vision_svc.photos.formats.heif_items import Unusual
from vision_svc.photos.formats.heif_tiles import primary_tiles
from vision_svc.photos.formats.picture import DECODED_BYTES, Picture
from vision_svc.photos.photos import demand_pixels, reduction

# libheif's planes, the same as RGB, and a copy of that; more for other than eight bits in 4:2:0, which phones write.
_BYTES_A_PIXEL = 7
_BYTES_A_RICH_PIXEL = 11
_STRIP_ROWS = 64
# Quarters counter-clockwise; mirrored top to bottom, or left to right, as libheif and viewers read the standard.
_TURNS: Mapping[tuple[bytes, int], Image.Transpose] = MappingProxyType(
    {
        (b"irot", 1): Image.Transpose.ROTATE_90,
        (b"irot", 2): Image.Transpose.ROTATE_180,
        (b"irot", 3): Image.Transpose.ROTATE_270,
        (b"imir", 0): Image.Transpose.FLIP_TOP_BOTTOM,
        (b"imir", 1): Image.Transpose.FLIP_LEFT_RIGHT,
    }
)
_SIDEWAYS = frozenset({Image.Transpose.ROTATE_90, Image.Transpose.ROTATE_270})


def configure() -> None:
    """Sets what belongs to the process: no threads, and no picture but the main ones."""
    pi_heif.options.DECODE_THREADS = 1  # photos run side by side, and every thread's stack counts as memory
    hevc.configure()
    pi_heif.options.THUMBNAILS = pi_heif.options.DEPTH_IMAGES = pi_heif.options.AUX_IMAGES = False


def read(content: bytes) -> Picture:
    """The primary picture, upright: libheif turns it as the container says; EXIF only repeats that.

    Args:
        content: The file.

    Raises:
        InvalidArgument: PHOTO_TOO_LARGE.
        Exception: Whatever libheif raises on a broken file.
    """
    file = pi_heif.open_heif(BytesIO(content))
    primary = file[file.primary_index]
    rich = primary.info["bit_depth"] > 8 or primary.has_alpha or primary.info.get("chroma", 420) != 420
    width, height = primary.size
    demand_pixels(width, height, DECODED_BYTES // (_BYTES_A_RICH_PIXEL if rich else _BYTES_A_PIXEL))
    image = _reduced(primary) if rich else _decoded(content, primary)
    if profile := primary.info.get("icc_profile"):
        image.info["icc_profile"] = profile
    return Picture(image, (width, height))


def _decoded(content: bytes, picture: pi_heif.HeifImage) -> Image.Image:
    """By FFmpeg, or else by libheif."""
    try:
        tiles = primary_tiles(content)
        turns = [_TURNS[turn] for turn in tiles.turns if turn in _TURNS]
        sideways = sum(turn in _SIDEWAYS for turn in turns) % 2 == 1
        if picture.size != (tiles.size[::-1] if sideways else tiles.size):
            raise Unusual
        image = hevc.decoded(tiles, reduction(*tiles.size))
    except Unusual:
        return _reduced(picture)
    for turn in turns:
        image = image.transpose(turn)
    return image


def _reduced(picture: pi_heif.HeifImage) -> Image.Image:
    """The pixels, strip by strip, so that a large picture is never in memory twice."""
    pixels, (width, height) = picture.data, picture.size
    factor = reduction(width, height)
    small = Image.new(picture.mode, (-(-width // factor), -(-height // factor)))
    for top in range(0, height, _STRIP_ROWS * factor):
        rows = min(_STRIP_ROWS * factor, height - top)
        part: bytes = pixels[top * picture.stride : (top + rows) * picture.stride]
        strip = Image.frombuffer(picture.mode, (width, rows), part, "raw", picture.mode, picture.stride, 1)
        small.paste(strip.reduce(factor), (0, top // factor))
    return small
