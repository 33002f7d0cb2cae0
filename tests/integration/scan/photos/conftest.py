"""Scan and Vision on real object storage, and a stranger who knows every key in it."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from io import BytesIO
from uuid import uuid4

import asyncpg
import pytest
from PIL import ExifTags, Image
from pydantic import SecretStr

from mesh.postgres import open_pool
from mesh.s3.bucket import Bucket, open_bucket
from mesh.s3.photo_keys import ORIGINALS, PUBLIC, copy_key, original_key
from mesh.s3.prepare import BucketSettings, prepare
from scan_svc.photo_removal.removal import PhotoRemoval
from scan_svc.photo_removal.store import RemovalStore
from scan_svc.photo_removal.sweeper import UploadSweeper
from scan_svc.scans import NewScan, Photo, PhotoUpload, ScanRequest
from scan_svc.store import ScanStore
from tests.integration.scan.client import Client, StartScanService
from tests.support.http import http_client
from tests.support.scan.vision_service import Eye, vision_service
from tests.support.storage import Storage
from tests.support.waiting import eventually


@pytest.fixture
def photo() -> bytes:
    """As a phone takes it: it tells where."""
    file, exif = BytesIO(), Image.Exif()
    exif[ExifTags.Base.Make] = "Phone"
    exif.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLatitude] = (37.0, 33.0, 58.0)
    Image.effect_noise((320, 200), 80).convert("RGB").save(file, "JPEG", exif=exif)
    return file.getvalue()


def tells_where(content: bytes) -> bool:
    """Whether anything of what the phone wrote is in a file, even in one that can't be decoded."""
    return b"Phone" in content or b"Exif" in content


@dataclass(frozen=True, slots=True)
class Photos:
    """The photos in storage, with what removes them.

    Attributes:
        bucket: With a key.
        pool: The database of their scans.
        place: Where strangers ask.
    """

    bucket: Bucket
    pool: asyncpg.Pool
    place: str

    async def scan(self, state: str = "AWAITING_UPLOAD", job: str = "") -> str:
        """A scan whose photo is to be uploaded, in any state, and with a job in this state."""
        scan_id, asked = str(uuid4()), PhotoUpload("image/jpeg", 5)
        key = original_key(scan_id, "jpg")
        photo = Photo(f"https://cdn.example/{copy_key(key)}", key, asked.content_type, asked.size_bytes)
        store = ScanStore(self.pool)
        await store.create(NewScan(scan_id, photo, ScanRequest(user_id="user", photo=asked)), "")
        if job:
            await store.start(scan_id, "", '"1"')
            await self.pool.execute("update scan.job set state = $2 where ref = $1", scan_id, job)
        if state != "AWAITING_UPLOAD":
            await self.pool.execute("update scan.scan set state = $2 where id = $1", scan_id, state)
        return scan_id

    async def keys(self, scan_id: str) -> list[str]:
        """Where anything of a scan is."""
        found = [await self.bucket.page(prefix, after=f"{prefix}{scan_id}") for prefix in (ORIGINALS, PUBLIC)]
        return [one.key for page in found for one in page if scan_id in one.key]

    async def seen(self, scan_id: str) -> Mapping[str, bytes]:
        """What a stranger gets who asks for everything of a scan, by key."""
        async with http_client() as http:
            replies = {key: await http.get(f"{self.place}/{key}") for key in await self.keys(scan_id)}
        assert all(reply.status_code in {200, 403, 404} for reply in replies.values())
        return {key: reply.content for key, reply in replies.items() if reply.status_code == 200}

    async def demand_nothing_told(self, scan_id: str) -> None:
        """No stranger ever gets a file that tells where it was taken, nor an upload at all."""
        for key, content in (await self.seen(scan_id)).items():
            assert key.startswith(PUBLIC)
            assert not tells_where(content)
            with Image.open(BytesIO(content)) as shown:
                assert not shown.getexif()

    async def remove_due(self) -> None:
        """Removes whatever was ever asked for, as if long enough had passed."""
        removal = PhotoRemoval(RemovalStore(self.pool), self.bucket, None, 90.0)

        async def none_left() -> bool:
            await self.pool.execute(
                "update scan.photo_removal set due_at = now(), ended_at = ended_at - interval '1 hour'"
            )
            await removal.run()
            return not await self.pool.fetchval("select exists (select from scan.photo_removal)")

        await eventually(none_left)  # the service itself may be at it at this moment

    async def sweep(self) -> None:
        """Removes uploads of any age that no scan needs."""
        await UploadSweeper(RemovalStore(self.pool), self.bucket, lambda: datetime.now(UTC), -60.0).sweep()


def _settings(storage: Storage) -> BucketSettings:
    return BucketSettings(
        s3_endpoint=storage.endpoint, s3_bucket=storage.bucket, s3_access_key=SecretStr(storage.access_key),
        s3_secret_key=SecretStr(storage.secret_key), cdn_base_url=storage.cdn_base_url,
    )  # fmt: skip


@pytest.fixture(scope="module")
def own_bucket(s3: Storage) -> Storage:
    """A bucket of one's own, as production makes it: whoever sweeps knows the scans of one database only."""
    name = f"test-{uuid4().hex[:12]}"
    storage = replace(s3, bucket=name, cdn_base_url=f"{s3.endpoint}/{name}")
    assert prepare(_settings(storage))
    return storage


@pytest.fixture
async def photos(own_bucket: Storage, database_url: str) -> AsyncIterator[Photos]:
    """Of the test's own database."""
    async with open_pool(database_url) as pool:
        yield Photos(open_bucket(_settings(own_bucket)), pool, own_bucket.cdn_base_url)


@pytest.fixture
def eye() -> Eye:
    """Who looks at the photos."""
    return Eye()


@pytest.fixture
async def user(start_scan_service: StartScanService, own_bucket: Storage, eye: Eye) -> AsyncIterator[Client]:
    """A user of Scan with a real Vision behind it."""
    async with (
        vision_service(own_bucket, eye) as target,
        start_scan_service(
            vision_target=target, s3_bucket=own_bucket.bucket, cdn_base_url=own_bucket.cdn_base_url
        ) as client,
    ):
        yield client
