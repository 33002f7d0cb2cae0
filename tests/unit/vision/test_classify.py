"""One look at a photo, how many at once, and what is left in storage."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from io import BytesIO

import pytest
from PIL import ExifTags, Image

from mesh.errors import EcoError, FailedPrecondition, InvalidArgument, NotFound, ResourceExhausted, Unavailable
from mesh.models.usage import Terms, Usage, settled
from mesh.reasons import Reason
from tests.support.sample_storage import SampleStorage
from vision_svc.classifiers.cache import Cache, CachedClassifier
from vision_svc.classifiers.classification import UNKNOWN, Classification, ClassificationOutcome
from vision_svc.classifiers.fallback_chain import FallbackChain
from vision_svc.classify import ClassifiedPhoto, KnownFile, Phase, PhotoClassifier, PhotoSource
from vision_svc.photos.bulkhead import Bulkhead
from vision_svc.photos.cleaning import clean
from vision_svc.photos.locations import Location, Outside, Stored
from vision_svc.photos.memfile import MemFile
from vision_svc.photos.photos import Photo
from vision_svc.photos.storage import PhotoStorage

Encode = Callable[..., bytes]

_PHASES = [Phase.FETCH, Phase.PREPARE, Phase.CLASSIFY]


class _Web:
    """Answers every address with one file."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self.asked: list[str] = []

    async def load(self, address: str, into: MemFile) -> None:
        self.asked.append(address)
        into.write(self._content)


class _Eye:
    """Counts how often it looks; waits for a word if it is given one."""

    name = version = "eye"

    def __init__(self, outcome: ClassificationOutcome = ClassificationOutcome.SURE) -> None:
        self.looks = 0
        self.go = asyncio.Event()
        self.go.set()
        self._outcome = outcome

    async def classify(self, photo: Photo, terms: Terms) -> Classification:
        await self.go.wait()
        self.looks += 1
        return Classification(UNKNOWN, 0.0, (), "fake", "fake", outcome=self._outcome)


class _Moody(_Eye):
    """Comes to the same whenever it looks, for money."""

    def __init__(self, outcome: Classification | EcoError) -> None:
        super().__init__()
        self._comes_to = outcome

    async def classify(self, photo: Photo, terms: Terms) -> Classification:
        self.looks += 1
        terms.bill.add(Usage("fake", cost_micro_usd=7))
        if isinstance(self._comes_to, EcoError):
            raise settled(self._comes_to)
        return self._comes_to


class _Room:
    """An classifier, and what it works with."""

    def __init__(
        self, photos: Mapping[str, bytes], *, queue: int = 0, outside: bytes = b"", eye: _Eye | None = None
    ) -> None:
        self.storage, self.web, self.eye = SampleStorage(photos), _Web(outside), eye or _Eye()
        self.cleaned = 0
        self.classifier = PhotoClassifier(
            PhotoSource(PhotoStorage(self.storage), Bulkhead(1, queue)),
            PhotoSource(self.web, Bulkhead(1, queue)),
            self._clean,
            FallbackChain([CachedClassifier(self.eye, Cache(None, "", Classification))]),
            Cache(None, "", KnownFile),
        )

    async def _clean(self, file: MemFile) -> Photo:
        self.cleaned += 1
        return clean(BytesIO(file.content()), len(file))

    async def events(self, location: Location) -> list[Phase | ClassifiedPhoto]:
        async with aclosing(self.classifier.classify(location, _terms())) as events:
            return [event async for event in events]

    def start(self, key: str) -> aclosing[AsyncGenerator[Phase | ClassifiedPhoto, None]]:
        return aclosing(self.classifier.classify(Stored(key), _terms()))


def _terms() -> Terms:
    return Terms("nobody", 10.0)


@pytest.fixture
def phone(encode: Encode, quarters: Image.Image) -> bytes:
    """As a phone takes it: with the place."""
    exif = Image.Exif()
    exif.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLatitude] = (37.0, 33.0, 58.0)
    exif[ExifTags.Base.Make] = "Phone"
    return encode(quarters, exif=exif)


async def test_phases_come_in_order_and_the_finding_last(phone: bytes) -> None:
    """What the client's progress bar shows."""
    *phases, finding = await _Room({"a": phone}).events(Stored("a"))
    assert phases == _PHASES
    assert isinstance(finding, ClassifiedPhoto)
    assert (finding.photo.width, finding.photo.height) == (320, 200)


