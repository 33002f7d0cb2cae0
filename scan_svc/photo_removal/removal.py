"""Removes the photos of scans that were cancelled, deleted, never started, or failed for good.

A durable job: what can't be removed or purged now is tried again, for two days.
"""

from collections.abc import Sequence

import structlog

from mesh.errors import Unavailable
from mesh.s3.bucket import Bucket
from mesh.s3.photo_keys import copy_key, is_public, photo_keys
from scan_svc.meters import ScanMeters
from scan_svc.photo_removal.cdn import CdnPurge
from scan_svc.photo_removal.store import DueRemoval, RemovalStore

_log = structlog.get_logger("photo removal")

_BATCH = 500  # photos: a thousand keys, which is what storage removes by one request; a clip has ten
# After a day no cache shows a photo any more, and after longer without storage its lifecycle has removed it.
_GIVEN_UP_SECONDS = 2 * 86_400.0


class PhotoRemoval:
    """What is due, removed.

    Args:
        store: Knows what is due.
        bucket: The photos.
        purge: Has caches forget them; None if no CDN wants to be told.
        settle_seconds: How long after its end somebody may still be at work on a scan.
        meters: Count what is removed.
    """

    def __init__(
        self,
        store: RemovalStore,
        bucket: Bucket,
        purge: CdnPurge | None,
        settle_seconds: float,
        meters: ScanMeters | None = None,
    ) -> None:
        self._store = store
        self._bucket = bucket
        self._purge = purge
        self._settle_seconds = settle_seconds
        self._meters = meters or ScanMeters.off()

    async def run(self) -> None:
        """Removes whatever is due now."""
        while due := await self._store.claim(_BATCH):
            removed = await self._removed(due)
            await self._store.done([one.scan_id for one in due if removed or one.age > _GIVEN_UP_SECONDS],
                                   self._settle_seconds)  # fmt: skip
            if not removed:
                return

    async def _removed(self, due: Sequence[DueRemoval]) -> bool:
        """Removes from storage first: a cache that is purged before would fetch it again."""
        try:
            await self._bucket.remove(*(key for one in due for key in photo_keys(one.object_key)))
            if self._purge:
                await self._purge.purge([url for one in due for url in _addresses(one)])
        except Unavailable as error:
            _log.warning("photos not removed yet", count=len(due), error=repr(error))
            self._meters.photos("failed", len(due))
            return False
        _log.info("photos removed", count=len(due))
        self._meters.photos("removed", len(due))
        return True


def _addresses(due: DueRemoval) -> Sequence[str]:
    """Where the photo could be seen, or all frames of a clip."""
    base = due.image_url.removesuffix(copy_key(due.object_key))
    return [f"{base}{key}" for key in photo_keys(due.object_key) if is_public(key)]
