"""What is left in storage after a look at a photo: a clean copy, never the original."""

import asyncio
from collections.abc import Callable
from io import BytesIO

import pytest
from PIL import Image

from mesh.errors import FailedPrecondition, NotFound, Unavailable
from mesh.reasons import Reason
from tests.unit.vision.classify_parts import PHASES, ClassifyParts, PaidModel, ScriptedModel
from vision_svc.classifiers.classification import UNKNOWN, Classification, ClassificationOutcome
from vision_svc.classify import ClassifiedPhoto, Phase
from vision_svc.photos.locations import Stored

Encode = Callable[..., bytes]


async def test_nothing_but_pixels_stays_in_storage(phone: bytes) -> None:
    """The place where somebody lives was in the original."""
    parts = ClassifyParts({"a": phone})
    await parts.events(Stored("a"))
    content, _ = parts.storage.contents["a"]
    assert b"Phone" in phone
    assert b"Phone" not in content
    with Image.open(BytesIO(content)) as copy:
        assert (copy.format, copy.size, dict(copy.getexif())) == ("JPEG", (320, 200), {})


async def test_a_clean_copy_is_not_cleaned_again(phone: bytes) -> None:
    """A stage that is tried again, or a scan of an old photo: nothing is loaded, decoded or asked."""
    parts = ClassifyParts({"a": phone})
    *_, first = await parts.events(Stored("a"))
    content = parts.storage.contents["a"]
    assert await parts.events(Stored("a")) == [Phase.FETCH, first]
    assert (parts.cleaned, parts.model.calls, parts.storage.sent) == (1, 1, ["a"])
    assert parts.storage.contents["a"] == content


async def test_a_clean_copy_nobody_has_an_opinion_of_is_looked_at_as_it_is(phone: bytes) -> None:
    """After a week, or with a new model."""
    parts = ClassifyParts({"a": phone})
    *_, first = await parts.events(Stored("a"))
    later = ClassifyParts({})
    later.storage.contents = parts.storage.contents
    *phases, finding = await later.events(Stored("a"))
    assert phases == PHASES
    assert (finding, later.cleaned, later.model.calls) == (first, 0, 1)


async def test_the_same_file_uploaded_again_is_not_loaded(phone: bytes) -> None:
    """Storage vouches that it is the same; the first one's clean copy takes its place."""
    parts = ClassifyParts({"first": phone, "second": phone})
    *_, first = await parts.events(Stored("first"))
    assert await parts.events(Stored("second")) == [Phase.FETCH, first]
    assert (parts.cleaned, parts.model.calls) == (1, 1)
    assert parts.storage.sent == ["first", "first"]  # the original, then its small copy
    assert parts.storage.contents["second"] == parts.storage.contents["first"]


async def test_the_same_file_is_cleaned_again_when_its_first_copy_is_gone(phone: bytes) -> None:
    """Deleted with its scan; but the opinion is still known."""
    parts = ClassifyParts({"first": phone, "second": phone})
    await parts.events(Stored("first"))
    del parts.storage.contents["first"]
    *phases, _ = await parts.events(Stored("second"))
    assert phases == PHASES
    assert (parts.cleaned, parts.model.calls) == (2, 1)
    assert b"Phone" not in parts.storage.contents["second"][0]


async def test_what_came_clean_stays_as_it_came(encode: Encode, quarters: Image.Image) -> None:
    """An app has shrunk it: it isn't written again, not even for another upload of it, and looked at once."""
    file = encode(quarters)
    parts = ClassifyParts({"first": file, "second": file})
    parts.storage.failures = 3  # it would be told
    *phases, first = await parts.events(Stored("first"))
    assert phases == PHASES
    for again in ("first", "second"):
        assert await parts.events(Stored(again)) == [Phase.FETCH, first]
    assert (parts.cleaned, parts.model.calls, parts.storage.sent) == (1, 1, ["first"])
    assert parts.storage.contents == dict.fromkeys(("first", "second"), (file, {}))


