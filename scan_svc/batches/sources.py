"""Where a batch's scans come from: rows of a sheet, or photos of a zip; how each becomes one, or why it doesn't."""

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import msgspec

from mesh.errors import EcoError, InvalidArgument
from mesh.reasons import Reason
from mesh.s3.bucket import Bucket
from scan_svc.batches.batches import BatchSpec
from scan_svc.batches.packed_photos import announced, unpacked
from scan_svc.batches.rows import (
    LONGEST_ADDRESS,
    LONGEST_QUESTION,
    LONGEST_REGION,
    Contents,
    PackedPhoto,
    Row,
)
from scan_svc.client_jobs.client_jobs import ClientJob
from scan_svc.hidden_scans.creation import HiddenScans
from scan_svc.hidden_scans.store import request_of
from scan_svc.pipeline.retries import PERMANENT
from scan_svc.scans import PhotoUpload, Priority, ScanRequest
from scan_svc.uploads import Uploads

# Photos of zips that are in memory at once, of all batches of a process: each takes up to 60 MB.
_UNPACKED = 3


class Source(Protocol):
    """The rows of one batch."""

    @property
    def total(self) -> int:
        """How many there are."""

    @property
    def named(self) -> bool:
        """Whether results bear the names of photos, there being no sheet to stand beside."""

    def name(self, number: int) -> str:
        """The name of a row's photo; empty if there is a sheet."""

    def first_of(self, number: int) -> int:
        """The first row that is the same as this one; it alone is scanned."""

    async def make(self, number: int) -> str | None:
        """Has a row's scan made and returns its id; None if it is the same as an earlier row.

        Raises:
            EcoError: It can't be made.
        """

    async def refusal(self, number: int) -> EcoError | None:
        """Why a row has no scan; None if it could have one."""


@dataclass(frozen=True, slots=True)
class RowScans:
    """What rows become scans with.

    Attributes:
        hidden: Makes scans.
        uploads: Knows which addresses can be used.
        bucket: Where a batch's file is.
        unpacking: Held by who has a photo of a zip in memory.
    """

    hidden: HiddenScans
    uploads: Uploads
    bucket: Bucket
    unpacking: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_UNPACKED))


def source_of(job: ClientJob, spec: BatchSpec, contents: Contents, scans: RowScans) -> Source:
    """The source of a batch.

    Args:
        job: The batch.
        spec: What was asked for.
        contents: What is in its file.
        scans: Makes scans.
    """
    if contents.photos:
        return ZipSource(job, spec, contents.photos, scans)
    return SheetSource(job, spec, contents.rows, scans)


class SheetSource:
    """The rows of a sheet. Two that ask the same of the same address are scanned once.

    Args:
        job: The batch.
        spec: What was asked for.
        rows: Of its sheet.
        scans: Makes scans.
    """

    def __init__(self, job: ClientJob, spec: BatchSpec, rows: Sequence[Row], scans: RowScans) -> None:
        self._job = job
        self._spec = spec
        self._rows = rows
        self._scans = scans
        firsts: dict[tuple[str, str, str], int] = {}
        self._firsts = [firsts.setdefault((row.address, row.question, row.region), row.number) for row in rows]
        self.total = len(rows)
        self.named = False

    def name(self, number: int) -> str:
        """As `Source` says."""
        return ""

    def first_of(self, number: int) -> int:
        """As `Source` says."""
        return self._firsts[number - 1]

    async def make(self, number: int) -> str | None:
        """As `Source` says."""
        self._check(number)
        if self.first_of(number) != number:
            return None
        row = self._rows[number - 1]
        request = _request(self._job, self._spec, number, row.address, row.question, row.region)
        return (await self._scans.hidden.create(request, "")).scan_id

    async def refusal(self, number: int) -> EcoError | None:
        """As `Source` says."""
        try:
            self._check(number)
        except InvalidArgument as error:
            return error
        return None

    def _check(self, number: int) -> None:
        row = self._rows[number - 1]
        if not row.address:
            raise InvalidArgument(Reason.ROW_WITHOUT_ADDRESS)
        for name, value, longest in (
            ("image_url", row.address, LONGEST_ADDRESS),
            ("user_input", row.question, LONGEST_QUESTION),
            ("region", row.region, LONGEST_REGION),
        ):
            if len(value) > longest or "\0" in value:
                raise InvalidArgument(Reason.INVALID_FIELD, fields=name)
        self._scans.uploads.photo(self._job.job_id, row.address)


class ZipSource:
    """The photos of a zip.

    Args:
        job: The batch.
        spec: What was asked for.
        photos: In its zip.
        scans: Makes scans.
    """

    def __init__(self, job: ClientJob, spec: BatchSpec, photos: Sequence[PackedPhoto], scans: RowScans) -> None:
        self._job = job
        self._key = job.upload.object_key if job.upload else ""
        self._spec = spec
        self._photos = photos
        self._scans = scans
        self.total = len(photos)
        self.named = True

    def name(self, number: int) -> str:
        """As `Source` says."""
        return self._photos[number - 1].name

    def first_of(self, number: int) -> int:
        """As `Source` says."""
        return number

    async def make(self, number: int) -> str | None:
        """As `Source` says."""
        photo = self._photos[number - 1]
        request = _request(self._job, self._spec, number, announced(photo))
        async with self._scans.unpacking:
            content = await unpacked(self._scans.bucket, self._key, photo)
            return (await self._scans.hidden.create(request, "", content)).scan_id

    async def refusal(self, number: int) -> EcoError | None:
        """As `Source` says."""
        photo = self._photos[number - 1]
        try:
            announced(photo)
            async with self._scans.unpacking:
                await unpacked(self._scans.bucket, self._key, photo)
        except PERMANENT as error:
            return error
        return None


def _request(
    job: ClientJob, spec: BatchSpec, number: int, photo: PhotoUpload | str, question: str = "", region: str = ""
) -> ScanRequest:
    return ScanRequest(
        user_id=job.user_id,
        request_id=request_of(job.job_id, number),
        payload_hash=hashlib.sha256(msgspec.json.encode((photo, question, region))).digest(),
        photo=photo,
        user_input=question,
        region=region or spec.region,
        building=spec.building,
        locale=job.locale,
        priority=Priority.BATCH,
        client_job_id=job.job_id,
        hidden=True,
    )
