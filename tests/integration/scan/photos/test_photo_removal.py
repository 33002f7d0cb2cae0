"""Photos of scans that are over: removed by a durable job, purged from caches, and never too early."""

import asyncio
import json
import uuid

import httpx2
import pytest

from mesh.errors import Unavailable
from mesh.reasons import Reason
from scan_svc.photo_removal.cdn import CdnPurge, open_purge
from scan_svc.photo_removal.removal import PhotoRemoval
from scan_svc.photo_removal.store import RemovalStore
from scan_svc.scans import NewScan, Photo, ScanRequest
from scan_svc.store import ScanStore
from tests.integration.scan.photos.conftest import Photos

_SETTLE_SECONDS = 90.0


class SampleBucket:
    """Remembers what was removed; fails as often as it is told."""

    def __init__(self) -> None:
        self.removed: list[str] = []
        self.failures = 0

    async def remove(self, *keys: str) -> None:
        if self.failures:
            self.failures -= 1
            raise Unavailable(Reason.UNAVAILABLE, peer="s3")
        self.removed += keys


class Cdn:
    """A CDN's purge call, which answers what a test says."""

    def __init__(self, *answers: int | Exception) -> None:
        self._answers = list(answers)
        self.asked: list[httpx2.Request] = []

    async def __call__(self, request: httpx2.Request) -> httpx2.Response:
        await request.aread()
        self.asked.append(request)
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(answer, Exception):
            raise answer
        return httpx2.Response(answer)

    @property
    def purged(self) -> list[list[str]]:
        return [json.loads(request.content)["files"] for request in self.asked]

    def hook(self, token: str = "") -> CdnPurge:
        client = httpx2.AsyncClient(transport=httpx2.MockTransport(self))
        return CdnPurge(client, "https://cdn.example/purge", token)


async def _later(photos: Photos, seconds: float) -> None:
    """As if so long had passed."""
    await photos.pool.execute(
        "update scan.photo_removal set due_at = due_at - $1 * interval '1 second',"
        " ended_at = ended_at - $1 * interval '1 second'",
        seconds,
    )


async def _waiting(photos: Photos) -> int:
    return int(await photos.pool.fetchval("select count(*) from scan.photo_removal"))


def _keys(*scan_ids: str) -> list[str]:
    return [f"{folder}/{scan_id}.jpg" for scan_id in scan_ids for folder in ("uploads", "photos")]


def _removal(photos: Photos, bucket: SampleBucket, purge: CdnPurge | None = None) -> PhotoRemoval:
    return PhotoRemoval(RemovalStore(photos.pool), bucket, purge, _SETTLE_SECONDS)


@pytest.mark.parametrize(
    ("state", "job"),
    [("CANCELLED", ""), ("EXPIRED", ""), ("FAILED", "ARCHIVED")],
    ids=["cancelled", "expired", "failed for good"],
)
async def test_what_is_over_is_removed_twice(photos: Photos, state: str, job: str) -> None:
    """At once, and when whoever was at work on it as it ended has surely stopped; then nothing is left to do."""
    scan_id, bucket = await photos.scan(state, job), SampleBucket()
    removal = _removal(photos, bucket)
    for _ in range(2):
        await removal.run()
    assert bucket.removed == _keys(scan_id)
    await _later(photos, _SETTLE_SECONDS)
    for _ in range(2):
        await removal.run()
    assert bucket.removed == _keys(scan_id) * 2
    assert not await _waiting(photos)


async def test_a_copy_that_was_stored_while_its_scan_was_deleted_goes(photos: Photos) -> None:
    """Vision may be about to store it at that very moment."""
    scan_id = await photos.scan("QUEUED", "LEASED")
    removal = PhotoRemoval(RemovalStore(photos.pool), photos.bucket, None, _SETTLE_SECONDS)
    await ScanStore(photos.pool).delete(scan_id)
    await removal.run()
    await photos.bucket.put(f"photos/{scan_id}.jpg", b"12345", {"Content-Type": "image/jpeg"})
    await _later(photos, _SETTLE_SECONDS)
    await removal.run()
    assert not await photos.keys(scan_id)


@pytest.mark.parametrize(
    ("state", "job"),
    [("AWAITING_UPLOAD", ""), ("QUEUED", "READY"), ("QUEUED", "LEASED"), ("FAILED", "DEAD"), ("SUCCEEDED", "")],
    ids=["awaited", "queued", "running", "to be replayed", "succeeded"],
)
async def test_what_is_needed_stays(photos: Photos, state: str, job: str) -> None:
    """A replay by an operator may come after the removal was asked for, and saves what is still there."""
    scan_id, bucket = await photos.scan(state, job), SampleBucket()
    assert not await _waiting(photos)
    await photos.pool.execute("select scan.remove_photo($1, 'uploads/1.jpg', '')", scan_id)
    await _removal(photos, bucket).run()
    assert (bucket.removed, await _waiting(photos)) == ([], 0)


