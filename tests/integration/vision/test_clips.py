"""The clips' decoder in its process: which frames it takes, what it refuses, and what its limits hold."""

import asyncio
import os
import sys
from collections.abc import Sequence
from contextlib import aclosing
from pathlib import Path

import psutil
import pytest

from mesh.errors import EcoError, Unavailable
from mesh.reasons import Reason
from tests.integration.vision.clip_bombs import CLIPS, elsewhere
from tests.support.sample_clips import Film, film, panning, repeated, scene, unlike
from tests.support.waiting import eventually
from vision_svc.clips import clip_decoder
from vision_svc.clips.clip_decoder import MEGABYTES, ClipDecoder
from vision_svc.clips.clips import Frame, Seen, demand_size
from vision_svc.photos.memfile import memfile

_PATIENT = ClipDecoder(2, seconds=60)

# A process that tells what it may do once it is confined, before it serves.
_TELLING = """
import json, os, resource, socket, sys
from vision_svc.clips import decoder
def tried(action):
    try:
        action()
    except OSError as error:
        return error.strerror
    return "done"
def told(wire, descriptor, size, most):
    limits = {name: resource.getrlimit(getattr(resource, name))[0] for name in ("RLIMIT_AS", "RLIMIT_CORE")}
    os.dup(0)  # what is left is for one
    facts = {
        "file": tried(lambda: os.open("/etc/hostname", os.O_RDONLY)),
        "socket": tried(socket.socket),
        "keys": [name for name in os.environ if name != "LC_CTYPE" and not name.startswith("MALLOC_")],
        "heavy": sorted({"grpc", "numpy", "google", "obstore"} & set(sys.modules)),
        "niceness": os.nice(0),
        **limits,
    }
    return {"reason": "VIDEO_UNREADABLE", "metadata": {"facts": json.dumps(facts)}}
decoder._extracted = told
decoder.main(*map(int, sys.argv[1:]))
"""


async def _frames(clip: bytes, most: int = 5, decoder: ClipDecoder = _PATIENT) -> Sequence[Frame]:
    with memfile(demand_size) as file:
        file.write(clip)
        async with aclosing(decoder.extract(file, most)) as events:
            return [event async for event in events if not isinstance(event, Seen)][-1]


def _endless() -> bytes:
    """Half a minute of CPU."""
    return repeated(3000, 50, (1920, 1080), alone=False)


async def test_a_clip_passes_under_the_limits() -> None:
    """A library that still had to open a file of its own would fail here."""
    frames = await _frames(film(panning(3), Film("libx265", "mov")))
    assert [frame.second for frame in frames] == [0.4, 1.4, 2.4]
    assert all(unlike(frame.jpeg, scene(number)) < 8 for number, frame in enumerate(frames))


@pytest.mark.slow
@pytest.mark.parametrize("name", CLIPS)
async def test_each_hostile_clip_ends_with_its_reason(name: str) -> None:
    """Under the limits, none of which any of them meets."""
    make, expected = CLIPS[name]
    with pytest.raises(EcoError) as caught:
        await _frames(make())
    assert caught.value.reason == expected


async def test_what_a_clip_says_is_elsewhere_is_not_opened(tmp_path: Path) -> None:
    """Opening a pipe that nobody writes to would wait for ever."""
    os.mkfifo(pipe := tmp_path / "elsewhere.mov")
    (frame,) = await _frames(elsewhere(pipe))
    assert unlike(frame.jpeg, scene(0)) < 8


@pytest.mark.slow
async def test_a_clip_that_takes_too_long_fails_alone() -> None:
    """Of its three thousand pictures only the first can be decoded alone."""
    slow = asyncio.create_task(_frames(_endless(), decoder=ClipDecoder(1, seconds=1)))
    assert len(await _frames(film(panning(1)))) == 1
    with pytest.raises(EcoError) as caught:
        await slow
    assert (caught.value.reason, caught.value.metadata) == (Reason.VIDEO_TOO_COMPLEX, {"limit": "1 s"})


@pytest.mark.slow
async def test_a_clip_that_takes_too_much_memory_is_refused() -> None:
    """The process meets its own limit, and nobody else's. So few megabytes are for a picture or two."""
    status = "import vision_svc.clips.decoder; print(open('/proc/self/status').read())"
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", status, stdout=asyncio.subprocess.PIPE)
    output, _ = await process.communicate()
    taken = next(int(line.split()[1]) >> 10 for line in output.splitlines() if line.startswith(b"VmSize"))
    with pytest.raises(EcoError) as caught:
        await _frames(_endless(), decoder=ClipDecoder(1, 60, megabytes=taken + 5))
    assert (caught.value.reason, caught.value.metadata) == (Reason.VIDEO_TOO_COMPLEX, {"limit": "memory"})


async def test_the_process_is_confined(monkeypatch: pytest.MonkeyPatch) -> None:
    """No file, no connection, no key, nothing of the service's, and it gives way to others."""
    monkeypatch.setattr(clip_decoder, "_COMMAND", (sys.executable, "-c", _TELLING))
    with pytest.raises(EcoError) as caught:
        await _frames(film(panning(1)))
    facts = caught.value.metadata["facts"]
    assert '"file": "Too many open files", "socket": "Too many open files", "keys": [], "heavy": []' in facts
    assert f'"niceness": {min(19, os.nice(0) + 10)}, "RLIMIT_AS": {MEGABYTES << 20}, "RLIMIT_CORE": 0' in facts


async def test_two_kills_are_an_outage_not_a_bad_clip(monkeypatch: pytest.MonkeyPatch) -> None:
    """The clip may be good: the job tries again later."""
    monkeypatch.setattr(clip_decoder, "_COMMAND", ("sh", "-c", "kill -9 $$"))
    with pytest.raises(Unavailable):
        await _frames(film(panning(1)))


@pytest.mark.slow
async def test_a_clip_given_up_leaves_no_process() -> None:
    """Nor one that was looked through."""
    await _frames(film(panning(1)))
    looking = asyncio.create_task(_frames(_endless()))
    await eventually(_working)
    looking.cancel()
    await asyncio.gather(looking, return_exceptions=True)
    assert not _children()


async def _working() -> bool:
    return bool(_children())


def _children() -> list[psutil.Process]:
    return [child for child in psutil.Process().children() if "vision_svc.clips.decoder" in child.cmdline()]
