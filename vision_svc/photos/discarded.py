"""Uploads that nobody needs any more, since their clean copies are stored: removed by the dozen, soon.

One request for each upload would cost storage 1 ms of CPU, one for many 0.3 ms each (ADR 0056). What a crash or an
outage leaves is swept by Scan: `scan_svc.photo_removal.sweeper`.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog

from mesh.concurrency.tasks import kept_running
from mesh.errors import Unavailable
from mesh.s3.bucket import Bucket

_log = structlog.get_logger("photos")

_SECONDS = 1.0
_AT_ONCE = 1000
_CLOSE_SECONDS = 3.0


class DiscardedUploads:
    """Uploads that wait for their removal.

    Args:
        bucket: Where they are.
        seconds: How long others are waited for.
    """

    def __init__(self, bucket: Bucket, seconds: float = _SECONDS) -> None:
        self._bucket = bucket
        self._seconds = seconds
        self._keys: list[str] = []
        self._some = asyncio.Event()

    def add(self, key: str) -> None:
        """Has an upload removed."""
        self._keys.append(key)
        self._some.set()

    async def run(self) -> None:
        """Removes for ever."""
        while True:
            await self._some.wait()
            await asyncio.sleep(self._seconds)
            await self.flush()

    async def flush(self) -> None:
        """Removes what waits."""
        self._some.clear()
        while self._keys:
            batch, self._keys = self._keys[:_AT_ONCE], self._keys[_AT_ONCE:]
            try:
                await self._bucket.remove(*batch)
            except Unavailable as error:
                _log.warning("uploads not removed, but will be swept", count=len(batch), error=repr(error))


@asynccontextmanager
async def open_discarded(bucket: Bucket) -> AsyncIterator[DiscardedUploads]:
    """Removes what is discarded until the block is left, and then what is left, if storage is quick."""
    discarded = DiscardedUploads(bucket)
    try:
        async with kept_running(discarded.run):
            yield discarded
    finally:
        try:
            async with asyncio.timeout(_CLOSE_SECONDS):
                await discarded.flush()
        except TimeoutError:
            _log.warning("uploads not removed, but will be swept")
