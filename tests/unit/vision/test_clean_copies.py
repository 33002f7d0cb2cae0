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


_UPLOAD, _COPY = "uploads/a", "photos/a"


async def test_nothing_but_pixels_is_shown(phone: bytes) -> None:
    """The place where somebody lives was in the original, which nobody could read, and which goes."""
    parts = ClassifyParts({_UPLOAD: phone})
    await parts.upload(_UPLOAD)
    content, headers = parts.storage.contents[_COPY]
    assert b"Phone" in phone
    assert b"Phone" not in content
    with Image.open(BytesIO(content)) as copy:
        assert (copy.format, copy.size, dict(copy.getexif())) == ("JPEG", (320, 200), {})
    assert headers["Content-Type"] == "image/jpeg"
    assert headers["Cache-Control"] == "public, max-age=86400"
    assert parts.discarded == [_UPLOAD]


async def test_a_clean_copy_is_not_cleaned_again(phone: bytes) -> None:
    """A stage that is tried again after the upload has gone: nothing is loaded, decoded or asked."""
    parts = ClassifyParts({_UPLOAD: phone})
    *_, first = await parts.upload(_UPLOAD)
    etag = (await parts.storage.look(_UPLOAD)).etag
    del parts.storage.contents[_UPLOAD]
    copy = parts.storage.contents[_COPY]
    for location in (Stored(_UPLOAD, etag), Stored(_UPLOAD), Stored(_COPY)):
        assert await parts.events(location) == [Phase.FETCH, first]
    assert (parts.cleaned, parts.model.calls, parts.storage.sent) == (1, 1, [_UPLOAD])
    assert parts.storage.contents == {_COPY: copy}


async def test_a_clean_copy_nobody_has_an_opinion_of_is_looked_at_as_it_is(phone: bytes) -> None:
    """After a week, or with a new model; or tried again after the model failed."""
    parts = ClassifyParts({_UPLOAD: phone})
    *_, first = await parts.upload(_UPLOAD)
    later = ClassifyParts({})
    later.storage.contents = {_COPY: parts.storage.contents[_COPY]}
    *phases, finding = await later.events(Stored(_UPLOAD, '"of the upload"'))
    assert phases == PHASES
    assert (finding, later.cleaned, later.model.calls) == (first, 0, 1)


async def test_the_same_file_uploaded_again_is_not_loaded(phone: bytes) -> None:
    """Storage vouches that it is the same; it gets the first one's clean copy."""
    parts = ClassifyParts({"uploads/first": phone, "uploads/second": phone})
    *_, first = await parts.upload("uploads/first")
    assert await parts.upload("uploads/second") == [Phase.FETCH, first]
    assert (parts.cleaned, parts.model.calls) == (1, 1)
    assert parts.storage.sent == ["uploads/first", "photos/first"]
    assert parts.storage.contents["photos/second"] == parts.storage.contents["photos/first"]
    assert parts.discarded == ["uploads/first", "uploads/second"]


async def test_the_same_file_is_cleaned_again_when_its_first_copy_is_gone(phone: bytes) -> None:
    """Deleted with its scan; but the opinion is still known."""
    parts = ClassifyParts({"uploads/first": phone, "uploads/second": phone})
    await parts.upload("uploads/first")
    del parts.storage.contents["photos/first"]
    *phases, _ = await parts.upload("uploads/second")
    assert phases == PHASES
    assert (parts.cleaned, parts.model.calls) == (2, 1)
    assert b"Phone" not in parts.storage.contents["photos/second"][0]


async def test_only_the_photo_that_was_checked_is_looked_at(
    phone: bytes, encode: Encode, quarters: Image.Image
) -> None:
    """What is put there later is neither decoded nor shown, before or after the one that counts was cleaned."""
    parts, other = ClassifyParts({_UPLOAD: phone}), encode(quarters.rotate(90))
    checked = await parts.storage.look(_UPLOAD)
    parts.storage.contents[_UPLOAD] = (other, {})
    with pytest.raises(NotFound) as caught:
        await parts.events(Stored(_UPLOAD, checked.etag))
    assert caught.value.reason is Reason.PHOTO_NOT_FOUND
    assert (parts.cleaned, list(parts.storage.contents), parts.discarded) == (0, [_UPLOAD], [])
    parts.storage.contents[_UPLOAD] = (phone, {})
    *_, first = await parts.events(Stored(_UPLOAD, checked.etag))
    copy = parts.storage.contents[_COPY]
    parts.storage.contents[_UPLOAD] = (other, {})
    assert await parts.events(Stored(_UPLOAD, checked.etag)) == [Phase.FETCH, first]
    assert parts.storage.contents[_COPY] == copy


