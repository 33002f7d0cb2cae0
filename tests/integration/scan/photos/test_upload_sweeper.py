"""Uploads that nobody needs any more: found, however they came to be left."""

import uuid
from datetime import UTC, datetime, timedelta

import pytest

from mesh.errors import Unavailable
from mesh.reasons import Reason
from mesh.s3.bucket import ListedObject
from scan_svc.photo_removal.store import RemovalStore
from scan_svc.photo_removal.sweeper import UploadSweeper
from tests.integration.scan.photos.conftest import Photos

_NOW = datetime(2026, 11, 29, tzinfo=UTC)
_OLD = _NOW - timedelta(hours=1)


class SampleUploads:
    """What is in storage, by key, and how it was asked."""

    def __init__(self, *keys: str, modified_at: datetime = _OLD) -> None:
        self.keys = sorted(keys)
        self.lists = 0
        self.away = False
        self._modified_at = modified_at

    async def page(self, prefix: str, after: str = "", count: int = 1000) -> list[ListedObject]:
        self.lists += 1
        if self.away:
            raise Unavailable(Reason.UNAVAILABLE, peer="s3")
        found = [key for key in self.keys if key.startswith(prefix) and key > after]
        return [ListedObject(key, self._modified_at) for key in found[:count]]

    async def remove(self, *keys: str) -> None:
        self.keys = [key for key in self.keys if key not in keys]


def _sweeper(photos: Photos, uploads: SampleUploads, page: int = 1000) -> UploadSweeper:
    return UploadSweeper(RemovalStore(photos.pool), uploads, lambda: _NOW, 600.0, page)


def _key(scan_id: str) -> str:
    return f"uploads/{scan_id}.jpg"


@pytest.mark.parametrize(
    ("state", "job", "needed"),
    [
        ("AWAITING_UPLOAD", "", True),
        ("QUEUED", "READY", True),
        ("QUEUED", "LEASED", True),
        ("FAILED", "DEAD", True),
        ("FAILED", "ARCHIVED", False),
        ("SUCCEEDED", "", False),
        ("CANCELLED", "", False),
        ("EXPIRED", "", False),
    ],
)
async def test_an_upload_stays_while_somebody_may_look_at_it(
    photos: Photos, state: str, job: str, needed: bool
) -> None:
    """Or look again: a clean copy may not be there yet."""
    uploads = SampleUploads(_key(await photos.scan(state, job)))
    await _sweeper(photos, uploads).sweep()
    assert bool(uploads.keys) is needed


async def test_once_a_clean_copy_is_there_the_upload_goes(photos: Photos) -> None:
    """The stages after vision don't look at it, nor do replays of them."""
    scan_id = await photos.scan("QUEUED", "READY")
    await photos.pool.execute("update scan.job set stage = 'answer' where ref = $1", scan_id)
    uploads = SampleUploads(_key(scan_id))
    await _sweeper(photos, uploads).sweep()
    assert not uploads.keys


async def test_a_late_upload_goes(photos: Photos) -> None:
    """Its scan is deleted, or was never heard of."""
    uploads = SampleUploads(*(_key(str(uuid.uuid4())) for _ in range(3)))
    await _sweeper(photos, uploads).sweep()
    assert not uploads.keys


async def test_what_is_young_or_no_scans_is_left_alone(photos: Photos) -> None:
    """Somebody is at work on it; or it is an operator's, or of a release to come."""
    young = SampleUploads(_key(str(uuid.uuid4())), modified_at=_NOW - timedelta(seconds=599))
    others = SampleUploads("uploads/check-1/photo", "uploads/1.jpg", f"uploads/{uuid.uuid4()}/1.jpg", _key("../photos"))
    for uploads in (young, others):
        before = uploads.keys
        await _sweeper(photos, uploads).sweep()
        assert uploads.keys == before


async def test_while_storage_is_away_nothing_breaks(photos: Photos) -> None:
    """The next sweep finds what this one couldn't."""
    uploads = SampleUploads(_key(str(uuid.uuid4())))
    for away in (True, False):
        uploads.away = away
        await _sweeper(photos, uploads).sweep()
        assert bool(uploads.keys) is away


async def test_a_crowd_that_is_needed_hides_nothing(photos: Photos) -> None:
    """Each sweep looks at some pages, and the next one at those after them, round and round."""
    needed = [_key(await photos.scan()) for _ in range(25)]
    uploads = SampleUploads(*needed, _key("ffffffff-ffff-4fff-bfff-ffffffffffff"))
    sweeper = _sweeper(photos, uploads, page=2)
    for lists in (10, 14):
        await sweeper.sweep()
        assert uploads.lists == lists
    assert uploads.keys == sorted(needed)
