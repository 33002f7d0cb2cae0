"""What one process at a time does now and then: end, try again, forget."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import asyncpg

from mesh.concurrency.tasks import kept_running
from mesh.s3.bucket import Bucket
from scan_svc.client_jobs.removal import JobRemoval
from scan_svc.events.store import EventRetention
from scan_svc.exports.service import Exports
from scan_svc.hidden_scans.cancellation import HiddenCancellation
from scan_svc.hidden_scans.store import HiddenScanStore
from scan_svc.jobs.dead_letters import DeadLetters
from scan_svc.jobs.periodic import Periodic, PeriodicTask, Schedule
from scan_svc.jobs.retention import Retention
from scan_svc.meters import ScanMeters
from scan_svc.photo_removal.cdn import open_purge
from scan_svc.photo_removal.removal import PhotoRemoval
from scan_svc.photo_removal.store import RemovalStore
from scan_svc.photo_removal.sweeper import UploadSweeper
from scan_svc.progress.progress import Progress
from scan_svc.settings import ScanSettings
from scan_svc.store import ScanStore


@asynccontextmanager
async def open_housekeeping(
    settings: ScanSettings,
    pool: asyncpg.Pool,
    scans: ScanStore,
    bucket: Bucket,
    progress: Progress,
    dead_letters: DeadLetters,
    exports: Exports,
    jobs: JobRemoval,
    meters: ScanMeters,
) -> AsyncIterator[None]:
    """Runs the periodic tasks that are due, until the block is left.

    Args:
        settings: How long scans wait for their photos, and are kept.
        pool: Connections.
        scans: The scans of all users.
        bucket: Their photos.
        progress: Shows the scans that ended.
        dead_letters: What is tried again.
        exports: Files that go after a while.
        jobs: Client jobs, likewise.
        meters: Count what is ended and removed.
    """

    async def expire_uploads() -> None:
        expired = await scans.expire_uploads(settings.expire_seconds)
        meters.ended("expired", len(expired))
        await progress.refresh(expired)
        await jobs.expire_uploads(settings.expire_seconds)

    async def forget_old() -> None:
        await jobs.forget_old(settings.retention_days)
        await retention.forget_old()

    retention = Retention(pool, settings.retention_days)

    cancellation = HiddenCancellation(HiddenScanStore(pool), scans, meters)
    removals = RemovalStore(pool)
    sweeper = UploadSweeper(removals, bucket, lambda: datetime.now(UTC), settings.sweep_after_seconds)
    async with open_purge(settings.cdn_purge_url, settings.cdn_purge_token.get_secret_value()) as purge:
        removal = PhotoRemoval(removals, bucket, purge, settings.photo_settle_seconds, meters)
        tasks = (
            PeriodicTask("expire_uploads", 60, expire_uploads),
            PeriodicTask("cancel_hidden_scans", 10, cancellation.run),
            PeriodicTask("remove_photos", 10, removal.run),
            PeriodicTask("sweep_uploads", 60, sweeper.sweep),
            PeriodicTask("reprocess", 300, dead_letters.reprocess),
            PeriodicTask("forget_exports", 600, exports.forget_expired),
            PeriodicTask("forget_job_files", 600, jobs.forget_files),
            PeriodicTask("sweep_jobs", 600, jobs.sweep),
            PeriodicTask("forget_old", 3600, forget_old),
            PeriodicTask("turn_event_days", 3600, EventRetention(pool, settings.event_days).turn_days),
        )
        async with kept_running(Periodic(Schedule(pool), tasks).run):
            yield
