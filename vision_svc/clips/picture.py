"""A decoded picture as a photo: small, upright, in sRGB, as players show it."""

import math
import struct
from collections.abc import Mapping
from types import MappingProxyType
from typing import cast

from av.sidedata.sidedata import Type
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, Colorspace, Interpolation, VideoReformatter
from PIL import Image

from vision_svc.clips.hdr import TRANSFERS, to_sdr
from vision_svc.photos.photos import CLEAN_SIDE

_BT709, _BT2020 = 1, frozenset({9, 10})  # matrices, as FFmpeg numbers them
_UNKNOWN = 2
_HD_LINES = 720  # from which on what says nothing is taken to be in HD's colours
_WIDEST = 4.0  # the shape that one pixel may have
_MATRICES: Mapping[int, Colorspace] = MappingProxyType(
    {_BT709: Colorspace.ITU709, 5: Colorspace.ITU601, 6: Colorspace.ITU601, 7: Colorspace.SMPTE240M}
)


class Pictures:
    """Makes photos of one track's pictures.

    Args:
        shape: Width of its pixels by their height; 1 for square ones.
    """

    def __init__(self, shape: float) -> None:
        self._shape = shape if 1 / _WIDEST <= shape <= _WIDEST else 1.0
        self._scaler = VideoReformatter()

    def photo(self, frame: VideoFrame) -> tuple[Image.Image, tuple[int, int]]:
        """A picture, no longer than `photos.CLEAN_SIDE` on its longer side, and what size it is when upright."""
        width, height = self._size(frame)
        small = self._scaler.reformat(
            frame,
            width,
            height,
            "rgb24",
            src_colorspace=_matrix(frame),
            dst_colorspace=Colorspace.ITU709,
            interpolation=Interpolation.BICUBIC,
            src_color_range=_range(frame),
            dst_color_range=ColorRange.JPEG,
            threads=1,
        )
        plane = small.planes[0]
        image = Image.frombuffer("RGB", (width, height), bytes(plane), "raw", "RGB", plane.line_size, 1)
        if frame.color_trc in TRANSFERS:
            image = to_sdr(image, frame.color_trc)
        upright = _upright(image, frame)
        size = frame.width, frame.height
        return upright, size if upright.size == image.size else size[::-1]

    def _size(self, frame: VideoFrame) -> tuple[int, int]:
        width, height = frame.width * max(1.0, self._shape), frame.height / min(1.0, self._shape)
        scale = min(1.0, CLEAN_SIDE / max(width, height))
        return max(1, round(width * scale)), max(1, round(height * scale))


def _matrix(frame: VideoFrame) -> Colorspace:
    if frame.colorspace in _BT2020:
        return Colorspace.BT2020
    if frame.colorspace == _UNKNOWN:
        return Colorspace.ITU709 if min(frame.width, frame.height) >= _HD_LINES else Colorspace.ITU601
    return _MATRICES.get(frame.colorspace, Colorspace.ITU601)


def _range(frame: VideoFrame) -> ColorRange:
    full = frame.color_range == ColorRange.JPEG or frame.format.name.startswith("yuvj")
    return ColorRange.JPEG if full else ColorRange.MPEG


def _upright(image: Image.Image, frame: VideoFrame) -> Image.Image:
    """The picture as its track says that it is turned, by whole quarters, and mirrored."""
    matrix = cast(Mapping[Type, bytes], frame.side_data).get(Type.DISPLAYMATRIX)
    if matrix is None:
        return image
    a, b, _, c, d = struct.unpack_from("=5i", bytes(matrix))
    if a * d - b * c < 0:
        image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        a, b = -a, -b
    quarters = round(math.degrees(math.atan2(b, a)) / 90) % 4  # clockwise
    turn = {1: Image.Transpose.ROTATE_270, 2: Image.Transpose.ROTATE_180, 3: Image.Transpose.ROTATE_90}
    return image.transpose(turn[quarters]) if quarters else image