async def test_each_location_has_its_source(phone: bytes) -> None:
    """Nothing of ours is fetched over the internet, and nothing from there is stored."""
    room = _Room({"key": phone}, outside=phone)
    await room.events(Stored("key"))
    await room.events(Outside("https://example.com/1"))
    assert (room.storage.sent, room.web.asked) == (["key"], ["https://example.com/1"])
    assert list(room.storage.contents) == ["key"]


async def test_nothing_but_pixels_stays_in_storage(phone: bytes) -> None:
    """The place where somebody lives was in the original."""
    room = _Room({"a": phone})
    await room.events(Stored("a"))
    content, _ = room.storage.contents["a"]
    assert b"Phone" in phone
    assert b"Phone" not in content
    with Image.open(BytesIO(content)) as copy:
        assert (copy.format, copy.size, dict(copy.getexif())) == ("JPEG", (320, 200), {})


async def test_a_clean_copy_is_not_cleaned_again(phone: bytes) -> None:
    """A stage that is tried again, or a scan of an old photo: nothing is loaded, decoded or asked."""
    room = _Room({"a": phone})
    *_, first = await room.events(Stored("a"))
    content = room.storage.contents["a"]
    assert await room.events(Stored("a")) == [Phase.FETCH, first]
    assert (room.cleaned, room.eye.looks, room.storage.sent) == (1, 1, ["a"])
    assert room.storage.contents["a"] == content


async def test_a_clean_copy_nobody_has_an_opinion_of_is_looked_at_as_it_is(phone: bytes) -> None:
    """After a week, or with a new model."""
    room = _Room({"a": phone})
    *_, first = await room.events(Stored("a"))
    later = _Room({})
    later.storage.contents = room.storage.contents
    *phases, finding = await later.events(Stored("a"))
    assert phases == _PHASES
    assert (finding, later.cleaned, later.eye.looks) == (first, 0, 1)


async def test_the_same_file_uploaded_again_is_not_loaded(phone: bytes) -> None:
    """Storage vouches that it is the same; the first one's clean copy takes its place."""
    room = _Room({"first": phone, "second": phone})
    *_, first = await room.events(Stored("first"))
    assert await room.events(Stored("second")) == [Phase.FETCH, first]
    assert (room.cleaned, room.eye.looks) == (1, 1)
    assert room.storage.sent == ["first", "first"]  # the original, then its small copy
    assert room.storage.contents["second"] == room.storage.contents["first"]


async def test_the_same_file_is_cleaned_again_when_its_first_copy_is_gone(phone: bytes) -> None:
    """Deleted with its scan; but the opinion is still known."""
    room = _Room({"first": phone, "second": phone})
    await room.events(Stored("first"))
    del room.storage.contents["first"]
    *phases, _ = await room.events(Stored("second"))
    assert phases == _PHASES
    assert (room.cleaned, room.eye.looks) == (2, 1)
    assert b"Phone" not in room.storage.contents["second"][0]


async def test_a_photo_deleted_meanwhile_is_not_brought_back(phone: bytes) -> None:
    """Deleted means deleted, also while a model looks."""
    room = _Room({"a": phone})
    room.eye.go.clear()
    async with room.start("a") as looking:
        assert [await anext(looking), await anext(looking)] == [Phase.FETCH, Phase.PREPARE]
        del room.storage.contents["a"]
        room.eye.go.set()
        with pytest.raises(NotFound) as caught:
            [event async for event in looking]
    assert caught.value.reason is Reason.PHOTO_NOT_FOUND
    assert not room.storage.contents


async def test_no_scan_succeeds_while_the_original_stays(phone: bytes) -> None:
    """The stage fails, is tried again, and nothing is paid for twice."""
    room = _Room({"a": phone})
    room.storage.failures = 1
    with pytest.raises(Unavailable):
        await room.events(Stored("a"))
    assert b"Phone" in room.storage.contents["a"][0]
    *_, finding = await room.events(Stored("a"))
    assert isinstance(finding, ClassifiedPhoto)
    assert room.eye.looks == 1
    assert b"Phone" not in room.storage.contents["a"][0]


async def test_the_original_goes_also_when_the_look_fails(phone: bytes) -> None:
    """No waste in it, but a place."""
    room = _Room({"a": phone}, eye=_Eye(ClassificationOutcome.NOT_WASTE))
    for _ in range(2):
        with pytest.raises(FailedPrecondition) as caught:
            await room.events(Stored("a"))
        assert caught.value.reason is Reason.NOT_WASTE
    assert room.eye.looks == 1
    assert b"Phone" not in room.storage.contents["a"][0]


