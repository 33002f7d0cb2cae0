"""However a scan ends, nobody ever gets a file that tells where its photo was taken, and what must go goes."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import grpc
import pytest

from eco2.scan.v1 import scan_pb2
from eco2.scan.v1.scan_service_pb2 import CreateScanResponse
from mesh.errors import FailedPrecondition
from mesh.reasons import Reason
from mesh.s3.bucket import Bucket, StoredObject
from scan_svc.store import ScanStore
from tests.integration.scan.client import Client, create, reason, reason_of
from tests.integration.scan.photos.conftest import Photos
from tests.support.http import http_client
from tests.support.scan.vision_service import Eye
from tests.support.waiting import eventually


@dataclass(frozen=True, slots=True)
class Life:
    """What a scan's life may be made of."""

    user: Client
    eye: Eye
    photos: Photos
    photo: bytes
    created: CreateScanResponse

    @property
    def scan_id(self) -> str:
        return self.created.scan.scan_id

    async def shown(self) -> bool:
        """Whether strangers see the clean copy."""
        return bool(await self.photos.seen(self.scan_id))

    async def late(self) -> None:
        """Uploads again, by an address that is still valid; storage takes it if the upload has gone."""
        await self.user.put(self.created.upload, self.photo)

    async def held(self) -> None:
        """Starts the scan; its clean copy is stored, and the model thinks for ever."""
        self.eye.before = asyncio.Event().wait
        await self.user.start(self.scan_id)
        await eventually(self.shown)


async def _never_started(_: Life) -> None:
    pass


async def _succeeded(life: Life) -> None:
    await life.user.start(life.scan_id)
    assert (await life.user.finished(life.scan_id)).state == scan_pb2.Scan.STATE_SUCCEEDED


async def _refused(life: Life) -> None:
    async def refuse() -> None:
        raise FailedPrecondition(Reason.MODEL_REFUSED)

    life.eye.before = refuse
    await life.user.start(life.scan_id)
    assert (await life.user.finished(life.scan_id)).state == scan_pb2.Scan.STATE_FAILED


async def _cancelled_before(life: Life) -> None:
    await life.user.cancel(life.scan_id)


async def _cancelled_while(life: Life) -> None:
    await life.held()
    await life.user.cancel(life.scan_id)


async def _expired(life: Life) -> None:
    assert await ScanStore(life.photos.pool).expire_uploads(0.0) == [life.scan_id]


async def _deleted_before(life: Life) -> None:
    await life.user.delete(life.scan_id)


async def _deleted_while(life: Life) -> None:
    await life.held()
    await life.user.delete(life.scan_id)


async def _deleted_after(life: Life) -> None:
    await _succeeded(life)
    await life.user.delete(life.scan_id)


Ending = Callable[[Life], Awaitable[None]]


@pytest.fixture
async def life(user: Client, eye: Eye, photos: Photos, photo: bytes) -> Life:
    """A scan whose photo is uploaded."""
    created = await user.create(photo)
    (await user.put(created.upload, photo)).raise_for_status()
    return Life(user, eye, photos, photo, created)


@pytest.mark.parametrize(
    ("ending", "left"),
    [
        pytest.param(_never_started, ["uploads"], id="never started"),  # it may still be
        pytest.param(_succeeded, ["photos"], id="succeeded"),
        pytest.param(_refused, [], id="failed"),
        pytest.param(_cancelled_before, [], id="cancelled before"),
        pytest.param(_cancelled_while, [], id="cancelled while running"),
        pytest.param(_expired, [], id="expired"),
        pytest.param(_deleted_before, [], id="deleted before"),
        pytest.param(_deleted_while, [], id="deleted while running"),
        pytest.param(_deleted_after, [], id="deleted after"),
    ],
)
async def test_no_stranger_learns_where_a_photo_was_taken(life: Life, ending: Ending, left: list[str]) -> None:
    """Not before, not after, not by a late upload; and storage keeps nothing longer than somebody needs it."""
    await life.photos.demand_nothing_told(life.scan_id)
    await ending(life)
    await life.photos.demand_nothing_told(life.scan_id)
    await life.late()
    await life.photos.demand_nothing_told(life.scan_id)
    await life.photos.remove_due()
    await life.photos.sweep()
    await life.photos.demand_nothing_told(life.scan_id)
    assert [key.partition("/")[0] for key in await life.photos.keys(life.scan_id)] == left


async def test_a_photo_that_cannot_be_decoded_tells_nothing_either(user: Client, photos: Photos, photo: bytes) -> None:
    """There is no clean copy of it, and the upload goes."""
    cut = photo[: len(photo) // 3]
    created = await user.create(cut)
    (await user.put(created.upload, cut)).raise_for_status()
    await user.start(created.scan.scan_id)
    assert (await user.finished(created.scan.scan_id)).state == scan_pb2.Scan.STATE_FAILED
    assert not await photos.seen(created.scan.scan_id)
    await photos.remove_due()
    assert not await photos.keys(created.scan.scan_id)


async def test_the_address_told_at_creation_shows_the_clean_photo(life: Life) -> None:
    """Nothing before, not even to who was told the address; then a JPEG that caches may keep for a day."""
    async with http_client() as http:
        assert (await http.get(life.created.image_url)).status_code in {403, 404}
        await _succeeded(life)
        shown = await http.get(life.created.image_url)
    assert (await life.user.get(life.scan_id)).image_url == life.created.image_url
    assert shown.status_code == 200
    assert shown.headers["content-type"] == "image/jpeg"
    assert shown.headers["cache-control"] == "public, max-age=86400"


async def test_a_start_that_another_one_overtakes_is_no_error(life: Life, monkeypatch: pytest.MonkeyPatch) -> None:
    """The upload may be gone by the time it is looked for: the scan has begun all the same."""
    look = Bucket.look

    async def overtaken(self: Bucket, key: str) -> StoredObject:
        monkeypatch.undo()
        await _succeeded(life)
        await life.photos.sweep()
        return await look(self, key)

    monkeypatch.setattr(Bucket, "look", overtaken)
    assert (await life.user.start(life.scan_id)).state == scan_pb2.Scan.STATE_SUCCEEDED
    assert life.eye.looks == 1


async def test_a_photo_is_looked_at_for_others_only_once_it_is_clean(life: Life) -> None:
    """Whoever knows its address knows the name of the upload as well."""
    early = await life.user.finished(await create(life.user, life.created.image_url))
    assert (early.state, reason_of(early.error)) == (scan_pb2.Scan.STATE_FAILED, Reason.PHOTO_NOT_FOUND)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await create(life.user, life.created.image_url.replace("/photos/", "/uploads/"))
    assert reason(caught.value) == Reason.ADDRESS_REFUSED
    assert life.eye.looks == 0
    await _succeeded(life)
    later = await life.user.finished(await create(life.user, life.created.image_url))
    assert (later.state, life.eye.looks) == (scan_pb2.Scan.STATE_SUCCEEDED, 1)
    await life.photos.demand_nothing_told(life.scan_id)
