"""Photos in our own bucket, which a clean copy replaces unless they came clean.

The copy carries what identifies the photo as metadata. Storage takes metadata only from whoever signs it, so it is our
own word: what has it is a clean JPEG of ours, and isn't decoded or cleaned again.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from mesh.errors import NotFound, Unavailable
from mesh.reasons import Reason
from mesh.s3.bucket import Bucket, ObjectChanged, ObjectMissing, StoredObject
from vision_svc.photos.memfile import MemFile
from vision_svc.photos.photos import Identity, Photo, demand_size

_IDENTITY = "eco2-clean"  # the name of the metadata: digest, width and height of a clean copy
_JPEG = "image/jpeg"


@dataclass(frozen=True, slots=True)
class StoredPhoto:
    """A photo that storage has begun to send.

    Attributes:
        key: Where it is.
        found: What storage tells of it.
        pieces: Its content; what isn't read isn't sent.
    """

    key: str
    found: StoredObject
    pieces: AsyncIterator[bytes]

    @property
    def fingerprint(self) -> str:
        """What storage vouches for: equal where the bytes are equal."""
        return self.found.etag.strip('"')

    @property
    def name(self) -> str:
        """Tells this file at this place from all others."""
        return f"{self.key} {self.fingerprint}"

    @property
    def identity(self) -> Identity | None:
        """Which photo it is, if it is a clean copy of ours."""
        return Identity.parse(self.found.metadata.get(_IDENTITY, ""))

    def may_stay(self, came_clean: bool) -> bool:
        """Whether the file may stay as it came.

        Args:
            came_clean: Whether it is a clean JPEG, by its content; what storage says that it is counts as well.
        """
        return came_clean and self.found.content_type == _JPEG

    async def save(self, into: MemFile) -> None:
        """Loads the content.

        Raises:
            InvalidArgument: PHOTO_EMPTY or PHOTO_TOO_LARGE, told by its length before it is read.
        """
        demand_size(self.found.size)
        async for piece in self.pieces:
            into.write(piece)
        demand_size(len(into))


class PhotoStorage:
    """The photos.

    Args:
        bucket: Ours.
    """

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket

    @asynccontextmanager
    async def open(self, key: str) -> AsyncIterator[StoredPhoto]:
        """The photo with this object key.

        Raises:
            NotFound: PHOTO_NOT_FOUND.
            Unavailable: Storage doesn't answer.
        """
        try:
            async with self._bucket.reading(key) as (found, pieces):
                yield StoredPhoto(key, found, pieces)
        except ObjectMissing as error:
            raise NotFound(Reason.PHOTO_NOT_FOUND, object_key=key) from error

    async def replace(self, key: str, original: StoredObject, photo: Photo) -> None:
        """Puts the clean copy where the original was; what is already replaced is left as it is.

        A photo that was deleted meanwhile stays deleted: storage replaces only what it still has.

        Args:
            key: Where.
            original: What was seen there.
            photo: The clean photo.

        Raises:
            NotFound: PHOTO_NOT_FOUND: it was deleted.
            Unavailable: Storage doesn't take it; the original is still there.
        """
        metadata = {_IDENTITY: str(photo.identity)}
        try:
            await self._bucket.replace(key, photo.jpeg, _JPEG, metadata, original.etag)
        except ObjectChanged:
            # By an earlier try whose answer was lost, by another scan of the same photo, or by its deletion.
            await self._demand_copy(key)

    async def probe(self) -> None:
        """Asks for the bucket; raises if it can't be reached."""
        await self._bucket.probe()

    async def _demand_copy(self, key: str) -> None:
        try:
            found = await self._bucket.look(key)
        except ObjectMissing as error:
            raise NotFound(Reason.PHOTO_NOT_FOUND, object_key=key) from error
        if _IDENTITY not in found.metadata:
            raise Unavailable(Reason.UNAVAILABLE, peer="s3", retry_after=1.0)
