"""Takes the frames out of a clip that are worth a look. CPU work on untrusted bytes: in the decoder's process only.

What is refused: another format or codec is VIDEO_FORMAT; what is no video, or a broken one, VIDEO_UNREADABLE; one that
ends too early VIDEO_TRUNCATED; one without a picture VIDEO_EMPTY; an encrypted one VIDEO_PROTECTED; one that lasts too
long, or says so, VIDEO_TOO_LONG; large pictures VIDEO_TOO_LARGE; one that takes more than clips may VIDEO_TOO_COMPLEX.
Sound, subtitles, covers and attachments aren't looked at.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from io import BytesIO

import av
from av.video.frame import VideoFrame

from mesh.errors import InvalidArgument
from mesh.reasons import Reason
from vision_svc.clips.clips import Frame, Seen, demand_pixels, demand_size, too_complex, unreadable
from vision_svc.clips.container import Clip, File, opened
from vision_svc.clips.picture import Pictures
from vision_svc.clips.scenes import Look, Scenes
from vision_svc.clips.survey import Survey, packet_second, survey
from vision_svc.photos.cleaning import JPEG_QUALITY
from vision_svc.photos.photos import Identity

_MOST_BROKEN = 0.5  # share of the pictures that may be broken
_TOLD_EVERY = 3.0  # seconds of the clip between two reports
_ROUNDING_SECONDS = 0.002


def extract(file: File, most: int, report: Callable[[Seen], None]) -> Sequence[Frame]:
    """The sharpest frames that differ, in order of time.

    Args:
        file: The clip.
        most: How many.
        report: Told how far it was looked through.

    Raises:
        InvalidArgument: As above.
    """
    demand_size(file.size)
    with _reading(), opened(file) as clip:
        plan = survey(clip)
        scenes, told = Scenes(), 0.0
        for look in _looks(clip, plan):
            scenes.add(look)
            if look.second >= told + _TOLD_EVERY:
                told = look.second
                report(Seen(told, plan.seconds))
        if frames := [_frame(look) for look in scenes.best(most)]:
            return frames
        raise unreadable("no frame can be decoded")


@contextmanager
def _reading() -> Iterator[None]:
    """Turns what the library raises into our error."""
    try:
        yield
    except InvalidArgument:
        raise
    except MemoryError as error:
        raise too_complex("memory") from error
    except av.error.EOFError as error:
        raise InvalidArgument(Reason.VIDEO_TRUNCATED, lost="index") from error
    except Exception as error:
        raise unreadable("corrupt") from error


def _looks(clip: Clip, plan: Survey) -> Iterator[Look]:
    """The pictures that are compared, in order of time.

    Raises:
        InvalidArgument: VIDEO_UNREADABLE: most are broken. VIDEO_TOO_LARGE: one is larger than the file said.
    """
    pictures = Pictures(float(clip.track.sample_aspect_ratio or 1))
    due, tried, broken, first_broken = 0.0, 0, 0, 0.0
    clip.container.seek(0, backward=True)
    for second, frames in _decoded(clip, plan):
        tried += 1
        if frames is None:
            broken, first_broken = broken + 1, first_broken if broken else second
            continue
        for frame in frames:
            moment = second if frame.pts is None or frame.time_base is None else float(frame.pts * frame.time_base)
            if frame.is_corrupt or (at := moment - plan.begin) < due - _ROUNDING_SECONDS:
                continue
            demand_pixels(frame.width, frame.height)
            due = at + plan.step
            yield Look(at, *pictures.photo(frame))
    if tried and broken > tried * _MOST_BROKEN:
        raise unreadable("corrupt", first_broken)


def _decoded(clip: Clip, plan: Survey) -> Iterator[tuple[float, Sequence[VideoFrame] | None]]:
    """What each packet holds, None if it is broken, and when it is shown, from the clip's beginning."""
    track, second, due = clip.track, plan.begin, plan.begin
    track.thread_count = 1
    for packet in clip.container.demux(track):
        second = packet_second(packet, second)
        if packet.size and plan.alone:
            if not packet.is_keyframe or second < due - _ROUNDING_SECONDS:
                continue
            due = second + plan.step
        try:
            frames = packet.decode()
            if plan.alone and packet.size:  # no other picture is waited for, nor kept for the next one
                frames += track.decode(None)
                track.codec_context.flush_buffers()
        except av.error.InvalidDataError:
            frames = None
        yield second - plan.begin, frames


def _frame(look: Look) -> Frame:
    file = BytesIO()
    look.image.save(file, "JPEG", quality=JPEG_QUALITY)
    digest = hashlib.sha256(f"{look.image.width}x{look.image.height}:".encode())
    digest.update(look.image.tobytes())
    return Frame(file.getvalue(), Identity(digest.hexdigest(), *look.size), look.second)
