"""Photos in storage after a run: what is left of them, and what strangers see."""

import asyncio
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import asyncpg
import httpx2
from PIL import Image
from pydantic import SecretStr

from mesh.s3.bucket import Bucket, open_bucket
from mesh.s3.photo_keys import ORIGINALS, PUBLIC, uploaded_by
from mesh.s3.settings import StorageSettings
from scan_svc.client_jobs.client_jobs import FOLDER
from tests.chaos.mesh.judge.offences import Offence

# A removal is due at once and looked for every 15 s, and once more when the scan has been over for SETTLE_SECONDS.
# That is longer than any blow: what is frozen as its scan ends may store a copy afterwards.
SETTLE_SECONDS, SWEEP_SECONDS = 20, 10
_REST_SECONDS = 90.0

# The services look at these every 15 s, but would sweep once a minute only.
_HURRY = "update scan.periodic set next_at = now() where name in ('remove_photos', 'sweep_uploads')"
# Frames of a clip that becomes no scan are due in a day.
_WAITING = "select exists (select from scan.photo_removal where due_at < now() + interval '1 hour')"
_ELSEWHERE = "select id::text from scan.scan where object_key = ''"
_ID_LENGTH = 36
_LIVE = """
    select id::text from scan.scan where state in ('AWAITING_UPLOAD', 'QUEUED')
    union select ref::text from scan.job where kind = 'scan' and state in ('READY', 'LEASED', 'DEAD')
"""
# What Pillow tells of a JPEG that has nothing but a JFIF header.
_PLAIN = frozenset({"jfif", "jfif_version", "jfif_unit", "jfif_density", "dpi"})


@dataclass(frozen=True, slots=True)
class FoundPhoto:
    """An object.

    Attributes:
        key: Where.
        status: What a stranger is answered who asks for it.
        tells: Whether what they get tells more than its picture.
    """

    key: str
    status: int
    tells: bool = False

    @property
    def scan_id(self) -> str:
        """Whose it is."""
        return self.key.partition("/")[2].partition(".")[0][:_ID_LENGTH]  # a clip's frames have numbers behind it


@dataclass(frozen=True, slots=True)
class PhotosLeft:
    """All that is in the bucket.

    Attributes:
        found: Each object.
        live: Scans that may need their photo still.
        elsewhere: Scans whose photo is behind somebody else's address.
    """

    found: Sequence[FoundPhoto]
    live: frozenset[str] = frozenset()
    elsewhere: frozenset[str] = frozenset()


async def collect_photos(connection: asyncpg.Connection, variables: Mapping[str, str]) -> PhotosLeft:
    """What is left once removals and sweeps had their time."""
    bucket = bucket_of(variables)
    try:
        async with asyncio.timeout(_REST_SECONDS):
            while await connection.fetchval(_WAITING) or await _strays(connection, bucket):
                await connection.execute(_HURRY)
                await asyncio.sleep(1.0)
    except TimeoutError:
        pass  # it is judged as it is
    live = await _live(connection)
    async with httpx2.AsyncClient(base_url=variables["ECO2_CDN_BASE_URL"], timeout=30.0) as stranger:
        elsewhere = frozenset(row["id"] for row in await connection.fetch(_ELSEWHERE))
        return PhotosLeft([await _seen(stranger, key) for key in await _keys(bucket)], live, elsewhere)


def bucket_of(variables: Mapping[str, str]) -> Bucket:
    """The stack's bucket."""
    return open_bucket(
        StorageSettings(
            s3_endpoint=variables["ECO2_S3_ENDPOINT"], s3_bucket=variables["ECO2_S3_BUCKET"],
            s3_access_key=SecretStr(variables["ECO2_S3_ACCESS_KEY"]),
            s3_secret_key=SecretStr(variables["ECO2_S3_SECRET_KEY"]), cdn_base_url=variables["ECO2_CDN_BASE_URL"],
        )
    )  # fmt: skip


async def _keys(bucket: Bucket) -> list[str]:
    keys, page = list[str](), await bucket.page("")
    while page:
        keys += [found.key for found in page]
        page = await bucket.page("", after=keys[-1])
    return keys


async def _live(connection: asyncpg.Connection) -> frozenset[str]:
    return frozenset(row["id"] for row in await connection.fetch(_LIVE))


async def _strays(connection: asyncpg.Connection, bucket: Bucket) -> bool:
    """Whether there are uploads that nobody needs."""
    live = await _live(connection)
    return any(key.startswith(ORIGINALS) and uploaded_by(key) not in live for key in await _keys(bucket))


async def _seen(stranger: httpx2.AsyncClient, key: str) -> FoundPhoto:
    reply = await stranger.get(f"/{key}")
    return FoundPhoto(key, reply.status_code, reply.is_success and _tells(reply.content))


def _tells(content: bytes) -> bool:
    """Whether a file is anything but a JPEG without metadata."""
    try:
        with Image.open(io.BytesIO(content)) as image:
            return image.format != "JPEG" or bool(image.info.keys() - _PLAIN)
    except OSError:
        return True


def exposed(left: PhotosLeft) -> Iterator[Offence]:
    """Strangers read clean copies, and nothing else."""
    for photo in left.found:
        if photo.tells or (photo.status != httpx2.codes.FORBIDDEN and not photo.key.startswith(PUBLIC)):
            yield Offence(f"{photo.key}: {photo.status}", scan_id=photo.scan_id)


def left_behind(left: PhotosLeft, states: Mapping[str, str]) -> Iterator[Offence]:
    """No upload stays that nobody needs, and no photo of a scan that is gone or has ended without an answer."""
    for photo in left.found:
        state = states.get(photo.scan_id, "gone")
        answered = state == "SUCCEEDED" and photo.key.startswith(PUBLIC)
        if photo.scan_id not in left.live and not answered and not photo.key.startswith(FOLDER):
            yield Offence(f"{photo.key}, although the scan is {state}", scan_id=photo.scan_id)


def lost(left: PhotosLeft, states: Mapping[str, str]) -> Iterator[Offence]:
    """Each scan that has succeeded shows its photo."""
    shown = {photo.scan_id for photo in left.found if photo.key.startswith(PUBLIC) and photo.status == httpx2.codes.OK}
    for scan_id, state in states.items():
        if state == "SUCCEEDED" and scan_id not in shown | left.elsewhere:
            yield Offence("succeeded, and its photo isn't seen", scan_id=scan_id)
