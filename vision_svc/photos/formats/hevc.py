"""Decodes a picture's HEVC tiles by FFmpeg, which takes two thirds of libde265's time, and only reduced becomes RGB."""

from collections.abc import Sequence

import av
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from PIL import Image

from vision_svc.photos.formats.heif_items import Unusual
from vision_svc.photos.formats.heif_tiles import Tiles

_BT601 = frozenset({5, 6})  # the matrix of JPEG, by both its numbers
_FULL_RANGE = 2  # as FFmpeg numbers it
_LAYOUTS = frozenset({"yuv420p", "yuvj420p"})
_MOST_BLOCK = 64  # HEVC pads a picture to whole blocks, of so many pixels at most


def configure() -> None:
    """Sets what belongs to the process: FFmpeg says nothing about broken files by itself."""
    av.logging.set_level(None)


def decoded(tiles: Tiles, by: int) -> Image.Image:
    """The picture in RGB, not turned yet.

    Args:
        tiles: It, packed.
        by: Whole number that both sides are divided by.

    Raises:
        Unusual: FFmpeg refuses a tile, or it isn't what the container says.
    """
    luma, *chroma = _planes(tiles, by)
    luma = luma.reduce(by)
    small = [one.resize(luma.size, Image.Resampling.BILINEAR) if by % 2 else one.reduce(by // 2) for one in chroma]
    return Image.merge("YCbCr", [luma, *small]).convert("RGB")


def _planes(tiles: Tiles, by: int) -> Sequence[Image.Image]:
    """Brightness, and both colours at half its size."""
    width, height = tiles.size
    half = (width + 1) // 2, (height + 1) // 2
    planes = [Image.new("L", size) for size in (tiles.size, half, half)]
    decoder = _decoder(tiles, by)
    for number, packed in enumerate(tiles.packed):
        row, column = divmod(number, tiles.columns)
        frame = _frame(decoder, packed, tiles)
        for plane, scale, into in zip(frame.planes, (1, 2, 2), planes, strict=True):
            size = plane.width, plane.height
            part = Image.frombuffer("L", size, bytes(plane), "raw", "L", plane.line_size, 1)
            into.paste(part, (column * tiles.tile[0] // scale, row * tiles.tile[1] // scale))
    return planes


def _decoder(tiles: Tiles, by: int) -> VideoCodecContext:
    width, height = tiles.tile
    decoder = VideoCodecContext.create("hevc", "r")
    decoder.extradata = tiles.setup
    decoder.thread_count = 1
    decoder.options = {
        "err_detect": "explode",
        "max_pixels": str((width + _MOST_BLOCK) * (height + _MOST_BLOCK)),
        # The seams that the filter smooths can't be seen any more when the picture is reduced.
        "skip_loop_filter": "all" if by > 1 else "default",
    }
    return decoder


def _frame(decoder: VideoCodecContext, packed: bytes, tiles: Tiles) -> VideoFrame:
    try:
        frames = [*decoder.decode(av.Packet(packed)), *decoder.decode(None)]
        decoder.flush_buffers()
    except av.FFmpegError as error:
        raise Unusual from error
    if len(frames) != 1:
        raise Unusual
    (frame,) = frames
    matrix, full = tiles.colours or (frame.colorspace, frame.color_range == _FULL_RANGE)
    layout = frame.format.name
    if (frame.width, frame.height) != tiles.tile or layout not in _LAYOUTS or matrix not in _BT601 or not full:
        raise Unusual
    return frame
