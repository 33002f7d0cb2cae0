"""Removes uploads that no scan needs any more.

Usually none are left: Vision removes each as soon as its clean copy is stored, and what ends otherwise has its photo
removed by `scan_svc.photo_removal.removal`. This finds what a crash between two steps left, and what was uploaded too
late, which storage takes as long as the address is valid.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

import structlog

from mesh.errors import Unavailable
from mesh.s3.bucket import Bucket
from mesh.s3.photo_keys import ORIGINALS, uploaded_by
from scan_svc.photo_removal.store import RemovalStore

_log = structlog.get_logger("photo removal")

_PAGE = 1000  # what one list tells, and what one request removes
_PAGES = 10


class UploadSweeper:
    """Looks through the uploads, some thousands at a time.

    Args:
        store: Knows which are needed.
        bucket: The photos.
        clock: The time.
        after_seconds: Younger ones are left to those who are at work on them.
        page: How many are looked at by one list.
    """

    def __init__(
        self,
        store: RemovalStore,
        bucket: Bucket,
        clock: Callable[[], datetime],
        after_seconds: float,
        page: int = _PAGE,
    ) -> None:
        self._store = store
        self._bucket = bucket
        self._clock = clock
        self._after_seconds = after_seconds
        self._page = page
        self._seen = ""  # goes on where it ended last, so that a crowd of needed ones hides nothing for ever

    async def sweep(self) -> None:
        """Looks at the next pages, and removes what isn't needed."""
        try:
            for _ in range(_PAGES):
                await self._sweep_page()
                if not self._seen:
                    return
        except Unavailable as error:
            _log.warning("uploads not swept yet", error=repr(error))

    async def _sweep_page(self) -> None:
        uploads = await self._bucket.page(ORIGINALS, after=self._seen, count=self._page)
        before = self._clock() - timedelta(seconds=self._after_seconds)
        old = [(upload.key, uploaded_by(upload.key)) for upload in uploads if upload.modified_at <= before]
        needed = await self._store.needed([scan_id for _, scan_id in old if scan_id])
        # What is no scan's was put there by an operator, such as `python -m mesh.bucket check`.
        forgotten = [key for key, scan_id in old if scan_id and scan_id not in needed]
        await self._bucket.remove(*forgotten)
        if forgotten:
            _log.info("uploads swept", count=len(forgotten))
        self._seen = uploads[-1].key if len(uploads) == self._page else ""