async def test_a_failed_scan_keeps_its_photo_as_long_as_it_is_replayed(photos: Photos) -> None:
    """By itself, that is: once it waits for a person it has none any more."""
    scan_id, bucket = await photos.scan("FAILED", "DEAD"), SampleBucket()
    await _removal(photos, bucket).run()
    assert not bucket.removed
    await photos.pool.execute("update scan.job set state = 'ARCHIVED' where ref = $1", scan_id)
    await _removal(photos, bucket).run()
    assert bucket.removed == _keys(scan_id)


async def test_photos_at_other_addresses_are_not_ours_to_remove(photos: Photos) -> None:
    """Nor is somebody's clean photo that another scan was made of."""
    ids, store = [str(uuid.uuid4()) for _ in range(2)], ScanStore(photos.pool)
    for scan_id, key in zip(ids, ("", "photos/another.jpg"), strict=True):
        asked = ScanRequest(user_id="user", photo="https://example.com/1.jpg")
        await store.create(NewScan(scan_id, Photo("https://example.com/1.jpg", key), asked), "")
    await store.cancel(ids[0])
    await store.delete(ids[1])
    assert not await _waiting(photos)


async def test_storage_that_is_away_is_asked_again(photos: Photos) -> None:
    """Ever later, by whoever's turn it is, and no photo is forgotten."""
    scan_id, bucket = await photos.scan("CANCELLED"), SampleBucket()
    bucket.failures = 2
    removal = _removal(photos, bucket)
    for pause in (15, 30, 0):
        await removal.run()
        await removal.run()  # not due yet
        await _later(photos, pause)
    assert bucket.removed == _keys(scan_id)


async def test_two_processes_remove_each_photo_once(photos: Photos) -> None:
    """Whoever takes it first."""
    ids = [await photos.scan("CANCELLED") for _ in range(20)]
    bucket = SampleBucket()
    await asyncio.gather(*(_removal(photos, bucket).run() for _ in range(2)))
    assert sorted(bucket.removed) == sorted(_keys(*ids))


async def test_caches_forget_what_was_removed(photos: Photos) -> None:
    """Told after storage, in as many calls as CDNs want, with the operator's token."""
    ids = [await photos.scan("CANCELLED") for _ in range(40)]
    cdn, bucket = Cdn(204), SampleBucket()
    await _removal(photos, bucket, cdn.hook("secret")).run()
    assert [len(files) for files in cdn.purged] == [30, 10]
    told = sorted(file for files in cdn.purged for file in files)
    assert told == sorted(f"https://cdn.example/photos/{scan_id}.jpg" for scan_id in ids)
    assert {request.headers["authorization"] for request in cdn.asked} == {"Bearer secret"}
    assert {(request.method, str(request.url)) for request in cdn.asked} == {("POST", "https://cdn.example/purge")}


@pytest.mark.parametrize("fault", [500, 403, httpx2.ConnectError("down"), httpx2.ReadTimeout("late")], ids=repr)
async def test_a_cdn_that_does_not_listen_is_told_again(photos: Photos, fault: int | Exception) -> None:
    """The photo is gone from storage meanwhile."""
    scan_id, cdn, bucket = await photos.scan("CANCELLED"), Cdn(fault, 204), SampleBucket()
    removal = _removal(photos, bucket, cdn.hook())
    await removal.run()
    assert (len(cdn.asked), await _waiting(photos)) == (1, 1)
    await _later(photos, _SETTLE_SECONDS)
    await removal.run()
    assert cdn.purged == [[f"https://cdn.example/photos/{scan_id}.jpg"]] * 2
    assert not await _waiting(photos)


async def test_a_cdn_is_not_told_for_ever(photos: Photos) -> None:
    """After a day caches have forgotten by themselves."""
    await photos.scan("CANCELLED")
    cdn, bucket = Cdn(500), SampleBucket()
    await _later(photos, 3 * 86_400)
    await _removal(photos, bucket, cdn.hook()).run()
    assert (len(cdn.asked), await _waiting(photos)) == (1, 0)


async def test_without_a_cdn_nobody_is_told() -> None:
    """None is set up by default."""
    async with open_purge("", "") as purge:
        assert purge is None
