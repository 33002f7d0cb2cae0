"""Photos of scans: where they are, how they come into object storage, whether they came, and their removal."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType

import structlog

from mesh.addresses import check_url
from mesh.errors import FailedPrecondition, InvalidArgument, Unavailable
from mesh.reasons import Reason
from mesh.s3.bucket import Bucket, ObjectMissing
from mesh.s3.photo_keys import copy_key, is_public, original_key, photo_keys
from mesh.s3.presigned import PresignedUploads
from scan_svc.scans import Photo, PhotoUpload

_EXTENSIONS: Mapping[str, str] = MappingProxyType(
    {"image/jpeg": "jpg", "image/png": "png", "image/webp": "webp", "image/heic": "heic", "image/heif": "heif"}
)

# What CreateScan lets a client announce, and what an upload of which nothing was announced may have.
LARGEST_BYTES = 20 << 20

_log = structlog.get_logger("uploads")


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
        bucket: Ours.
        presigned: Signs uploads to it.
        cdn_base_url: Where the clean photos in it can be seen.
        valid_seconds: How long an upload address works.
    """

    def __init__(self, bucket: Bucket, presigned: PresignedUploads, cdn_base_url: str, valid_seconds: int) -> None:
        self._bucket = bucket
        self._presigned = presigned
        self._cdn_base_url = cdn_base_url.rstrip("/")
        self._valid_seconds = valid_seconds

    def photo(self, scan_id: str, asked: PhotoUpload | str) -> Photo:
        """The photo of a new scan: to be uploaded, or behind an address; in our bucket when that is a clean photo's.

        Raises:
            InvalidArgument: The address can't be used.
        """
        if isinstance(asked, PhotoUpload):
            key = original_key(scan_id, _EXTENSIONS[asked.content_type])
            shown = f"{self._cdn_base_url}/{copy_key(key)}"
            return Photo(shown, key, asked.content_type, asked.size_bytes, asked.sha256)
        key = asked.removeprefix(self._cdn_base_url + "/")
        if is_public(key):
            return Photo(asked, key)
        check_url(asked, field="image_url")
        return Photo(asked)

    def ticket(self, photo: Photo, now: datetime) -> Ticket:
        """A presigned PUT for this photo only: type, length, checksum and "no overwriting" are signed.

        Of a photo whose size wasn't announced the type alone: its client knows of no other header to send. `verify`
        looks at the size, and nothing is read but the content that it saw.
        """
        headers = {"Content-Type": photo.content_type}
        if photo.size_bytes is not None:
            headers |= {"Content-Length": str(photo.size_bytes), "If-None-Match": "*"}
        if photo.sha256:
            headers["x-amz-checksum-sha256"] = base64.b64encode(bytes.fromhex(photo.sha256)).decode()
        seconds = self._presigned.lifetime(self._valid_seconds)
        url = self._presigned.address(photo.object_key, headers, seconds)
        return Ticket(url, headers, now + timedelta(seconds=seconds))

    async def verify(self, scan_id: str, photo: Photo) -> str:
        """Checks that the photo a scan announced is there; returns its entity tag.

        Its checksum isn't asked for: storage compared it with the content when it took the upload.

        Raises:
            FailedPrecondition: It isn't there (PHOTO_NOT_UPLOADED), or isn't what was announced (PHOTO_MISMATCH).
            InvalidArgument: No size was announced, and it is empty or too large. It is removed.
        """
        try:
            found = await self._bucket.look(photo.object_key)
        except ObjectMissing as error:
            raise FailedPrecondition(Reason.PHOTO_NOT_UPLOADED, scan_id=scan_id) from error
        if photo.size_bytes is not None:
            _expect(str(photo.size_bytes), str(found.size))
        elif refused := _unfit(found.size):
            await self.remove(photo)
            raise refused
        _expect(photo.content_type, found.content_type)
        return found.etag

    async def remove(self, photo: Photo) -> None:
        """Removes an upload and its clean copy now, rather than when it is due: `scan_svc.photo_removal`."""
        try:
            await self._bucket.remove(*photo_keys(photo.object_key))
        except Unavailable as error:
            _log.warning("photo not removed yet", error=repr(error))


def _unfit(size: int) -> InvalidArgument | None:
    """Why an upload of so many bytes isn't taken; None if it is."""
    if not size:
        return InvalidArgument(Reason.PHOTO_EMPTY)
    if size > LARGEST_BYTES:
        limit, actual = f"{LARGEST_BYTES:,} bytes", f"{size:,} bytes"
        return InvalidArgument(Reason.PHOTO_TOO_LARGE, limit=limit, actual=actual)
    return None


def _expect(expected: str, actual: str) -> None:
    if expected != actual:
        raise FailedPrecondition(Reason.PHOTO_MISMATCH, expected=expected, actual=actual)