async def test_nobody_passes_an_upload_off_as_clean(phone: bytes) -> None:
    """Only what lies where services alone write counts as a copy of ours, whatever is written beside it."""
    parts = ClassifyParts({_UPLOAD: phone})
    parts.storage.contents[_UPLOAD] = (phone, {"eco2-clean": f"{'0' * 64} 1 1"})
    await parts.upload(_UPLOAD)
    assert parts.cleaned == 1
    assert b"Phone" not in parts.storage.contents[_COPY][0]


async def test_what_the_release_before_took_is_replaced_where_it_is(phone: bytes) -> None:
    """It let clients upload to the place where everybody may read; also while a try is repeated."""
    parts = ClassifyParts({_COPY: phone})
    etag = (await parts.storage.look(_COPY)).etag
    *_, first = await parts.events(Stored(_COPY, etag))
    for location in (Stored(_COPY, etag), Stored(_COPY)):
        assert await parts.events(location) == [Phase.FETCH, first]
    assert b"Phone" not in parts.storage.contents[_COPY][0]
    assert (list(parts.storage.contents), parts.discarded) == ([_COPY], [])


async def test_what_the_release_before_took_is_not_brought_back(phone: bytes) -> None:
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


async def test_no_scan_succeeds_without_its_clean_copy(phone: bytes) -> None:
    """The stage fails, is tried again, and nothing is paid for twice."""
    parts = ClassifyParts({_UPLOAD: phone})
    parts.storage.failures = 1
    with pytest.raises(Unavailable):
        await parts.upload(_UPLOAD)
    assert (list(parts.storage.contents), parts.discarded) == ([_UPLOAD], [])
    *_, finding = await parts.upload(_UPLOAD)
    assert isinstance(finding, ClassifiedPhoto)
    assert parts.model.calls == 1
    assert b"Phone" not in parts.storage.contents[_COPY][0]


async def test_the_upload_goes_also_when_the_look_fails(phone: bytes) -> None:
    """No waste in it, but a place."""
    parts = ClassifyParts({_UPLOAD: phone}, model=ScriptedModel(ClassificationOutcome.NOT_WASTE))
    for _ in range(2):
        with pytest.raises(FailedPrecondition) as caught:
            await parts.upload(_UPLOAD)
        assert caught.value.reason is Reason.NOT_WASTE
    assert parts.model.calls == 1
    assert b"Phone" not in parts.storage.contents[_COPY][0]


@pytest.mark.parametrize(
    "look", [Classification(UNKNOWN, 0.0, (), "fake", "fake"), FailedPrecondition(Reason.MODEL_REFUSED)]
)
async def test_while_storage_takes_no_copy_nobody_is_asked_again(
    phone: bytes, look: Classification | FailedPrecondition
) -> None:
    """Not even a model whose refusal is in no cache: only the copy is tried again, and what was found is told then."""
    parts = ClassifyParts({_UPLOAD: phone}, model=PaidModel(look))
    parts.storage.failures = 2
    for tried in range(2):
        with pytest.raises(Unavailable) as caught:
            await parts.upload(_UPLOAD)
        assert caught.value.metadata["peer"] == "s3"
        assert caught.value.metadata.get("calls") == (None if tried else "1")
    (ended,) = await asyncio.gather(parts.upload(_UPLOAD), return_exceptions=True)
    if isinstance(ended, BaseException):
        assert isinstance(ended, FailedPrecondition)
        assert (ended.reason, ended.metadata) == (Reason.MODEL_REFUSED, {})
    else:
        assert isinstance(ended[-1], ClassifiedPhoto)
        assert ended[-1].usage is None
    assert parts.model.calls == 1
    assert b"Phone" not in parts.storage.contents[_COPY][0]


async def test_a_failed_look_counts_although_storage_is_away_as_well(phone: bytes) -> None:
    """It may have been paid for, and may be tried only so often; the copy is tried again with it."""
    parts = ClassifyParts({_UPLOAD: phone}, model=PaidModel(Unavailable(Reason.MODEL_TIMED_OUT)))
    parts.storage.failures = 1
    for _ in range(2):
        with pytest.raises(Unavailable) as caught:
            await parts.upload(_UPLOAD)
        assert caught.value.reason is Reason.MODEL_TIMED_OUT
    assert parts.model.calls == 2
    assert b"Phone" not in parts.storage.contents[_COPY][0]
