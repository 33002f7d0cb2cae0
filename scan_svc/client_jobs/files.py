"""The files of client jobs in object storage: uploads, results, and whatever lies beside them while they are made."""

import base64
import secrets
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType

import structlog

from mesh.errors import FailedPrecondition, FieldViolation, InvalidArgument, Unavailable
from mesh.locale import Locale
from mesh.reasons import Reason
from mesh.s3.bucket import Bucket, ObjectMissing
from mesh.s3.presigned import PresignedUploads
from scan_svc.client_jobs.client_jobs import File, JobRequest, Texts, Upload, folder
from scan_svc.client_jobs.work import UploadRule
from scan_svc.uploads import Ticket

_log = structlog.get_logger("client jobs")

_READING_SECONDS = 300
_PAGE = 1000

_WANTED: Texts = MappingProxyType(
    {Locale.KO: "이 작업에는 파일이 필요해요", Locale.EN: "this kind of job is about a file: announce one"}
)
_UNWANTED: Texts = MappingProxyType(
    {Locale.KO: "이 작업은 파일을 받지 않아요", Locale.EN: "this kind of job takes no file"}
)


@dataclass(frozen=True, slots=True)
class Address:
    """Where a file can be fetched, and until when."""

    url: str
    expires_at: datetime


class JobFiles:
    """The files of client jobs.

    Args:
        bucket: Ours.
        presigned: Signs addresses in it.
        clock: The time.
        valid_seconds: How long an upload address works.
    """

    def __init__(
        self, bucket: Bucket, presigned: PresignedUploads, clock: Callable[[], datetime], valid_seconds: int
    ) -> None:
        self._bucket = bucket
        self._presigned = presigned
        self._clock = clock
        self._valid_seconds = valid_seconds

    def upload(self, job_id: str, request: JobRequest, rule: UploadRule | None) -> Upload | None:
        """The file that a new job is about.

        Raises:
            InvalidArgument: It has none and must, or has one and mustn't; or it is no such file as its kind takes.
        """
        asked = request.upload
        if asked is None or rule is None:
            if asked is None and rule is None:
                return None
            raise _refused("upload", "upload.required" if rule else "upload.unwanted", _WANTED if rule else _UNWANTED)
        extension = rule.extensions.get(asked.content_type)
        if extension is None:
            types = ", ".join(rule.extensions)
            texts = {Locale.KO: f"{types} 중 하나여야 해요", Locale.EN: f"must be one of {types}"}
            raise _refused("upload.content_type", "upload.content_type", texts)
        if asked.size_bytes > rule.most_bytes:
            most = f"{rule.most_bytes:,}"
            texts = {Locale.KO: f"{most}바이트 이하여야 해요", Locale.EN: f"must be at most {most} bytes"}
            raise _refused("upload.size_bytes", "upload.size_bytes", texts)
        key = f"{folder(job_id)}{secrets.token_hex(8)}.{extension}"
        return Upload(key, asked.content_type, asked.size_bytes, asked.sha256)

    def ticket(self, upload: Upload) -> Ticket:
        """A presigned PUT for this file only: type, length, checksum and "no overwriting" are signed."""
        headers = {
            "Content-Type": upload.content_type, "Content-Length": str(upload.size_bytes), "If-None-Match": "*",
        }  # fmt: skip
        if upload.sha256:
            headers["x-amz-checksum-sha256"] = base64.b64encode(bytes.fromhex(upload.sha256)).decode()
        seconds = self._presigned.lifetime(self._valid_seconds)
        url = self._presigned.address(upload.object_key, headers, seconds)
        return Ticket(url, headers, self._clock() + timedelta(seconds=seconds))

    async def verify(self, job_id: str, upload: Upload) -> str:
        """Checks that a file that was announced is there; returns its entity tag.

        Raises:
            FailedPrecondition: It isn't there (UPLOAD_MISSING), or isn't what was announced (UPLOAD_MISMATCH).
        """
        try:
            found = await self._bucket.look(upload.object_key)
        except ObjectMissing as error:
            raise FailedPrecondition(Reason.UPLOAD_MISSING, job_id=job_id) from error
        for expected, actual in ((str(upload.size_bytes), str(found.size)), (upload.content_type, found.content_type)):
            if expected != actual:
                raise FailedPrecondition(Reason.UPLOAD_MISMATCH, expected=expected, actual=actual)
        return found.etag

    def address(self, file: File) -> Address:
        """Where a file can be fetched for some minutes."""
        seconds = self._presigned.lifetime(_READING_SECONDS)
        return Address(self._presigned.reading(file.object_key, seconds), self._clock() + timedelta(seconds=seconds))

    async def remove_all(self, job_id: str) -> None:
        """Removes all files of a job.

        Raises:
            Unavailable: Storage doesn't answer.
        """
        await self._remove_but(job_id, ())

    async def tidy(self, job_id: str, kept: str) -> None:
        """Removes the files of a job that has ended but for the one it has made; what can't be now, later."""
        try:
            await self._remove_but(job_id, (kept,))
        except Unavailable as error:
            _log.warning("files of a job not removed yet", job_id=job_id, error=repr(error))

    async def _remove_but(self, job_id: str, kept: Collection[str]) -> None:
        after = ""
        while True:
            found = await self._bucket.page(folder(job_id), after=after, count=_PAGE)
            if gone := [one.key for one in found if one.key not in kept]:
                await self._bucket.remove(*gone)
            if len(found) < _PAGE:
                return
            after = found[-1].key


def _refused(field: str, rule: str, texts: Mapping[Locale, str]) -> InvalidArgument:
    return InvalidArgument(Reason.INVALID_FIELD, violations=[FieldViolation(field, rule, texts)], fields=field)
