"""How scans are shown, put together: whoever changes a scan shows it here, and whoever reads one asks here."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

import asyncpg

from mesh.errors import NotFound
from mesh.observability.instruments import Instruments
from mesh.observability.stores import Lookups
from mesh.redis import GuardedRedis
from scan_svc.jobs.leases import Lease
from scan_svc.progress.encoder import SnapshotEncoder
from scan_svc.progress.owners import Owners
from scan_svc.progress.progress_log import ProgressLog
from scan_svc.progress.reader import ScanReader
from scan_svc.progress.snapshots import Snapshot, Snapshots
from scan_svc.scans import Scan, State


@dataclass(frozen=True, slots=True)
class Progress:
    """What readers of scans are shown.

    Attributes:
        snapshots: The newest state of each scan, in Redis.
        reader: Reads it there, or from PostgreSQL.
        owners: Whose what is read is.
        log: What this process shows of the scans it works on.
    """

    snapshots: Snapshots
    reader: ScanReader
    owners: Owners
    log: ProgressLog

    def show(self, lease: Lease, scan: Scan, store: Callable[[], None]) -> None:
        """Shows how a scan is that this process works on, or that it has stopped working on. Never fails.

        Args:
            lease: The lease.
            scan: The scan as it is to be shown.
            store: Begins to store results that are shown and aren't stored yet.
        """
        if scan.state is State.RUNNING:
            self.log.show(lease, scan, (scan.version, scan.percent, scan.step.value, None, None), store)
        else:
            self.log.forget(lease)
            self.snapshots.announce(scan)

    async def refresh(self, scan_ids: Sequence[str]) -> None:
        """Shows how scans and client jobs are now that somebody else than their workers changed them."""
        for scan_id in scan_ids:
            with suppress(NotFound):  # deleted meanwhile
                await self.reader.republish(scan_id)


@asynccontextmanager
async def open_progress(
    pool: asyncpg.Pool,
    redis: GuardedRedis,
    load: Callable[[Sequence[str]], Awaitable[Mapping[str, Scan | Snapshot | Exception]]],
    ask_workers: Callable[[], Awaitable[object]],
    instruments: Instruments | None = None,
) -> AsyncIterator[Progress]:
    """What readers of scans are shown; at exit, everything that was announced is out, if Redis is there.

    Args:
        pool: PostgreSQL, where progress goes while Redis is down.
        redis: Redis.
        load: Reads many scans and client jobs from PostgreSQL, by id; of one that can't be read, why.
        ask_workers: Asks those of other processes to store the progress that they have shown.
        instruments: Tell how often Redis knew a scan; None: nobody does.
    """
    snapshots = Snapshots(redis, SnapshotEncoder())
    log = ProgressLog(pool, redis.breaker, snapshots.announce)

    lookups = Lookups(instruments or Instruments.off(), "snapshot")

    async def ask() -> None:
        log.ask()  # of this process' worker, if it works
        await ask_workers()

    try:
        yield Progress(snapshots, ScanReader(snapshots, load, ask, lookups), Owners(pool), log)
    finally:
        await snapshots.flush()
