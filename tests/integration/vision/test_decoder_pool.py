"""The decoder's processes: what they stand, and what becomes of a photo that kills one."""

import asyncio
import sys
from collections.abc import AsyncIterator, Iterator
from io import BytesIO
from pathlib import Path

import pillow_heif
import psutil
import pytest
from PIL import Image

from mesh.errors import EcoError, InvalidArgument, Unavailable
from mesh.reasons import Reason
from tests.integration.vision.bombs import BOMBS, gps, jpeg_of_scans
from vision_svc.photos.decoder_pool import MEGABYTES, DecoderPool, open_decoder_pool
from vision_svc.photos.memfile import MemFile, memfile
from vision_svc.photos.photos import Photo

# A decoder with a hole, which photos of more than 500 bytes find.
_CRASHED_BY_LARGE_PHOTOS = """
import os, signal, sys
from vision_svc.photos import decoder
answer = decoder._answer
decoder._answer = lambda file, size, *side: (
    os.kill(os.getpid(), signal.SIGSEGV) if size > 500 else answer(file, size, *side)
)
decoder.main(*map(int, sys.argv[1:]))
"""

_RESIDENT_LIMIT = MEGABYTES << 20


def _photo(form: str = "JPEG") -> bytes:
    file = BytesIO()
    image = Image.new("RGB", (640, 480), "teal")
    if form == "HEIC":
        pillow_heif.from_pillow(image).save(file)
    else:
        image.save(file, form, exif=gps())
    return file.getvalue()


def _children() -> set[psutil.Process]:
    """The decoders of this process."""
    return {child for child in psutil.Process().children() if "vision_svc.photos.decoder" in child.cmdline()}


def _kill_idle() -> None:
    for process in _children():
        process.kill()
        process.wait()


@pytest.fixture
async def decoders() -> AsyncIterator[DecoderPool]:
    """Two, with little patience."""
    async with open_decoder_pool(2, seconds=2) as opened:
        yield opened


@pytest.fixture
async def patient_decoders() -> AsyncIterator[DecoderPool]:
    """Two that have all the time they need to start on a busy machine."""
    async with open_decoder_pool(2, seconds=30) as opened:
        yield opened


@pytest.fixture
def file() -> Iterator[MemFile]:
    """A photo, loaded."""
    with memfile() as opened:
        opened.write(_photo())
        yield opened


async def _clean(decoders: DecoderPool, content: bytes) -> Photo:
    with memfile() as file:
        file.write(content)
        return await decoders.clean(file)


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "HEIC"])
async def test_each_format_passes_under_the_limits(decoders: DecoderPool, form: str) -> None:
    """A library that still had to open a file of its own would fail here."""
    photo = await _clean(decoders, _photo(form))
    with Image.open(BytesIO(photo.jpeg)) as copy:
        assert (copy.format, copy.size) == ("JPEG", (640, 480))
        assert not copy.getexif()


@pytest.mark.parametrize(("size", "expected"), [((640, 480), (96, 72)), ((30, 400), (7, 96)), ((20, 10), (20, 10))])
async def test_a_thumbnail_is_small(
    patient_decoders: DecoderPool, size: tuple[int, int], expected: tuple[int, int]
) -> None:
    """As wide or high as asked for, never enlarged; and the next photo is cleaned as ever."""
    plain = BytesIO()
    Image.new("RGB", size, "teal").save(plain, "JPEG", comment=b"secret")
    with memfile() as file:
        file.write(plain.getvalue())
        thumbnail = await patient_decoders.thumbnail(file, 96)
    with Image.open(BytesIO(thumbnail)) as shown:
        assert (shown.format, shown.size, shown.mode) == ("JPEG", expected, "RGB")
    assert b"secret" not in thumbnail
    assert (await _clean(patient_decoders, _photo())).identity.width == 640


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"no picture", Reason.PHOTO_UNREADABLE), (_photo("PNG"), Reason.PHOTO_UNREADABLE),
     (_photo()[:400], Reason.PHOTO_TRUNCATED), (b"", Reason.PHOTO_EMPTY)],
    ids=["text", "PNG", "cut", "empty"],
)  # fmt: skip
async def test_only_of_clean_copies_there_are_thumbnails(
    patient_decoders: DecoderPool, content: bytes, reason: Reason
) -> None:
    """What isn't one is refused, whatever else could read it."""
    with memfile() as file:
        file.write(content)
        with pytest.raises(InvalidArgument) as caught:
            await patient_decoders.thumbnail(file, 96)
    assert caught.value.reason is reason


@pytest.mark.parametrize("name", BOMBS)
async def test_each_bomb_ends_with_its_reason(decoders: DecoderPool, name: str) -> None:
    """And the next photo is served, and no process has grown beyond its limit."""
    make, expected = BOMBS[name]
    reason = ""
    watched = _children()
    try:
        await _clean(decoders, make())
    except EcoError as error:
        reason = error.reason
    assert reason == expected
    assert all(_peak(process) < _RESIDENT_LIMIT for process in watched if process.is_running())
    assert (await _clean(decoders, _photo())).identity.width == 640


