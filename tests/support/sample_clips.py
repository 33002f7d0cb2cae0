"""Clips for the tests, made when they are needed: what phones and browsers film, and what attackers send."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cache
from io import BytesIO

import av
from av.audio.stream import AudioStream
from av.container.output import OutputContainer
from av.video.stream import VideoStream
from PIL import Image, ImageFilter

from tests.support.sample_photos import note, photograph

_QUICK = {
    "libx264": {"preset": "ultrafast", "tune": "zerolatency"},
    "libx265": {"preset": "ultrafast", "tune": "zerolatency", "x265-params": "log-level=none:pools=none"},
    "libvpx-vp9": {"deadline": "realtime", "cpu-used": "8"},
    "libvpx": {"deadline": "realtime", "cpu-used": "8"},
}
SCENE_SECONDS = 1.0
RATE = 10


@cache
def scene(number: int, size: tuple[int, int] = (320, 240)) -> Image.Image:
    """What is seen in a scene: a flower, a temple or a note."""
    photo = (photograph("flower.jpg"), photograph("china.jpg"), note())[number]
    return Image.open(BytesIO(photo)).convert("RGB").resize(size)


@cache
def panning(scenes: int = 3, size: tuple[int, int] = (320, 240)) -> Sequence[Image.Image]:
    """A second of each scene; of its ten frames only the fifth is sharp."""
    blurred = [scene(number, size).filter(ImageFilter.GaussianBlur(4)) for number in range(scenes)]
    return [scene(number, size) if index == 4 else blurred[number] for number in range(scenes) for index in range(RATE)]


@dataclass(frozen=True, slots=True)
class Film:
    """How a clip is written.

    Attributes:
        codec: FFmpeg's encoder.
        container: FFmpeg's muxer.
        layout: Of a picture's samples.
        every: Frames from one that can be decoded alone to the next.
        turned: Degrees by which players turn it, counter-clockwise.
        mirrored: Whether players mirror it.
        options: Of the muxer.
        prepare: Sets what else there is to set on the track.
    """

    codec: str = "libx264"
    container: str = "mp4"
    layout: str = "yuv420p"
    every: int = RATE
    turned: int = 0
    mirrored: bool = False
    options: Mapping[str, str] = field(default_factory=dict)
    prepare: Callable[[VideoStream], None] = lambda _: None


def film(frames: Sequence[Image.Image], how: Film | None = None, sound: bool = False) -> bytes:
    """A clip of these frames, ten a second.

    Args:
        frames: All of one size.
        how: How it is written.
        sound: Whether it has a track of silence as well.
    """
    how, (first, *more) = how or Film(), frames
    file = BytesIO()
    with av.open(file, "w", format=how.container, options=dict(how.options)) as out:
        track = added(out, how.codec, _QUICK[how.codec])
        track.width, track.height, track.pix_fmt = *first.size, how.layout
        track.codec_context.gop_size = how.every
        track.codec_context.thread_count = 1
        how.prepare(track)
        if how.turned or how.mirrored:
            track.set_display_rotation(how.turned, hflip=how.mirrored)
        voice = silent(out, "libopus" if how.container in {"webm", "matroska"} else "aac") if sound else None
        for picture in (first, *more):
            out.mux(track.encode(av.VideoFrame.from_image(picture)))  # type: ignore[no-untyped-call]
        out.mux(track.encode(None))
        if voice:
            speak(out, voice)
    return file.getvalue()


def added(out: OutputContainer, codec: str, options: Mapping[str, str] | None = None) -> VideoStream:
    """A track of pictures, ten a second."""
    track = out.add_stream(codec, rate=RATE, options=dict(options or {}))
    assert isinstance(track, VideoStream)
    return track


def silent(out: OutputContainer, codec: str) -> AudioStream:
    """A track of sound."""
    track = out.add_stream(codec, rate=48_000)
    assert isinstance(track, AudioStream)
    return track


def speak(out: OutputContainer, track: AudioStream) -> None:
    """A fiftieth of a second of silence."""
    frame = av.AudioFrame(format="fltp" if track.codec_context.name == "aac" else "flt", layout="mono", samples=960)
    frame.sample_rate, frame.pts = 48_000, 0
    for plane in frame.planes:
        plane.update(bytes(plane.buffer_size))
    out.mux(track.encode(frame))
    out.mux(track.encode(None))


@cache
def repeated(times: int, seconds: float, size: tuple[int, int] = (64, 64), alone: bool = True) -> bytes:
    """A clip of the same frame over and over, packed once.

    Args:
        times: How often.
        seconds: How long it lasts.
        size: Of the picture.
        alone: Whether each can be decoded alone; else only the first can.
    """
    source = av.open(BytesIO(film([Image.new("RGB", size, "teal")] * 3, Film("libvpx", "webm", every=100))), "r")
    file = BytesIO()
    with source, av.open(file, "w", format="matroska") as out:
        key, change, *_ = [bytes(packet) for packet in source.demux(video=0) if packet.size]
        track = out.add_stream_from_template(source.streams.video[0])
        for index in range(times):
            packet = av.Packet(key if alone or not index else change)
            packet.stream, packet.time_base = track, Fraction(1, 1_000_000)
            packet.pts = packet.dts = round(index * seconds * 1_000_000 / times)
            packet.is_keyframe = alone or not index
            out.mux(packet)
    return file.getvalue()


def unlike(jpeg: bytes, expected: Image.Image) -> float:
    """How far a photo is from what it should show, 0 to 255."""
    pictures = [picture.resize((32, 24)).tobytes() for picture in (Image.open(BytesIO(jpeg)), expected)]
    return sum(abs(one - other) for one, other in zip(*pictures, strict=True)) / len(pictures[0])
