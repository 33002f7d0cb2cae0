"""Photos of scans: where they are, how they come into object storage, whether they came, and their removal."""

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType

from mesh.addresses import check_url
from mesh.errors import FailedPrecondition
from mesh.reasons import Reason
from mesh.s3.bucket import Bucket, ObjectMissing
from mesh.s3.presigned import PresignedUploads
from scan_svc.scans import Photo, PhotoUpload

_EXTENSIONS: Mapping[str, str] = MappingProxyType(
    {"image/jpeg": "jpg", "image/png": "png", "image/webp": "webp", "image/heic": "heic", "image/heif": "heif"}
)
_KEY = re.compile(r"photos/[0-9a-f-]{36}\.(jpg|png|webp|heic|heif)")


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
        cdn_base_url: Where what is in it can be seen.
        valid_seconds: How long an upload address works.
    """

    def __init__(self, bucket: Bucket, presigned: PresignedUploads, cdn_base_url: str, valid_seconds: int) -> None:
        self._bucket = bucket
        self._presigned = presigned
        self._cdn_base_url = cdn_base_url.rstrip("/")
        self._valid_seconds = valid_seconds

    def photo(self, scan_id: str, asked: PhotoUpload | str) -> Photo:
        """The photo of a new scan: to be uploaded, or behind an address; in our bucket when that is our CDN's.

        Raises:
            InvalidArgument: The address can't be used.
        """
        if isinstance(asked, PhotoUpload):
            key = f"photos/{scan_id}.{_EXTENSIONS[asked.content_type]}"
            return Photo(f"{self._cdn_base_url}/{key}", key, asked.content_type, asked.size_bytes, asked.sha256)
        key = asked.removeprefix(self._cdn_base_url + "/")
        if _KEY.fullmatch(key):
            return Photo(asked, key)
        check_url(asked, field="image_url")
        return Photo(asked)

    def ticket(self, photo: Photo, now: datetime) -> Ticket:
        """A presigned PUT for this photo only: type, length, checksum and "no overwriting" are signed."""
        headers = {"Content-Type": photo.content_type, "Content-Length": str(photo.size_bytes), "If-None-Match": "*"}
        if photo.sha256:
            headers["x-amz-checksum-sha256"] = base64.b64encode(bytes.fromhex(photo.sha256)).decode()
        url = self._presigned.address(photo.object_key, headers, self._valid_seconds)
        return Ticket(url, headers, now + timedelta(seconds=self._valid_seconds))

    async def verify(self, scan_id: str, photo: Photo) -> None:
        """Checks that the photo a scan announced is there.

        Its checksum isn't asked for: storage compared it with the content when it took the upload.

        Raises:
            FailedPrecondition: It isn't there (PHOTO_NOT_UPLOADED), or isn't what was announced (PHOTO_MISMATCH).
        """
        try:
            found = await self._bucket.look(photo.object_key)
        except ObjectMissing as error:
            raise FailedPrecondition(Reason.PHOTO_NOT_UPLOADED, scan_id=scan_id) from error
        if found.metadata:
            return  # only services can write any: a start at the same moment won, and Vision has cleaned the photo
        _expect(str(photo.size_bytes), str(found.size))
        _expect(photo.content_type, found.content_type)

    async def remove(self, object_key: str) -> None:
        """Removes a photo; it is no error if it is gone."""
        await self._bucket.remove(object_key)


def _expect(expected: str, actual: str) -> None:
    if expected != actual:
        raise FailedPrecondition(Reason.PHOTO_MISMATCH, expected=expected, actual=actual)
