"""Looks through a clip without decoding: when its pictures are shown, and which can be decoded alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import av
from av.video.stream import VideoStream

from mesh.errors import InvalidArgument
from mesh.reasons import Reason
from vision_svc.clips.clips import MAX_PICTURES, demand_seconds, too_complex
from vision_svc.clips.container import Clip

LOOKS = 48
"""How many pictures of a clip are compared."""

_LEAST_STEP = 0.1  # seconds between two that are compared
_DECODED_PIXELS = 300_000_000  # of a clip that is decoded whole, for a second of CPU or two
_LARGE_PIXELS = 4_000_000  # of one picture, of which a decoder would hold up to sixteen
_LONGEST_GAP = 4.0  # seconds without a picture that can be decoded alone, in which something may be missed


@dataclass(frozen=True, slots=True)
class Survey:
    """What is decoded of a clip.

    Attributes:
        seconds: How long it is.
        begin: The time of its first picture, in seconds, as the file counts.
        alone: Whether only pictures are decoded that can be decoded alone.
        step: Seconds between two pictures that are compared, at the least.
    """

    seconds: float
    begin: float
    alone: bool
    step: float


def survey(clip: Clip) -> Survey:
    """Decides what is decoded.

    Phones write a picture that can be decoded alone every second, so a long clip is looked through at a hundredth of
    what decoding it takes. One that is short, or has few of them, is decoded whole.

    Raises:
        InvalidArgument: VIDEO_EMPTY, VIDEO_TOO_LONG, VIDEO_TOO_COMPLEX or VIDEO_PROTECTED.
    """
    times, alone = _times(clip)
    begin, end = min(times), max(times)
    seconds = end - begin
    pixels = clip.track.width * clip.track.height
    costly = pixels > _LARGE_PIXELS or pixels * len(times) > _DECODED_PIXELS
    marks = sorted({*alone, end})
    gap = max((later - earlier for earlier, later in pairwise(marks)), default=0.0)
    sparse = not alone or gap > _LONGEST_GAP
    return Survey(seconds, begin, costly and not sparse, max(_LEAST_STEP, seconds / LOOKS))


def _times(clip: Clip) -> tuple[Sequence[float], Sequence[float]]:
    """When the pictures are shown, in seconds, and when those that can be decoded alone."""
    times: list[float] = []
    alone: list[float] = []
    first = None
    try:
        for packet in clip.container.demux(clip.track):
            if not packet.size:  # the end
                continue
            if packet.has_sidedata("encryption_info") or packet.has_sidedata("encryption_init_info"):
                raise InvalidArgument(Reason.VIDEO_PROTECTED)
            second = packet_second(packet, times[-1] if times else 0.0)
            first = second if first is None else first
            demand_seconds(second - first)
            times.append(second)
            if packet.is_keyframe:
                alone.append(second)
            if len(times) > MAX_PICTURES:
                raise too_complex(f"{MAX_PICTURES} frames")
    except av.error.EOFError:
        pass
    if not times:
        raise InvalidArgument(Reason.VIDEO_EMPTY)
    return times, alone


def packet_second(packet: "av.Packet[VideoStream]", before: float) -> float:
    """When what is packed is shown, in seconds; where the file doesn't say, just after what came before."""
    moment = packet.pts if packet.pts is not None else packet.dts
    return before if moment is None or packet.time_base is None else float(moment * packet.time_base)
