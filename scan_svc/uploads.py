"""Photos in object storage: where to put them, whether they came, and their removal."""

import asyncio
import base64
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeVar

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from mesh.errors import FailedPrecondition, Reason
from scan_svc.scans import Photo
from scan_svc.settings import ScanSettings

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

T = TypeVar("T")

EXTENSIONS: Mapping[str, str] = MappingProxyType(
    {"image/jpeg": "jpg", "image/png": "png", "image/webp": "webp", "image/heic": "heic", "image/heif": "heif"}
)


@dataclass(frozen=True, slots=True)
class Ticket:
    """Permission to upload one photo.

    Attributes:
        url: Presigned address.
        headers: Headers that must be sent exactly so: they are bound in the signature.
        expires_at: When the address stops working.
    """

    url: str
    headers: Mapping[str, str]
    expires_at: datetime


class Uploads:
    """The bucket of the photos.

    Args:
        client: S3.
        bucket: Its name.
        valid_seconds: How long an upload address works.
    """

    def __init__(self, client: "S3Client", bucket: str, valid_seconds: int) -> None:
        self._client = client
        self._bucket = bucket
        self._valid_seconds = valid_seconds
        # boto3 blocks; its own threads keep it off the event loop.
        self._threads = ThreadPoolExecutor(max_workers=8, thread_name_prefix="s3")

    def ticket(self, photo: Photo, now: datetime) -> Ticket:
        """A presigned PUT for this photo only: type, length, checksum and "no overwriting" are signed."""
        headers = {"Content-Type": photo.content_type, "Content-Length": str(photo.size_bytes), "If-None-Match": "*"}
        parameters: dict[str, object] = {
            "Bucket": self._bucket,
            "Key": photo.object_key,
            "ContentType": photo.content_type,
            "ContentLength": photo.size_bytes,
            "IfNoneMatch": "*",
        }
        if photo.sha256:
            checksum = _base64(photo.sha256)
            headers["x-amz-checksum-sha256"] = checksum
            parameters["ChecksumSHA256"] = checksum
        url = self._client.generate_presigned_url(
            "put_object", Params=parameters, ExpiresIn=self._valid_seconds, HttpMethod="PUT"
        )
        return Ticket(url, headers, now + timedelta(seconds=self._valid_seconds))

    async def verify(self, photo: Photo) -> None:
        """Checks that the announced photo is there.

        Raises:
            FailedPrecondition: It isn't there (PHOTO_NOT_UPLOADED), or isn't what was announced (PHOTO_MISMATCH).
        """
        try:
            head = await self._call(
                lambda: self._client.head_object(Bucket=self._bucket, Key=photo.object_key, ChecksumMode="ENABLED")
            )
        except ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] == 404:
                raise FailedPrecondition(Reason.PHOTO_NOT_UPLOADED) from error
            raise
        _expect(str(photo.size_bytes), str(head["ContentLength"]))
        _expect(photo.content_type, head["ContentType"])
        if photo.sha256 and "ChecksumSHA256" in head:
            _expect(_base64(photo.sha256), head["ChecksumSHA256"])

    async def remove(self, object_key: str) -> None:
        """Removes a photo; it is no error if it is gone."""
        await self._call(lambda: self._client.delete_object(Bucket=self._bucket, Key=object_key))

    async def _call(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)


def s3_client(settings: ScanSettings) -> "S3Client":
    """The S3 client. SigV4 by name: boto3 would sign uploads with SigV2, which binds no length."""
    return boto3.client(
        "s3",
        endpoint_url=settings.s3_endpoint,
        region_name=settings.s3_region,
        aws_access_key_id=settings.s3_access_key.get_secret_value(),
        aws_secret_access_key=settings.s3_secret_key.get_secret_value(),
        config=Config(
            signature_version="s3v4",
            s3={"addressing_style": "path"},
            connect_timeout=2,
            read_timeout=5,
            retries={"max_attempts": 2},
            max_pool_connections=8,
        ),
    )


def _expect(expected: str, actual: str) -> None:
    if expected != actual:
        raise FailedPrecondition(Reason.PHOTO_MISMATCH, expected=expected, actual=actual)


def _base64(hex_digest: str) -> str:
    return base64.b64encode(bytes.fromhex(hex_digest)).decode()