def _peak(process: psutil.Process) -> int:
    """The most memory it ever had, in bytes."""
    status = Path(f"/proc/{process.pid}/status").read_text(encoding="ascii")
    return next(int(line.split()[1]) << 10 for line in status.splitlines() if line.startswith("VmHWM"))


async def test_the_service_itself_holds_none_of_it(decoders: DecoderPool) -> None:
    """A photo lies in a file in memory, and its pixels in the decoder."""
    before = psutil.Process().memory_info().rss
    big = BytesIO()
    Image.new("RGB", (7000, 7000), "teal").save(big, "PNG")
    grown = psutil.Process().memory_info().rss - before
    await _clean(decoders, big.getvalue())
    assert psutil.Process().memory_info().rss - before - grown < 20 << 20


async def test_a_photo_that_takes_too_long_fails_alone(decoders: DecoderPool) -> None:
    """Another one, beside it, doesn't notice."""
    slow = asyncio.create_task(_clean(decoders, jpeg_of_scans(20_000)))
    assert (await _clean(decoders, _photo())).identity.width == 640
    with pytest.raises(InvalidArgument) as caught:
        await slow
    assert caught.value.reason is Reason.PHOTO_TOO_COMPLEX
    assert caught.value.metadata == {"limit": "2 s"}


async def test_a_killed_idle_decoder_is_replaced(decoders: DecoderPool, file: MemFile) -> None:
    """By the system for want of memory, or by hand."""
    _kill_idle()
    assert (await decoders.clean(file)).identity.width == 640


async def test_a_photo_whose_decoder_was_killed_gets_another(decoders: DecoderPool) -> None:
    """It may have been another process' fault."""
    (process,) = _children()
    process.suspend()
    cleaning = asyncio.create_task(_clean(decoders, _photo()))
    await asyncio.sleep(0)  # it has been handed over
    process.kill()
    assert (await cleaning).identity.width == 640


async def test_two_kills_are_an_outage_not_a_bad_photo(decoders: DecoderPool, monkeypatch: pytest.MonkeyPatch) -> None:
    """The stage tries again later; the photo may be good."""
    monkeypatch.setattr("vision_svc.photos.decoder_pool._COMMAND", ("sh", "-c", "kill -9 $$"))
    _kill_idle()
    with pytest.raises(Unavailable) as caught:
        await _clean(decoders, _photo())
    assert caught.value.metadata["peer"] == "decoder"


async def test_a_photo_that_crashes_two_decoders_is_unreadable(
    patient_decoders: DecoderPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would crash the third as well; ours doesn't."""
    monkeypatch.setattr("vision_svc.photos.decoder_pool._COMMAND", (sys.executable, "-c", _CRASHED_BY_LARGE_PHOTOS))
    _kill_idle()
    with pytest.raises(InvalidArgument) as caught:
        await _clean(patient_decoders, _photo())
    assert caught.value.reason is Reason.PHOTO_UNREADABLE
    await patient_decoders.demand_working()


async def test_a_photo_is_not_blamed_for_decoders_that_cannot_start(
    patient_decoders: DecoderPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It waits until they can again, and so does the service's health."""
    await patient_decoders.demand_working()
    with monkeypatch.context() as broken:
        broken.setattr("vision_svc.photos.decoder_pool._COMMAND", ("sh", "-c", "exit 1"))
        _kill_idle()
        with pytest.raises(Unavailable) as caught:
            await _clean(patient_decoders, _photo())
        assert caught.value.metadata["peer"] == "decoder"
        with pytest.raises(Unavailable):
            await patient_decoders.demand_working()
    await patient_decoders.demand_working()
    assert (await _clean(patient_decoders, _photo())).identity.width == 640


async def test_a_cancelled_scan_leaves_no_answer_for_the_next_one(decoders: DecoderPool) -> None:
    """Its decoder goes with it."""
    cleaning = asyncio.create_task(_clean(decoders, jpeg_of_scans(20_000)))
    await asyncio.sleep(0)
    cleaning.cancel()
    with pytest.raises(asyncio.CancelledError):
        await cleaning
    assert (await _clean(decoders, _photo())).identity.width == 640


async def test_the_decoder_knows_none_of_our_keys(decoders: DecoderPool) -> None:
    """What has been taken over can't tell them."""
    (process,) = _children()
    assert not [name for name in process.environ() if name.startswith(("ECO2_", "AWS_", "OPENAI_"))]


async def test_no_process_is_left_behind(file: MemFile) -> None:
    """However many there were."""
    async with open_decoder_pool(2, seconds=5) as decoders:
        await asyncio.gather(*(decoders.clean(file) for _ in range(4)))
        assert 1 <= len(_children()) <= 2
    assert not _children()
