"""How readers get at a scan: Redis first, PostgreSQL when Redis can't tell.

PostgreSQL is the truth, but between two checkpoints of a running scan a snapshot may be ahead of it.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence

from mesh import outages
from mesh.concurrency.batches import Batches
from mesh.errors import NotFound, Unavailable
from mesh.observability.instruments import Instruments
from mesh.observability.stores import Lookups
from mesh.reasons import Reason
from scan_svc.progress.snapshots import Snapshot, Snapshots
from scan_svc.scans import Scan

# How long a reader waits for a worker to store what it has shown, and how often it looks.
_CATCH_UP_SECONDS = 3.0
_FIRST_PAUSE = 0.02
_LONGEST_PAUSE = 0.25


class ScanReader:
    """Reads scans from Redis, and from PostgreSQL when Redis can't tell.

    Args:
        snapshots: Redis.
        load: Reads many scans and client jobs from PostgreSQL, by id; of one that can't be read, why.
        ask: Asks the workers to store the progress they have shown.
        lookups: Counts which scans needn't be read from PostgreSQL.
    """

    def __init__(
        self,
        snapshots: Snapshots,
        load: Callable[[Sequence[str]], Awaitable[Mapping[str, Scan | Snapshot | Exception]]],
        ask: Callable[[], Awaitable[object]],
        lookups: Lookups | None = None,
    ) -> None:
        self._snapshots = snapshots
        self._loads: Batches[str, Scan | Snapshot] = Batches(load)
        self._ask = ask
        self._lookups = lookups or Lookups(Instruments.off(), "snapshot")

    async def read(self, scan_id: str) -> Snapshot:
        """The scan as it is now.

        Raises:
            NotFound: There is none.
            Unavailable: It is running, and for the moment nobody knows how far it is.
        """
        held = await self._snapshots.read(scan_id)
        if held and self._snapshots.trusts(held):
            self._lookups.hits += 1
            return held
        self._lookups.misses += 1
        try:
            await self._snapshots.outlast_caches()
            stored = await self._load(scan_id)
        except Exception as error:
            if held is None or outages.from_exception(error) is None:
                raise
            return held  # it may be old, but it's the best that anybody knows
        if held and held.at and held.version > stored.version and not self._snapshots.doubts(held):
            # Between two checkpoints the snapshot is ahead of PostgreSQL; showing it again makes it fresh.
            self._snapshots.renew(held)
            return held
        if stored.behind:
            # Redis has lost what the worker told it, and somebody may have seen that.
            stored = await self._caught_up(scan_id)
        if held and held.version > stored.version:
            return held
        self._snapshots.announce(stored)
        return self._snapshots.of(stored)

    async def refresh(self, scan_id: str) -> Scan:
        """The scan as PostgreSQL has it, published; after a change, or when one's own view is in doubt.

        Raises:
            NotFound: There is none.
        """
        scan = await self._load(scan_id)
        if isinstance(scan, Snapshot):
            raise NotFound(Reason.SCAN_NOT_FOUND, scan_id=scan_id)
        await self._snapshots.publish(scan)
        return scan

    async def republish(self, scan_id: str) -> None:
        """Publishes a scan or a client job as PostgreSQL has it.

        Raises:
            NotFound: There is none.
        """
        await self._snapshots.publish(await self._load(scan_id))

    async def _caught_up(self, scan_id: str) -> Scan | Snapshot:
        """A running scan once all that was shown of it is stored."""
        ends_at, pause = time.monotonic() + _CATCH_UP_SECONDS, _FIRST_PAUSE
        while True:
            await self._ask()
            await asyncio.sleep(pause)
            stored = await self._load(scan_id)
            if not stored.behind:
                return stored
            if time.monotonic() >= ends_at:  # its worker has died, too: until another one takes over
                raise Unavailable(Reason.UNAVAILABLE, peer="worker", retry_after=1.0)
            pause = min(pause * 2, _LONGEST_PAUSE)

    async def _load(self, scan_id: str) -> Scan | Snapshot:
        scan = await self._loads.get(scan_id)
        if scan is None:
            raise NotFound(Reason.SCAN_NOT_FOUND, scan_id=scan_id)
        return scan
