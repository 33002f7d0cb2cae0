"""Photos in our own bucket: an upload is read, a clean copy of it is published, and the upload removed.

The copy carries what identifies the photo as metadata, so it isn't decoded or cleaned again. A client can't write any
where copies are, nor sign metadata for an upload.
"""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from mesh.errors import NotFound, Unavailable
from mesh.reasons import Reason
from mesh.s3.bucket import Bucket, ObjectChanged, ObjectMissing, StoredObject
from mesh.s3.photo_keys import copy_key
from vision_svc.photos.memfile import MemFile
from vision_svc.photos.photos import Identity, Photo, demand_size

_IDENTITY = "eco2-clean"  # the name of the metadata: digest, width and height of a clean copy
# A day is what a deleted photo may be shown from caches that nobody can purge, such as a phone's own.
_HEADERS = {"Content-Type": "image/jpeg", "Cache-Control": "public, max-age=86400"}


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
    def copy_key(self) -> str:
        """Where its clean copy is, or will be."""
        return copy_key(self.key)

    @property
    def identity(self) -> Identity | None:
        """Which photo it is, if it is a clean copy of ours."""
        return Identity.parse(self.found.metadata.get(_IDENTITY, "")) if self.key == self.copy_key else None

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
        discard: Told the keys of uploads that nobody needs any more.
    """

    def __init__(self, bucket: Bucket, discard: Callable[[str], None]) -> None:
        self._bucket = bucket
        self._discard = discard

    @asynccontextmanager
    async def open(self, key: str, etag: str = "") -> AsyncIterator[StoredPhoto]:
        """The photo with this object key: as it was uploaded, else its clean copy.

        Args:
            key: Where.
            etag: Of the upload that was checked, which is the only one that counts; empty for whatever is there.

        Raises:
            NotFound: PHOTO_NOT_FOUND.
            Unavailable: Storage doesn't answer.
        """
        async with AsyncExitStack() as stack:
            for place, pinned in dict.fromkeys(((key, etag), (copy_key(key), ""))):
                try:
                    found, pieces = await stack.enter_async_context(self._bucket.reading(place, pinned))
                except (ObjectMissing, ObjectChanged):
                    continue
                stored = StoredPhoto(place, found, pieces)
                if stored.identity or (place, pinned) == (key, etag):
                    yield stored
                    return
        raise NotFound(Reason.PHOTO_NOT_FOUND, object_key=key)

    async def publish(self, original: StoredPhoto, photo: Photo) -> None:
        """Stores the clean copy where everybody may read it; the original is discarded then.

        Deleting a scan at this moment may be overtaken by this, and so looks once more (`scan_svc.photo_removal`).

        Args:
            original: What the photo was made of.
            photo: The clean photo.

        Raises:
            NotFound: PHOTO_NOT_FOUND: it was deleted.
            Unavailable: Storage doesn't take it; the original is still there.
        """
        if original.key != original.copy_key:
            await self.put_copy(original.copy_key, photo)
            self._discard(original.key)
            return
        # The release before let clients upload to where the copy is now.
        try:
            await self._bucket.put(original.key, photo.jpeg, _headers(photo), original.found.etag)
        except ObjectChanged:
            # By an earlier try whose answer was lost, by another scan of the same photo, or by its deletion.
            await self._demand_copy(original.key)

    async def put_copy(self, key: str, photo: Photo) -> None:
        """Stores a clean photo where everybody may read it.

        Raises:
            Unavailable: Storage doesn't take it.
        """
        await self._bucket.put(key, photo.jpeg, _headers(photo))

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


def _headers(photo: Photo) -> Mapping[str, str]:
    return {**_HEADERS, _IDENTITY: str(photo.identity)}
