"""Files named clips that are cut, lie, or are made to take a decoder's time, memory or files. Made when needed."""

import struct
from collections.abc import Callable, Mapping
from fractions import Fraction
from functools import cache
from io import BytesIO
from pathlib import Path
from types import MappingProxyType

import av
from PIL import Image

from tests.support.sample_clips import RATE, Film, added, film, panning, repeated, silent, speak
from tests.support.sample_photos import note


@cache
def _short() -> bytes:
    return film(panning(1))


@cache
def _webm() -> bytes:
    return film(panning(1), Film("libvpx-vp9", "webm"))


@cache
def _indexed_first() -> bytes:
    return film(panning(1), Film(options={"moov_size": "20000"}))


def _patched(clip: bytes, box: bytes, at: int, new: bytes) -> bytes:
    """The clip with other bytes so far behind a box's name, which has four."""
    place = clip.index(box) + 4 + at
    return clip[:place] + new + clip[place + len(new) :]


def _claims_hours() -> bytes:
    """Its head says that twelve hours are in the file; a second is."""
    return _patched(_webm(), b"\x44\x89", -1, struct.pack(">d", 1000 * 43_200.0))


def _claims_frames() -> bytes:
    """The table of sizes says that there are two billion samples of one size."""
    return _patched(_short(), b"stsz", 4, struct.pack(">II", 1, 0x7FFFFFFF))


@cache
def _giant(codec: str = "libx264", container: str = "mp4") -> bytes:
    return film([Image.new("RGB", (5120, 2880), "teal")], Film(codec, container))


def _hidden_giant() -> bytes:
    """The file says 64 x 64, the pictures in it are larger than any that are taken."""
    return _patched(_giant(), b"avc1", 24, struct.pack(">HH", 64, 64))


def _grown() -> bytes:
    """From the second frame on the pictures are giants."""
    small, large = film([Image.new("RGB", (64, 64), "teal")], Film("libvpx", "webm")), _giant("libvpx", "webm")
    file = BytesIO()
    with av.open(file, "w", format="matroska") as out:
        track = None
        for index, clip in enumerate((small, *[large] * 3)):
            with av.open(BytesIO(clip), "r") as source:
                track = track or out.add_stream_from_template(source.streams.video[0])
                packet = next(source.demux(video=0))
                packet.stream, packet.time_base = track, Fraction(1, RATE)
                packet.pts = packet.dts = index
                out.mux(packet)
    return file.getvalue()


def elsewhere(path: Path) -> bytes:
    """A clip whose pictures are said to be in another file, as an alias of the Macintosh says it; they are here too."""
    clip = film(panning(1), Film(options={"moov_size": "20000"}))
    name = str(path).encode()
    record = bytes(8 + 10) + bytes([27]) + bytes(27 + 12) + struct.pack(">HH", 1, 1) + bytes(16)
    record += struct.pack(">HH", 2, len(name)) + name + bytes(len(name) % 2) + struct.pack(">HH", 0xFFFF, 0)
    alias = struct.pack(">I4sI", 12 + len(record), b"alis", 0) + record
    place = clip.index(b"url \0\0\0\1") - 4
    return _inserted(clip, place, 12, alias)


def _inserted(clip: bytes, place: int, old: int, new: bytes) -> bytes:
    """The clip with something else at a place in its index; the boxes around it, and the room behind, fit again."""
    content, grown = bytearray(clip), len(new) - old
    for name in (b"dref", b"dinf", b"minf", b"mdia", b"trak", b"moov"):
        at = content.rindex(name, 0, place) - 4
        content[at : at + 4] = struct.pack(">I", struct.unpack_from(">I", content, at)[0] + grown)
    free = content.index(b"free", place) - 4
    room = struct.unpack_from(">I", content, free)[0]
    content[free : free + 4] = struct.pack(">I", room - grown)
    del content[free + 8 : free + 8 + grown]
    content[place : place + old] = new
    return bytes(content)


def _sound() -> bytes:
    """Sound, and nothing to see."""
    file = BytesIO()
    with av.open(file, "w", format="matroska") as out:
        speak(out, silent(out, "libopus"))
    return file.getvalue()


def _other_codec(codec: str, container: str) -> bytes:
    file = BytesIO()
    with av.open(file, "w", format=container) as out:
        track = added(out, codec)
        track.width, track.height, track.pix_fmt = 64, 64, "yuv420p"
        for _ in range(3):
            out.mux(track.encode(av.VideoFrame(64, 64, "yuv420p")))
        out.mux(track.encode(None))
    return file.getvalue()


def _encrypted() -> bytes:
    options = {
        "encryption_scheme": "cenc-aes-ctr",
        "encryption_key": "00112233445566778899aabbccddeeff",
        "encryption_kid": "00112233445566778899aabbccddeeff",
    }
    return film(panning(1), Film(options=options))


def _broken_pictures() -> bytes:
    """The index is whole, all that it points to is noise."""
    clip = bytearray(_indexed_first())
    begin = clip.index(b"mdat") + 4
    clip[begin:] = bytes((7 * place) % 251 for place in range(len(clip) - begin))
    return bytes(clip)


CLIPS: Mapping[str, tuple[Callable[[], bytes], str]] = MappingProxyType(
    {
        "no bytes": (lambda: b"", "VIDEO_EMPTY"),
        "words": (lambda: b"not a clip", "VIDEO_UNREADABLE"),
        "a photo": (note, "VIDEO_FORMAT"),
        "a playlist": (lambda: b"#EXTM3U\n#EXTINF:1,\nhttp://127.0.0.1/a.ts\n", "VIDEO_FORMAT"),
        "a list of files": (lambda: b"ffconcat version 1.0\nfile '/etc/passwd'\n", "VIDEO_FORMAT"),
        "a numbered name": (lambda: b"%05d.png", "VIDEO_UNREADABLE"),
        "AVI": (lambda: _other_codec("mpeg4", "avi"), "VIDEO_FORMAT"),
        "MPEG-TS": (lambda: film(panning(1), Film(container="mpegts")), "VIDEO_FORMAT"),
        "MJPEG in MOV": (lambda: _other_codec("mpeg4", "mov"), "VIDEO_FORMAT"),
        "sound alone": (_sound, "VIDEO_EMPTY"),
        "cut before its index": (lambda: _short()[:-200], "VIDEO_TRUNCATED"),
        "cut in the middle": (lambda: _indexed_first()[: len(_indexed_first()) // 2], "VIDEO_TRUNCATED"),
        "a cut WebM": (lambda: _webm()[: len(_webm()) // 2], "VIDEO_TRUNCATED"),
        "a head alone": (lambda: _webm()[:40], "VIDEO_TRUNCATED"),
        "noise for pictures": (_broken_pictures, "VIDEO_UNREADABLE"),
        "encrypted": (_encrypted, "VIDEO_PROTECTED"),
        "claims hours": (_claims_hours, "VIDEO_TOO_LONG"),
        "lasts hours": (lambda: repeated(10, 7200), "VIDEO_TOO_LONG"),
        "claims frames": (_claims_frames, "VIDEO_EMPTY"),
        "endless frames": (lambda: repeated(20_100, 50), "VIDEO_TOO_COMPLEX"),
        "frames without time": (lambda: repeated(20_100, 0), "VIDEO_TOO_COMPLEX"),
        "8K": (_giant, "VIDEO_TOO_LARGE"),
        "hides its size": (_hidden_giant, "VIDEO_TOO_LARGE"),
        "grows": (_grown, "VIDEO_TOO_LARGE"),
    }
)
"""By name: a clip that is refused, and why."""
