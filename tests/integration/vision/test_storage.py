"""Photos in real object storage: read, replaced, and never brought back."""

from collections.abc import Callable
from uuid import uuid4

import pytest

from mesh.errors import InvalidArgument, NotFound, Unavailable
from mesh.reasons import Reason
from mesh.s3.bucket import open_bucket
from vision_svc.photos.memfile import memfile
from vision_svc.photos.photos import MAX_BYTES, Identity, Photo
from vision_svc.photos.storage import PhotoStorage
from vision_svc.settings import VisionSettings

Put = Callable[[str, bytes], None]

_CLEAN = Photo(b"clean", Identity("ab" * 32, 300, 200))


@pytest.fixture
def key() -> str:
    """A key of the test's own."""
    return f"tests/{uuid4()}"


@pytest.fixture
def storage(settings: VisionSettings) -> PhotoStorage:
    """On the suite's object storage."""
    return PhotoStorage(open_bucket(settings), list[str]().append)


async def _content(storage: PhotoStorage, key: str) -> bytes:
    async with storage.open(key) as stored:
        with memfile() as file:
            await stored.save(file)
            return file.content()


async def test_an_object_is_read_whole(storage: PhotoStorage, put: Put, key: str) -> None:
    """Spaces, Hangul and signs in keys included: they are part of what is signed."""
    put(f"{key}/사진 1+(2)~é=.jpg", b"photo" * 100_000)
    assert await _content(storage, f"{key}/사진 1+(2)~é=.jpg") == b"photo" * 100_000


async def test_a_missing_object_is_not_found(storage: PhotoStorage, key: str) -> None:
    """Deleted by the lifecycle, or never uploaded."""
    with pytest.raises(NotFound) as caught:
        await _content(storage, key)
    assert caught.value.reason is Reason.PHOTO_NOT_FOUND
    assert caught.value.metadata == {"object_key": key}


@pytest.mark.parametrize(("size", "reason"), [(0, Reason.PHOTO_EMPTY), (MAX_BYTES + 1, Reason.PHOTO_TOO_LARGE)])
async def test_sizes_are_judged_before_reading(
    storage: PhotoStorage, put: Put, key: str, size: int, reason: Reason
) -> None:
    """By the length that storage tells."""
    put(key, bytes(size))
    with pytest.raises(InvalidArgument) as caught:
        await _content(storage, key)
    assert caught.value.reason is reason


async def test_equal_files_have_one_fingerprint(storage: PhotoStorage, put: Put, key: str) -> None:
    """By it a repeated upload is known before it is loaded."""
    for name, content in (("a", b"same"), ("b", b"same"), ("c", b"other")):
        put(f"{key}/{name}", content)
    prints = []
    for name in "abc":
        async with storage.open(f"{key}/{name}") as stored:
            prints.append(stored.fingerprint)
    assert prints[0] == prints[1] != prints[2]


async def test_a_clean_copy_takes_the_originals_place(storage: PhotoStorage, put: Put, key: str) -> None:
    """At the same address, and it says whose copy it is."""
    put(key, b"original")
    async with storage.open(key) as stored:
        assert stored.identity is None
        original = stored
    await storage.publish(original, _CLEAN)
    async with storage.open(key) as stored:
        assert (stored.identity, stored.found.content_type) == (_CLEAN.identity, "image/jpeg")
    assert await _content(storage, key) == b"clean"


async def test_replacing_twice_is_once(storage: PhotoStorage, put: Put, key: str) -> None:
    """The first answer may have been lost on the way."""
    put(key, b"original")
    async with storage.open(key) as stored:
        original = stored
    for _ in range(2):
        await storage.publish(original, _CLEAN)
    assert await _content(storage, key) == b"clean"


async def test_a_deleted_photo_is_not_brought_back(settings: VisionSettings, put: Put, key: str) -> None:
    """DeleteScan may come while a model looks."""
    put(key, b"original")
    bucket = open_bucket(settings)
    storage = PhotoStorage(bucket, list[str]().append)
    async with storage.open(key) as stored:
        original = stored
    await bucket.remove(key)
    with pytest.raises(NotFound):
        await storage.publish(original, _CLEAN)
    with pytest.raises(NotFound):
        await _content(storage, key)


async def test_the_probe_sees_the_bucket(storage: PhotoStorage) -> None:
    """Health rests on it."""
    await storage.probe()


async def test_storage_that_is_down_is_unavailable(settings: VisionSettings, key: str, unused_tcp_port: int) -> None:
    """So Scan tries again; and the probe says so too."""
    nowhere = settings.model_copy(update={"s3_endpoint": f"http://127.0.0.1:{unused_tcp_port}"})
    storage = PhotoStorage(open_bucket(nowhere), list[str]().append)
    for asking in (_content(storage, key), storage.probe()):
        with pytest.raises(Unavailable) as caught:
            await asking
        assert caught.value.reason is Reason.UNAVAILABLE
        assert caught.value.retry_after
