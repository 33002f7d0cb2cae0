"""Stores a clip's frames as clean photos: loads the clip, has its frames taken out, puts each where photos are."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Protocol

from mesh.errors import NotFound
from mesh.reasons import Reason
from mesh.s3.bucket import Bucket, ObjectChanged, ObjectMissing
from mesh.s3.photo_keys import frame_key
from vision_svc.clips.clips import Frame, Seen, StoredFrame, demand_size
from vision_svc.photos.bulkhead import Bulkhead
from vision_svc.photos.locations import Stored
from vision_svc.photos.memfile import MemFile, memfile
from vision_svc.photos.photos import Photo


class Decoder(Protocol):
    """Takes frames out; `vision_svc.clips.clip_decoder.ClipDecoder`."""

    def extract(self, file: MemFile, most: int, account: str = "") -> AsyncGenerator[Seen | Sequence[Frame]]:
        """Yields how far the clip was looked through, then its frames."""


class Copies(Protocol):
    """Clean photos; `vision_svc.photos.storage.PhotoStorage`."""

    async def put_copy(self, key: str, photo: Photo) -> None:
        """Stores one where everybody may read it."""


class ClipFrames:
    """Frames of clips in our storage.

    Args:
        bucket: Where the clips are.
        copies: Where the frames go.
        decoder: Takes them out.
        bulkhead: Room for clips in memory, which are many times as large as photos.
    """

    def __init__(self, bucket: Bucket, copies: Copies, decoder: Decoder, bulkhead: Bulkhead) -> None:
        self._bucket = bucket
        self._copies = copies
        self._decoder = decoder
        self._bulkhead = bulkhead

    async def extract(
        self, clip: Stored, scan_id: str, most: int, account: str
    ) -> AsyncGenerator[Seen | Sequence[StoredFrame]]:
        """Yields how far the clip was looked through, then its frames, which are stored by then.

        Args:
            clip: The clip.
            scan_id: The scan whose photos they become.
            most: How many.
            account: The user it is done for; "" for nobody in particular.

        Raises:
            EcoError: There is no such clip, it is refused, there is no room, or storage doesn't answer.
        """
        async with self._bulkhead.slot(account):
            with memfile(demand_size) as file:
                await self._load(clip, file)
                async with aclosing(self._decoder.extract(file, most, account)) as events:
                    async for event in events:
                        yield event if isinstance(event, Seen) else await self._store(scan_id, event)

    async def _load(self, clip: Stored, into: MemFile) -> None:
        try:
            async with self._bucket.reading(clip.key, clip.etag) as (found, pieces):
                demand_size(found.size)
                async for piece in pieces:
                    into.write(piece)
        except (ObjectMissing, ObjectChanged) as error:
            raise NotFound(Reason.VIDEO_NOT_FOUND, object_key=clip.key) from error

    async def _store(self, scan_id: str, frames: Sequence[Frame]) -> Sequence[StoredFrame]:
        stored = []
        for number, frame in enumerate(frames):
            key = frame_key(scan_id, number)
            await self._copies.put_copy(key, Photo(frame.jpeg, frame.identity))
            stored.append(StoredFrame(key, frame.identity, frame.second))
        return stored
