"""What one process at a time does now and then: end, try again, forget."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

from mesh.concurrency.tasks import kept_running
from scan_svc.jobs.dead_letters import DeadLetters
from scan_svc.jobs.periodic import Periodic, PeriodicTask, Schedule
from scan_svc.jobs.retention import Retention
from scan_svc.progress.progress import Progress
from scan_svc.settings import ScanSettings
from scan_svc.store import ScanStore


@asynccontextmanager
async def open_housekeeping(
    settings: ScanSettings, pool: asyncpg.Pool, scans: ScanStore, progress: Progress, dead_letters: DeadLetters
) -> AsyncIterator[None]:
    """Runs the periodic tasks that are due, until the block is left.

    Args:
        settings: How long scans wait for their photos, and are kept.
        pool: Connections.
        scans: The scans of all users.
        progress: Shows the scans that ended.
        dead_letters: What is tried again.
    """

    async def expire_uploads() -> None:
        await progress.refresh(await scans.expire_uploads(settings.expire_seconds))

    tasks = (
        PeriodicTask("expire_uploads", 60, expire_uploads),
        PeriodicTask("reprocess", 300, dead_letters.reprocess),
        PeriodicTask("forget_old", 3600, Retention(pool, settings.retention_days).forget_old),
    )
    async with kept_running(Periodic(Schedule(pool), tasks).run):
        yield
