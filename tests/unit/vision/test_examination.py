"""One look at a photo, and how many at once."""

import asyncio
import math
import os
from collections.abc import Callable
from contextlib import aclosing
from io import BytesIO

import pytest
from PIL import Image

from mesh.errors import InvalidArgument, Reason, ResourceExhausted
from mesh.models.bill import Terms
from vision_svc.admission import Admission
from vision_svc.classification import UNKNOWN, Classification
from vision_svc.cleaning import clean
from vision_svc.examination import Classify, Examiner, Finding, Lane, Phase
from vision_svc.locations import Location, Outside, Stored
from vision_svc.photos import Photo
from vision_svc.spool import Spool

Encode = Callable[..., bytes]

_TERMS = Terms("mina", math.inf)


class _Source:
    """Answers every address with one file."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self.asked: list[str] = []

    async def load(self, address: str, into: Spool) -> None:
        self.asked.append(address)
        into.write(self._content)


async def _clean(file: Spool) -> Photo:
    return clean(BytesIO(os.pread(file.descriptor, len(file), 0)), len(file))


async def _classify(photo: Photo, terms: Terms) -> Classification:
    return Classification(UNKNOWN, 0.0, (), "fake", "fake")


def _examiner(
    source: _Source, outside: _Source | None = None, *, queue: int = 0, classify: Classify = _classify
) -> Examiner:
    other = outside or source
    return Examiner(Lane(source, Admission(1, queue)), Lane(other, Admission(1, queue)), _clean, classify)


async def _events(examiner: Examiner, location: Location) -> list[Phase | Finding]:
    async with aclosing(examiner.examine(location, _TERMS)) as events:
        return [event async for event in events]


async def test_phases_come_in_order_and_the_finding_last(encode: Encode, quarters: Image.Image) -> None:
    """What the client's progress bar shows."""
    *phases, finding = await _events(_examiner(_Source(encode(quarters))), Stored("a"))
    assert phases == [Phase.FETCH, Phase.PREPARE, Phase.CLASSIFY]
    assert isinstance(finding, Finding)
    assert (finding.photo.width, finding.photo.height) == (320, 200)


async def test_each_location_has_its_source(encode: Encode, quarters: Image.Image) -> None:
    """Nothing of ours is fetched over the internet."""
    ours, outside = _Source(encode(quarters)), _Source(encode(quarters))
    examiner = _examiner(ours, outside)
    await _events(examiner, Stored("key"))
    await _events(examiner, Outside("https://example.com/1"))
    assert (ours.asked, outside.asked) == (["key"], ["https://example.com/1"])


async def test_a_bad_photo_fails_in_its_phase_and_leaves_its_place() -> None:
    """The last phase seen is the one that failed, and the next photo can come in."""
    examiner = _examiner(_Source(b"text"))
    for _ in range(2):
        async with aclosing(examiner.examine(Stored("a"), _TERMS)) as events:
            assert [await anext(events), await anext(events)] == [Phase.FETCH, Phase.PREPARE]
            with pytest.raises(InvalidArgument) as caught:
                await anext(events)
        assert caught.value.reason is Reason.PHOTO_UNREADABLE


async def test_photos_wait_for_a_place(encode: Encode, quarters: Image.Image) -> None:
    """One place, three photos: all are looked at, and none is loaded before it has a place."""
    source = _Source(encode(quarters))
    examiner = _examiner(source, queue=2)
    first = examiner.examine(Stored("first"), _TERMS)
    await anext(first)
    others = asyncio.gather(*(_events(examiner, Stored(key)) for key in ("second", "third")))
    await first.aclose()
    assert all(isinstance(events[-1], Finding) for events in await others)
    assert source.asked == ["second", "third"]


async def test_a_full_queue_sends_away(encode: Encode, quarters: Image.Image) -> None:
    """At once, with the time to come back."""
    examiner = _examiner(_Source(encode(quarters)), queue=0)
    async with aclosing(examiner.examine(Stored("inside"), _TERMS)) as inside:
        await anext(inside)
        with pytest.raises(ResourceExhausted) as caught:
            await _events(examiner, Stored("outside"))
    assert caught.value.reason is Reason.LIMIT_EXCEEDED
    assert caught.value.retry_after


async def test_slow_strangers_do_not_hold_up_our_storage(encode: Encode, quarters: Image.Image) -> None:
    """Each source has its own places."""
    examiner = _examiner(_Source(encode(quarters)), _Source(b""), queue=0)
    async with aclosing(examiner.examine(Outside("https://slow.example"), _TERMS)) as stuck:
        await anext(stuck)
        assert isinstance((await _events(examiner, Stored("a")))[-1], Finding)


async def test_a_slow_model_holds_no_place(encode: Encode, quarters: Image.Image) -> None:
    """A hosted model takes seconds; the places are for photos that are being loaded and cleaned."""
    answer = asyncio.Event()

    async def classify(photo: Photo, terms: Terms) -> Classification:
        await answer.wait()
        return await _classify(photo, terms)

    examiner = _examiner(_Source(encode(quarters)), queue=0, classify=classify)
    async with aclosing(examiner.examine(Stored("slow"), _TERMS)) as slow:
        assert [await anext(slow) for _ in range(3)][-1] is Phase.CLASSIFY
        finding = asyncio.ensure_future(anext(slow))
        other = asyncio.ensure_future(_events(examiner, Stored("other")))
        answer.set()
        assert isinstance(await finding, Finding)
        assert isinstance((await other)[-1], Finding)
