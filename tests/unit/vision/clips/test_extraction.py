"""Which frames are taken out of a clip, and which clips are refused; here without the limits of a process."""

import os
from collections.abc import Sequence
from io import BytesIO

import pytest
from PIL import Image

from mesh.errors import InvalidArgument
from mesh.locale import Locale
from tests.integration.vision.clip_bombs import CLIPS
from tests.support.sample_clips import Film, film, panning, repeated, scene, unlike
from vision_svc.clips.clips import Frame, Seen
from vision_svc.clips.container import File
from vision_svc.clips.extraction import extract

# Seconds each: sizes that must be decoded to be seen, and 20,000 frames.
_HEAVY = ("endless frames", "frames without time", "8K", "hides its size", "grows")


def frames_of(clip: bytes, most: int = 5, told: list[Seen] | None = None) -> Sequence[Frame]:
    """The frames of a clip."""
    descriptor = os.memfd_create("clip")
    try:
        os.write(descriptor, clip)
        return extract(File(descriptor, len(clip)), most, (told if told is not None else []).append)
    finally:
        os.close(descriptor)


def _image(frame: Frame) -> Image.Image:
    return Image.open(BytesIO(frame.jpeg))


@pytest.mark.parametrize(
    "how",
    [
        Film("libx264", "mp4"),
        Film("libx264", "mp4", options={"movflags": "frag_keyframe+empty_moov"}),
        Film("libx264", "mov", every=1000),
        Film("libx265", "mp4"),
        Film("libx265", "mov", "yuv420p10le"),
        Film("libvpx-vp9", "webm"),
        Film("libvpx-vp9", "matroska", every=1000),
        Film("libvpx", "webm"),
    ],
    ids=["h264", "fragments", "one-key", "hevc", "hevc-10-bit", "vp9", "vp9-one-key", "vp8"],
)
def test_the_sharpest_frame_of_each_scene_is_taken(how: Film) -> None:
    """Whatever the codec and the container, beside sound; two seconds of blur around each cost nothing."""
    frames = frames_of(film(panning(3), how, sound=True))
    assert [frame.second for frame in frames] == pytest.approx([0.4, 1.4, 2.4], abs=0.03)
    for number, frame in enumerate(frames):
        image = _image(frame)
        assert (image.format, image.size) == ("JPEG", (320, 240))
        assert (frame.identity.width, frame.identity.height) == (320, 240)
        assert unlike(frame.jpeg, scene(number)) < 8


@pytest.mark.parametrize("most", [1, 2])
def test_no_more_frames_than_were_asked_for(most: int) -> None:
    """Each costs a look by a model."""
    assert len(frames_of(film(panning(3)), most)) == most


def test_one_thing_is_one_frame() -> None:
    """However long it is filmed."""
    assert len(frames_of(repeated(200, 60.0, (320, 240)))) == 1


@pytest.mark.parametrize(
    ("turned", "mirrored", "expected"),
    [
        (90, False, Image.Transpose.ROTATE_90),
        (180, False, Image.Transpose.ROTATE_180),
        (270, False, Image.Transpose.ROTATE_270),
        (0, True, Image.Transpose.FLIP_LEFT_RIGHT),
    ],
    ids=["90", "180", "270", "mirrored"],
)
def test_a_clip_is_turned_as_players_turn_it(turned: int, mirrored: bool, expected: Image.Transpose) -> None:
    """Phones write how they were held; front cameras mirror."""
    (frame,) = frames_of(film([scene(1)] * 2, Film(turned=turned, mirrored=mirrored)))
    upright = scene(1).transpose(expected)
    assert (frame.identity.width, frame.identity.height) == upright.size
    assert unlike(frame.jpeg, upright) < 8


@pytest.mark.parametrize("size", [(322, 242), (34, 18), (16, 640)], ids=["odd", "tiny", "narrow"])
def test_odd_sizes_are_taken(size: tuple[int, int]) -> None:
    """A codec's blocks are padded; the frame isn't."""
    (frame,) = frames_of(film([scene(0, size)] * 2, Film("libvpx-vp9", "webm")))
    assert _image(frame).size == size


def test_a_large_clip_is_scaled_down() -> None:
    """As photos are."""
    (frame,) = frames_of(film([scene(2, (1920, 1080))] * 2))
    assert (_image(frame).size, frame.identity.width) == ((1024, 576), 1920)


def test_how_far_a_clip_was_looked_through_is_told() -> None:
    """Every few seconds, so that people see that something is done."""
    told: list[Seen] = []
    frames_of(repeated(120, 60.0), told=told)
    assert [round(seen.second) for seen in told] == sorted({round(seen.second) for seen in told})
    assert len(told) == pytest.approx(16, abs=3)
    assert round(told[-1].seconds) == 60


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow) if name in _HEAVY else name for name in CLIPS]
)
def test_each_hostile_clip_ends_with_its_reason(name: str) -> None:
    """And the text that goes with it has no gap in either language."""
    make, expected = CLIPS[name]
    with pytest.raises(InvalidArgument) as caught:
        frames_of(make())
    assert caught.value.reason == expected
    assert not [text for text in map(caught.value.text, Locale) if "()" in text or "  " in text]


@pytest.mark.parametrize("kept", [0.95, 0.999])
def test_a_little_may_be_missing_at_the_end(kept: float) -> None:
    """As of a photo: the rest is as good as whole."""
    clip = film(panning(1), Film("libvpx-vp9", "webm"))
    (frame,) = frames_of(clip[: int(len(clip) * kept)])
    assert unlike(frame.jpeg, scene(0)) < 8
