"""One look at a photo, how many at once, and what is left in storage."""

import asyncio
from collections.abc import Callable
from contextlib import aclosing

import pytest

from mesh.errors import InvalidArgument, ResourceExhausted
from mesh.reasons import Reason
from tests.unit.vision.classify_parts import PHASES, ClassifyParts, terms
from vision_svc.classify import ClassifiedPhoto, Phase
from vision_svc.photos.locations import Outside, Stored

Encode = Callable[..., bytes]


async def test_phases_come_in_order_and_the_finding_last(phone: bytes) -> None:
    """What the client's progress bar shows."""
    *phases, finding = await ClassifyParts({"a": phone}).events(Stored("a"))
    assert phases == PHASES
    assert isinstance(finding, ClassifiedPhoto)
    assert (finding.photo.width, finding.photo.height) == (320, 200)


async def test_each_location_has_its_source(phone: bytes) -> None:
    """Nothing of ours is fetched over the internet, and nothing from there is stored."""
    parts = ClassifyParts({"key": phone}, outside=phone)
    await parts.events(Stored("key"))
    await parts.events(Outside("https://example.com/1"))
    assert (parts.storage.sent, parts.web.asked) == (["key"], ["https://example.com/1"])
    assert list(parts.storage.contents) == ["key"]


async def test_a_bad_photo_fails_in_its_phase_and_leaves_its_place() -> None:
    """The last phase seen is the one that failed, and the next photo can come in."""
    parts = ClassifyParts({"a": b"text"})
    for _ in range(2):
        async with parts.start("a") as events:
            assert [await anext(events), await anext(events)] == [Phase.FETCH, Phase.PREPARE]
            with pytest.raises(InvalidArgument) as caught:
                await anext(events)
        assert caught.value.reason is Reason.PHOTO_UNREADABLE


async def test_photos_wait_for_a_place(phone: bytes) -> None:
    """One place, three photos: all are looked at, and none is loaded before it has a place."""
    parts = ClassifyParts({"first": phone, "second": phone + b"2", "third": phone + b"3"}, queue=2)
    first = parts.classifier.classify(Stored("first"), terms())
    await anext(first)
    others = asyncio.gather(*(parts.events(Stored(key)) for key in ("second", "third")))
    await first.aclose()
    assert all(isinstance(events[-1], ClassifiedPhoto) for events in await others)
    assert parts.storage.sent == ["second", "third"]


async def test_batch_photos_give_way(phone: bytes) -> None:
    """One that nobody waits for has its place after one that came later, and the decoder is told, too."""
    keys = ("first", "batch", "second")
    parts = ClassifyParts({key: phone + key.encode() for key in keys}, queue=2)
    first = parts.classifier.classify(Stored("first"), terms())
    await anext(first)
    others = asyncio.gather(parts.events(Stored("batch"), batch=True), parts.events(Stored("second")))
    await asyncio.sleep(0)  # both wait
    await first.aclose()
    await others
    assert parts.storage.sent == ["second", "batch"]
    assert parts.batch == [False, True]


async def test_a_full_queue_sends_away(phone: bytes) -> None:
    """At once, with the time to come back."""
    parts = ClassifyParts({"inside": phone})
    async with parts.start("inside") as inside:
        await anext(inside)
        with pytest.raises(ResourceExhausted) as caught:
            await parts.events(Stored("outside"))
    assert caught.value.reason is Reason.LIMIT_EXCEEDED
    assert caught.value.retry_after


async def test_slow_strangers_do_not_hold_up_our_storage(phone: bytes) -> None:
    """Each source has its own places."""
    parts = ClassifyParts({"a": phone})
    async with aclosing(parts.classifier.classify(Outside("https://slow.example"), terms())) as stuck:
        await anext(stuck)
        assert isinstance((await parts.events(Stored("a")))[-1], ClassifiedPhoto)


async def test_a_slow_model_holds_no_place(phone: bytes) -> None:
    """A hosted model takes seconds; the places are for photos that are being loaded and cleaned."""
    parts = ClassifyParts({"slow": phone, "other": phone + b"2"})
    parts.model.go.clear()
    async with parts.start("slow") as slow:
        assert [await anext(slow) for _ in range(3)] == PHASES
        finding = asyncio.ensure_future(anext(slow))
        other = asyncio.ensure_future(parts.events(Stored("other")))
        parts.model.go.set()
        assert isinstance(await finding, ClassifiedPhoto)
        assert isinstance((await other)[-1], ClassifiedPhoto)