async def test_what_is_called_something_else_is_replaced(encode: Encode, quarters: Image.Image) -> None:
    """A browser believes the type; that of a clean copy is ours. Also where the same file came under its own type."""
    file = encode(quarters)
    parts = ClassifyParts({"first": file, "second": file})
    await parts.events(Stored("first"))
    parts.storage.content_type = "image/png"
    await parts.events(Stored("second"))
    assert parts.storage.contents["first"] == (file, {})
    _, metadata = parts.storage.contents["second"]
    assert metadata


async def test_a_photo_deleted_meanwhile_is_not_brought_back(phone: bytes) -> None:
    """Deleted means deleted, also while a model looks."""
    parts = ClassifyParts({"a": phone})
    parts.model.go.clear()
    async with parts.start("a") as looking:
        assert [await anext(looking), await anext(looking)] == [Phase.FETCH, Phase.PREPARE]
        del parts.storage.contents["a"]
        parts.model.go.set()
        with pytest.raises(NotFound) as caught:
            [event async for event in looking]
    assert caught.value.reason is Reason.PHOTO_NOT_FOUND
    assert not parts.storage.contents


async def test_no_scan_succeeds_while_the_original_stays(phone: bytes) -> None:
    """The stage fails, is tried again, and nothing is paid for twice."""
    parts = ClassifyParts({"a": phone})
    parts.storage.failures = 1
    with pytest.raises(Unavailable):
        await parts.events(Stored("a"))
    assert b"Phone" in parts.storage.contents["a"][0]
    *_, finding = await parts.events(Stored("a"))
    assert isinstance(finding, ClassifiedPhoto)
    assert parts.model.calls == 1
    assert b"Phone" not in parts.storage.contents["a"][0]


async def test_the_original_goes_also_when_the_look_fails(phone: bytes) -> None:
    """No waste in it, but a place."""
    parts = ClassifyParts({"a": phone}, model=ScriptedModel(ClassificationOutcome.NOT_WASTE))
    for _ in range(2):
        with pytest.raises(FailedPrecondition) as caught:
            await parts.events(Stored("a"))
        assert caught.value.reason is Reason.NOT_WASTE
    assert parts.model.calls == 1
    assert b"Phone" not in parts.storage.contents["a"][0]


@pytest.mark.parametrize(
    "look", [Classification(UNKNOWN, 0.0, (), "fake", "fake"), FailedPrecondition(Reason.MODEL_REFUSED)]
)
async def test_while_storage_takes_no_copy_nobody_is_asked_again(
    phone: bytes, look: Classification | FailedPrecondition
) -> None:
    """Not even a model whose refusal is in no cache: only the copy is tried again, and what was found is told then."""
    parts = ClassifyParts({"a": phone}, model=PaidModel(look))
    parts.storage.failures = 2
    for tried in range(2):
        with pytest.raises(Unavailable) as caught:
            await parts.events(Stored("a"))
        assert caught.value.metadata["peer"] == "s3"
        assert caught.value.metadata.get("calls") == (None if tried else "1")
    (ended,) = await asyncio.gather(parts.events(Stored("a")), return_exceptions=True)
    if isinstance(ended, BaseException):
        assert isinstance(ended, FailedPrecondition)
        assert (ended.reason, ended.metadata) == (Reason.MODEL_REFUSED, {})
    else:
        assert isinstance(ended[-1], ClassifiedPhoto)
        assert ended[-1].usage is None
    assert parts.model.calls == 1
    assert b"Phone" not in parts.storage.contents["a"][0]


async def test_a_failed_look_counts_although_storage_is_away_as_well(phone: bytes) -> None:
    """It may have been paid for, and may be tried only so often; the copy is tried again with it."""
    parts = ClassifyParts({"a": phone}, model=PaidModel(Unavailable(Reason.MODEL_TIMED_OUT)))
    parts.storage.failures = 1
    for _ in range(2):
        with pytest.raises(Unavailable) as caught:
            await parts.events(Stored("a"))
        assert caught.value.reason is Reason.MODEL_TIMED_OUT
    assert parts.model.calls == 2
    assert b"Phone" not in parts.storage.contents["a"][0]
