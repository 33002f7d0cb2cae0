"""Object storage in a dictionary, with the conditions that the real one keeps."""

import hashlib
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from mesh.errors import Unavailable
from mesh.reasons import Reason
from mesh.s3.bucket import ObjectChanged, ObjectMissing, StoredObject


class SampleStorage:
    """A bucket.

    Args:
        photos: What clients have uploaded, by key.

    Attributes:
        contents: What is there now, by key.
        sent: Keys whose content was sent, in order.
        failures: How many of the next writes fail.
        content_type: What every upload was signed as.
    """

    def __init__(self, photos: Mapping[str, bytes]) -> None:
        self.contents: dict[str, tuple[bytes, Mapping[str, str]]] = {key: (photo, {}) for key, photo in photos.items()}
        self.sent: list[str] = []
        self.failures = 0
        self.content_type = "image/jpeg"

    async def look(self, key: str) -> StoredObject:
        if key not in self.contents:
            raise ObjectMissing
        content, metadata = self.contents[key]
        digest = hashlib.sha256(content).hexdigest()
        return StoredObject(len(content), self.content_type, f'"{digest}"', metadata)

    @asynccontextmanager
    async def reading(self, key: str, etag: str = "") -> AsyncIterator[tuple[StoredObject, AsyncIterator[bytes]]]:
        found = await self.look(key)
        if etag and found.etag != etag:
            raise ObjectChanged
        content, _ = self.contents[key]

        async def pieces() -> AsyncIterator[bytes]:
            self.sent.append(key)
            yield content

        yield found, pieces()

    async def put(self, key: str, content: bytes, headers: Mapping[str, str], etag: str = "") -> None:
        if self.failures:
            self.failures -= 1
            raise Unavailable(Reason.UNAVAILABLE, peer="s3", retry_after=1.0)
        if etag and (key not in self.contents or (await self.look(key)).etag != etag):
            raise ObjectChanged
        self.contents[key] = (content, headers)

    async def probe(self) -> None:
        pass
