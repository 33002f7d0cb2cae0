"""Photos of a zip in object storage, one at a time: whatever is in it, no more than a photo's bytes are held."""

import asyncio
import struct
import zlib
from collections.abc import Mapping
from pathlib import PurePosixPath
from types import MappingProxyType

from mesh.errors import InvalidArgument
from mesh.reasons import Reason
from mesh.s3.bucket import Bucket
from scan_svc.batches.rows import PackedPhoto
from scan_svc.scans import PhotoUpload
from scan_svc.uploads import LARGEST_BYTES

_TYPES: Mapping[str, str] = MappingProxyType(
    {
        ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".png": "image/png", ".webp": "image/webp", ".heic": "image/heic",
        ".heif": "image/heif",
    }
)  # fmt: skip
_ALLOWED = "JPEG, PNG, WEBP, HEIC"
# The header before an entry's content: where the lengths of its name and of what follows it stand.
_HEADER = struct.Struct("<4s22xHH")
_HEADER_START = b"PK\x03\x04"
_USUAL_REST = 1 << 10  # bytes of names and the like; more are fetched if there are more


def announced(photo: PackedPhoto) -> PhotoUpload:
    """The photo as its upload is announced.

    Raises:
        InvalidArgument: PHOTO_FORMAT, PHOTO_EMPTY, PHOTO_TOO_LARGE, or PHOTO_UNREADABLE: it needs a password.
    """
    suffix = PurePosixPath(photo.name).suffix.lower()
    if suffix not in _TYPES:
        raise InvalidArgument(Reason.PHOTO_FORMAT, format=suffix.lstrip(".").upper() or "?", allowed=_ALLOWED)
    if photo.encrypted:
        raise InvalidArgument(Reason.PHOTO_UNREADABLE, detail="password")
    if not photo.size:
        raise InvalidArgument(Reason.PHOTO_EMPTY)
    if max(photo.size, photo.packed) > LARGEST_BYTES:
        limit, actual = f"{LARGEST_BYTES:,} bytes", f"{photo.size:,} bytes"
        raise InvalidArgument(Reason.PHOTO_TOO_LARGE, limit=limit, actual=actual)
    return PhotoUpload(_TYPES[suffix], photo.size)


async def unpacked(bucket: Bucket, key: str, photo: PackedPhoto) -> bytes:
    """The content of a photo that can be announced.

    Raises:
        InvalidArgument: PHOTO_UNREADABLE: the zip is broken there.
        Unavailable: Storage doesn't answer.
    """
    start = await bucket.part(key, photo.offset, _HEADER.size + _USUAL_REST + photo.packed)
    if len(start) < _HEADER.size or not start.startswith(_HEADER_START):
        raise _broken()
    _, name, extra = _HEADER.unpack_from(start)
    content_at = _HEADER.size + name + extra
    packed = start[content_at : content_at + photo.packed]
    if missing := photo.packed - len(packed):
        packed += await bucket.part(key, photo.offset + content_at + len(packed), missing)
    return await asyncio.to_thread(_content, packed, photo)


def _content(packed: bytes, photo: PackedPhoto) -> bytes:
    content = packed
    if photo.deflated:
        unpack = zlib.decompressobj(-zlib.MAX_WBITS)
        try:
            content = unpack.decompress(packed, photo.size + 1)  # what claims to be smaller ends here
        except zlib.error as error:
            raise _broken() from error
    if len(content) != photo.size or zlib.crc32(content) != photo.checksum:
        raise _broken()
    return content


def _broken() -> InvalidArgument:
    return InvalidArgument(Reason.PHOTO_UNREADABLE, detail="zip")
