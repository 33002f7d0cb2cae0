"""Small pictures of photos, for tables: made of clean copies alone, by the decoder's processes."""

from collections.abc import Awaitable, Callable

from mesh.errors import NotFound
from mesh.reasons import Reason
from mesh.s3.photo_keys import copy_key
from vision_svc.classify import PhotoSource, StoredPhotos
from vision_svc.photos.memfile import MemFile, memfile

Shrink = Callable[[MemFile, int, str], Awaitable[bytes]]
"""A small JPEG of a clean copy, for an account; `vision_svc.photos.decoder_pool.DecoderPool.thumbnail`."""


class Thumbnails:
    """Makes thumbnails.

    Args:
        photos: Our own storage, with the slots that classifying photos has: thumbnails give way there, as batch scans.
        shrink: The decoder.
    """

    def __init__(self, photos: PhotoSource[StoredPhotos], shrink: Shrink) -> None:
        self._photos = photos
        self._shrink = shrink

    async def make(self, key: str, side: int, account: str) -> bytes:
        """A small JPEG of the clean copy of the photo with this object key.

        Args:
            key: Of an upload or a clean copy.
            side: Pixels of the longer side, at most.
            account: The user it is made for.

        Raises:
            NotFound: There is no clean copy.
            ResourceExhausted: Too many photos wait.
            Unavailable: Storage doesn't answer, or nothing can be decoded.
        """
        async with self._photos.bulkhead.slot(account, batch=True), self._photos.source.open(copy_key(key)) as stored:
            if stored.identity is None:
                raise NotFound(Reason.PHOTO_NOT_FOUND, object_key=key)
            with memfile() as file:
                await stored.save(file)
                return await self._shrink(file, side, account)
