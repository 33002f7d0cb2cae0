"""Reading photos from real object storage."""

import os
from collections.abc import Callable
from uuid import uuid4

import pytest

from mesh.errors import InvalidArgument, NotFound, Reason, Unavailable
from vision_svc.photos import MAX_BYTES
from vision_svc.settings import VisionSettings
from vision_svc.spool import spool
from vision_svc.storage import PhotoStorage, open_storage

Put = Callable[[str, bytes], None]


async def _loaded(storage: PhotoStorage, key: str) -> bytes:
    with spool() as file:
        await storage.load(key, file)
        return os.pread(file.descriptor, len(file), 0)


@pytest.fixture
def key() -> str:
    """A key of the test's own."""
    return f"tests/{uuid4()}"


async def test_an_object_is_read_whole(settings: VisionSettings, put: Put, key: str) -> None:
    """Spaces and Hangul in keys included."""
    put(f"{key}/사진 1.jpg", b"photo" * 100_000)
    async with open_storage(settings) as storage:
        assert await _loaded(storage, f"{key}/사진 1.jpg") == b"photo" * 100_000


async def test_a_missing_object_is_not_found(settings: VisionSettings, key: str) -> None:
    """Deleted by the lifecycle, or never uploaded."""
    async with open_storage(settings) as storage:
        with pytest.raises(NotFound) as caught:
            await _loaded(storage, key)
    assert caught.value.reason is Reason.PHOTO_NOT_FOUND
    assert caught.value.metadata == {"object_key": key}


@pytest.mark.parametrize(("size", "reason"), [(0, Reason.PHOTO_EMPTY), (MAX_BYTES + 1, Reason.PHOTO_TOO_LARGE)])
async def test_sizes_are_judged_before_reading(
    settings: VisionSettings, put: Put, key: str, size: int, reason: Reason
) -> None:
    """By the length that storage tells."""
    put(key, bytes(size))
    async with open_storage(settings) as storage:
        with pytest.raises(InvalidArgument) as caught:
            await _loaded(storage, key)
    assert caught.value.reason is reason


async def test_the_probe_sees_the_bucket(settings: VisionSettings) -> None:
    """Health rests on it."""
    async with open_storage(settings) as storage:
        await storage.probe()


async def test_storage_that_is_down_is_unavailable(settings: VisionSettings, key: str, unused_tcp_port: int) -> None:
    """So Scan tries again; and the probe says so too."""
    nowhere = settings.model_copy(update={"s3_endpoint": f"http://127.0.0.1:{unused_tcp_port}"})
    async with open_storage(nowhere) as storage:
        with pytest.raises(Unavailable) as caught:
            await _loaded(storage, key)
        with pytest.raises(Exception, match="connect"):
            await storage.probe()
    assert caught.value.reason is Reason.UNAVAILABLE
    assert caught.value.retry_after
