"""One look at a photo, and how many at once."""

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing

import pytest
from PIL import Image

from mesh.errors import InvalidArgument, Reason, ResourceExhausted
from vision_svc.admission import Admission
from vision_svc.classification import UNKNOWN, Classification
from vision_svc.examination import Examiner, Finding, Lane, Phase
from vision_svc.locations import Location, Outside, Stored

Encode = Callable[..., bytes]


class _Source:
    """Answers every address with one file."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self.asked: list[str] = []

    async def load(self, address: str) -> bytes:
        self.asked.append(address)
        return self._content


def _classify(pixels: object) -> Classification:
    return Classification(UNKNOWN, 0.0, (), "fake", "fake")


@pytest.fixture
def cpu() -> Iterator[ThreadPoolExecutor]:
    """A thread for CPU work."""
    with ThreadPoolExecutor(1) as threads:
        yield threads


def _examiner(cpu: ThreadPoolExecutor, source: _Source, outside: _Source | None = None, *, queue: int = 0) -> Examiner:
    other = outside or source
    return Examiner(Lane(source, Admission(1, queue)), Lane(other, Admission(1, queue)), _classify, cpu)


async def _events(examiner: Examiner, location: Location) -> list[Phase | Finding]:
    async with aclosing(examiner.examine(location)) as events:
        return [event async for event in events]


async def test_phases_come_in_order_and_the_finding_last(
    cpu: ThreadPoolExecutor, encode: Encode, quarters: Image.Image
) -> None:
    """What the client's progress bar shows."""
    *phases, finding = await _events(_examiner(cpu, _Source(encode(quarters))), Stored("a"))
    assert phases == [Phase.FETCH, Phase.PREPARE, Phase.CLASSIFY]
    assert isinstance(finding, Finding)
    assert (finding.photo.width, finding.photo.height) == (320, 200)


async def test_each_location_has_its_source(cpu: ThreadPoolExecutor, encode: Encode, quarters: Image.Image) -> None:
    """Nothing of ours is fetched over the internet."""
    ours, outside = _Source(encode(quarters)), _Source(encode(quarters))
    examiner = _examiner(cpu, ours, outside)
    await _events(examiner, Stored("key"))
    await _events(examiner, Outside("https://example.com/1"))
    assert (ours.asked, outside.asked) == (["key"], ["https://example.com/1"])


async def test_a_bad_photo_fails_in_its_phase_and_leaves_its_place(cpu: ThreadPoolExecutor) -> None:
    """The last phase seen is the one that failed, and the next photo can come in."""
    examiner = _examiner(cpu, _Source(b"text"))
    for _ in range(2):
        async with aclosing(examiner.examine(Stored("a"))) as events:
            assert [await anext(events), await anext(events)] == [Phase.FETCH, Phase.PREPARE]
            with pytest.raises(InvalidArgument) as caught:
                await anext(events)
        assert caught.value.reason is Reason.PHOTO_UNREADABLE


async def test_photos_wait_for_a_place(cpu: ThreadPoolExecutor, encode: Encode, quarters: Image.Image) -> None:
    """One place, three photos: all are looked at, and none is loaded before it has a place."""
    source = _Source(encode(quarters))
    examiner = _examiner(cpu, source, queue=2)
    first = examiner.examine(Stored("first"))
    await anext(first)
    others = asyncio.gather(*(_events(examiner, Stored(key)) for key in ("second", "third")))
    await first.aclose()
    assert all(isinstance(events[-1], Finding) for events in await others)
    assert source.asked == ["second", "third"]


async def test_a_full_queue_sends_away(cpu: ThreadPoolExecutor, encode: Encode, quarters: Image.Image) -> None:
    """At once, with the time to come back."""
    examiner = _examiner(cpu, _Source(encode(quarters)), queue=0)
    async with aclosing(examiner.examine(Stored("inside"))) as inside:
        await anext(inside)
        with pytest.raises(ResourceExhausted) as caught:
            await _events(examiner, Stored("outside"))
    assert caught.value.reason is Reason.LIMIT_EXCEEDED
    assert caught.value.retry_after


async def test_slow_strangers_do_not_hold_up_our_storage(
    cpu: ThreadPoolExecutor, encode: Encode, quarters: Image.Image
) -> None:
    """Each source has its own places."""
    examiner = _examiner(cpu, _Source(encode(quarters)), _Source(b""), queue=0)
    async with aclosing(examiner.examine(Outside("https://slow.example"))) as stuck:
        await anext(stuck)
        assert isinstance((await _events(examiner, Stored("a")))[-1], Finding)