@pytest.mark.parametrize(
    "look", [Classification(UNKNOWN, 0.0, (), "fake", "fake"), FailedPrecondition(Reason.MODEL_REFUSED)]
)
async def test_while_storage_takes_no_copy_nobody_is_asked_again(
    phone: bytes, look: Classification | FailedPrecondition
) -> None:
    """Not even a model whose refusal is in no cache: only the copy is tried again, and what was found is told then."""
    room = _Room({"a": phone}, eye=_Moody(look))
    room.storage.failures = 2
    for tried in range(2):
        with pytest.raises(Unavailable) as caught:
            await room.events(Stored("a"))
        assert caught.value.metadata["peer"] == "s3"
        assert caught.value.metadata.get("calls") == (None if tried else "1")
    (ended,) = await asyncio.gather(room.events(Stored("a")), return_exceptions=True)
    if isinstance(ended, BaseException):
        assert isinstance(ended, FailedPrecondition)
        assert (ended.reason, ended.metadata) == (Reason.MODEL_REFUSED, {})
    else:
        assert isinstance(ended[-1], ClassifiedPhoto)
        assert ended[-1].usage is None
    assert room.eye.looks == 1
    assert b"Phone" not in room.storage.contents["a"][0]


async def test_a_failed_look_counts_although_storage_is_away_as_well(phone: bytes) -> None:
    """It may have been paid for, and may be tried only so often; the copy is tried again with it."""
    room = _Room({"a": phone}, eye=_Moody(Unavailable(Reason.MODEL_TIMED_OUT)))
    room.storage.failures = 1
    for _ in range(2):
        with pytest.raises(Unavailable) as caught:
            await room.events(Stored("a"))
        assert caught.value.reason is Reason.MODEL_TIMED_OUT
    assert room.eye.looks == 2
    assert b"Phone" not in room.storage.contents["a"][0]


async def test_a_bad_photo_fails_in_its_phase_and_leaves_its_place() -> None:
    """The last phase seen is the one that failed, and the next photo can come in."""
    room = _Room({"a": b"text"})
    for _ in range(2):
        async with room.start("a") as events:
            assert [await anext(events), await anext(events)] == [Phase.FETCH, Phase.PREPARE]
            with pytest.raises(InvalidArgument) as caught:
                await anext(events)
        assert caught.value.reason is Reason.PHOTO_UNREADABLE


async def test_photos_wait_for_a_place(phone: bytes) -> None:
    """One place, three photos: all are looked at, and none is loaded before it has a place."""
    room = _Room({"first": phone, "second": phone + b"2", "third": phone + b"3"}, queue=2)
    first = room.classifier.classify(Stored("first"), _terms())
    await anext(first)
    others = asyncio.gather(*(room.events(Stored(key)) for key in ("second", "third")))
    await first.aclose()
    assert all(isinstance(events[-1], ClassifiedPhoto) for events in await others)
    assert room.storage.sent == ["second", "third"]


async def test_a_full_queue_sends_away(phone: bytes) -> None:
    """At once, with the time to come back."""
    room = _Room({"inside": phone})
    async with room.start("inside") as inside:
        await anext(inside)
        with pytest.raises(ResourceExhausted) as caught:
            await room.events(Stored("outside"))
    assert caught.value.reason is Reason.LIMIT_EXCEEDED
    assert caught.value.retry_after


async def test_slow_strangers_do_not_hold_up_our_storage(phone: bytes) -> None:
    """Each source has its own places."""
    room = _Room({"a": phone})
    async with aclosing(room.classifier.classify(Outside("https://slow.example"), _terms())) as stuck:
        await anext(stuck)
        assert isinstance((await room.events(Stored("a")))[-1], ClassifiedPhoto)


async def test_a_slow_model_holds_no_place(phone: bytes) -> None:
    """A hosted model takes seconds; the places are for photos that are being loaded and cleaned."""
    room = _Room({"slow": phone, "other": phone + b"2"})
    room.eye.go.clear()
    async with room.start("slow") as slow:
        assert [await anext(slow) for _ in range(3)] == _PHASES
        finding = asyncio.ensure_future(anext(slow))
        other = asyncio.ensure_future(room.events(Stored("other")))
        room.eye.go.set()
        assert isinstance(await finding, ClassifiedPhoto)
        assert isinstance((await other)[-1], ClassifiedPhoto)
