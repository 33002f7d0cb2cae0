"""The part of Scan that works: on scans, on what follows from them, and on client jobs."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from mesh.addresses import open_public_client
from mesh.observability.stores import tell_pool
from mesh.postgres import open_pool_of
from scan_svc.app.parts import Parts, now
from scan_svc.client_jobs.consumers import consumers as client_consumers
from scan_svc.client_jobs.execution import ClientContext
from scan_svc.client_jobs.removal import JobRemoval
from scan_svc.consumers import JobTables, consumers
from scan_svc.exports.contents import ExportContents
from scan_svc.exports.execution import ExportContext
from scan_svc.housekeeping import open_housekeeping
from scan_svc.jobs.periodic import Schedule
from scan_svc.jobs.queue import JobQueue
from scan_svc.jobs.worker import Worker, open_worker
from scan_svc.jobs.workers import WorkerRegistry
from scan_svc.pipeline.stage_limits import stage_limits
from scan_svc.pipeline.stages import Pipeline
from scan_svc.pipeline.stages_here import StagesHere
from scan_svc.rewards.store import RewardStore


@asynccontextmanager
async def open_work(parts: Parts) -> AsyncIterator[Worker]:
    """The worker and the housekeeping, at work until the block is left."""
    settings, pool, progress, peers, meters = parts.settings, parts.pool, parts.progress, parts.peers, parts.meters
    async with AsyncExitStack() as stack:
        enter = stack.enter_async_context
        heartbeats = await enter(open_pool_of(settings, max_size=1))
        tell_pool(meters.instruments, "scan-heartbeat", heartbeats)
        workers = WorkerRegistry(pool, heartbeats, settings.stages_here)
        queue = JobQueue(pool, StagesHere(settings.stages_here).claimed, settings.batch_aging_seconds)
        tables = JobTables(workers, Schedule(pool), queue, RewardStore(pool), parts.webhooks)
        pipeline = Pipeline(stage_limits(settings), peers.vision, peers.rules, peers.character)
        contents = ExportContents(parts.export_store, parts.bucket, peers.character.collection)
        exporting = ExportContext(parts.export_store, contents, parts.bucket, now, meters=meters)
        web = await enter(open_public_client("callback_url", redirects=0))
        removal = JobRemoval(
            parts.job_store, parts.job_files, parts.bucket, parts.client_jobs, progress.refresh, now,
            settings.sweep_after_seconds,
        )  # fmt: skip
        context = ClientContext(
            parts.job_store, progress, parts.job_snapshots, parts.job_files.tidy, settings.backoff_seconds, meters
        )
        wake = parts.notifier.wake
        worker = Worker(
            workers,
            [
                *consumers(settings, tables, pipeline, progress, wake, web, exporting, meters),
                *client_consumers(context, parts.job_types, workers, tables.schedule, settings.lease_seconds, wake),
            ],
            lease_seconds=settings.lease_seconds,
            grace_seconds=settings.grace_seconds,
            rescued=progress.refresh,
            beside=progress.log.run,
            meters=meters,
        )
        await enter(
            open_housekeeping(
                settings, pool, parts.scans, parts.bucket, progress, parts.dead_letters, parts.exports, removal, meters
            )
        )
        heard_at = settings.direct_url.get_secret_value()
        yield await enter(open_worker(worker, parts.notifier, heard_at, progress.log.ask))
