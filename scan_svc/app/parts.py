"""What serving users and working share: the stores, and all that stands on them alone."""

import functools
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime

import asyncpg
import uuid_utils

from mesh.errors import Unavailable
from mesh.grpc.host import Host
from mesh.observability.instruments import Instruments
from mesh.observability.stores import tell_breaker, tell_pool
from mesh.postgres import open_pool_of
from mesh.redis import GuardedRedis, open_redis
from mesh.replica import Reads, open_reads
from mesh.s3.bucket import Bucket, open_bucket
from mesh.s3.credentials import credentials_of
from mesh.s3.presigned import PresignedUploads
from scan_svc.client_jobs.client_jobs import Kind
from scan_svc.client_jobs.files import JobFiles
from scan_svc.client_jobs.service import ClientJobs
from scan_svc.client_jobs.snapshots import JobSnapshots
from scan_svc.client_jobs.store import ClientJobStore
from scan_svc.client_jobs.work import JobTypes
from scan_svc.exports.service import Exports
from scan_svc.exports.store import ExportStore
from scan_svc.job_types import JobTypeParts
from scan_svc.jobs.dead_letters import DeadLetters
from scan_svc.jobs.notifier import Notifier
from scan_svc.jobs.stats import QueueStatsReader
from scan_svc.meters import ScanMeters
from scan_svc.operations.model_spending import Budget, DaySpending
from scan_svc.pipeline.clients import Peers, open_peers
from scan_svc.pipeline.spending import Spending
from scan_svc.pipeline.stages import ORDER, REWARD
from scan_svc.progress.progress import Progress, open_progress
from scan_svc.settings import ScanSettings
from scan_svc.store import ScanStore
from scan_svc.uploads import Uploads
from scan_svc.webhooks.store import WebhookStore


@dataclass(frozen=True, slots=True)
class Parts:
    """What serving users and working share.

    Attributes:
        settings: The service's.
        pool: Connections to PostgreSQL.
        reads: Where histories are read that may be late.
        redis: Commands to Redis.
        bucket: The photos, and the files of exports.
        presigned: Addresses in it.
        uploads: Photos that are uploaded for scans.
        scans: The scans of all users.
        webhooks: Messages to their receivers.
        export_store: The exports of all users.
        progress: What readers are shown.
        notifier: Tells workers what there is to do.
        stats: How much waits.
        dead_letters: What failed for good.
        peers: The services that do the work.
        exports: Made by workers, asked for by users, removed by housekeeping.
        spending: The day's money.
        meters: Count what is done.
        job_types: The kinds of client jobs.
        job_store: The client jobs of all users.
        job_snapshots: How they are shown.
        job_files: Their files.
        client_jobs: What users do with them.
    """

    settings: ScanSettings
    pool: asyncpg.Pool
    reads: Reads
    redis: GuardedRedis
    bucket: Bucket
    presigned: PresignedUploads
    uploads: Uploads
    scans: ScanStore
    webhooks: WebhookStore
    export_store: ExportStore
    progress: Progress
    notifier: Notifier
    stats: QueueStatsReader
    dead_letters: DeadLetters
    peers: Peers
    exports: Exports
    spending: DaySpending
    meters: ScanMeters
    job_types: JobTypes
    job_store: ClientJobStore
    job_snapshots: JobSnapshots
    job_files: JobFiles
    client_jobs: ClientJobs


@asynccontextmanager
async def open_parts(
    settings: ScanSettings, host: Host | None, instruments: Instruments, job_types: Callable[[JobTypeParts], JobTypes]
) -> AsyncIterator[Parts]:
    """The stores, and all that stands on them alone."""
    async with AsyncExitStack() as stack:
        enter = stack.enter_async_context
        pool = await enter(open_pool_of(settings))
        reads = await enter(open_reads(settings, pool, opened=functools.partial(tell_pool, instruments, "scan-reads")))
        redis = await enter(open_redis(settings.redis_url.get_secret_value()))
        tell_pool(instruments, "scan", pool)
        tell_breaker(instruments, "scan", "redis", lambda: not redis.breaker.closed)
        meters = ScanMeters(instruments)
        scans, export_store = ScanStore(pool, reads), ExportStore(pool)
        keys = credentials_of(settings)
        with suppress(Unavailable):  # whoever lends them is away; uploads are refused until they come
            await keys.fresh()
        bucket, presigned = open_bucket(settings, keys), PresignedUploads(settings, credentials=keys)
        notifier = Notifier(pool, enabled=settings.notify)
        types, job_store = JobTypes(), ClientJobStore(pool)
        job_snapshots = JobSnapshots(types)
        load = job_snapshots.loading(scans.get_many, job_store.get_many)
        progress = await enter(open_progress(pool, redis, load, notifier.ask_for_progress, instruments))
        peers = await enter(open_peers(settings, Spending(pool), host))
        uploads = Uploads(bucket, presigned, settings.cdn_base_url, settings.upload_seconds)
        parts = JobTypeParts(settings, pool, bucket, scans, progress, peers, uploads, notifier.wake, new_id)
        types.add(job_types(parts))
        job_files = JobFiles(bucket, presigned, now, settings.upload_seconds)
        client_jobs = ClientJobs(job_store, types, job_files, progress, job_snapshots, notifier.wake, new_id)
        export_due = functools.partial(notifier.wake, Kind.EXPORT)
        yield Parts(
            settings=settings,
            pool=pool,
            reads=reads,
            redis=redis,
            bucket=bucket,
            presigned=presigned,
            uploads=uploads,
            scans=scans,
            webhooks=WebhookStore(pool, secrets.token_bytes),
            export_store=export_store,
            progress=progress,
            notifier=notifier,
            stats=QueueStatsReader(pool, (*ORDER, REWARD)),
            dead_letters=DeadLetters(pool, progress.reader.republish, notifier.wake, meters),
            peers=peers,
            exports=Exports(export_store, bucket, presigned, export_due, client_jobs.remove, now),
            spending=DaySpending(pool, Budget.of_usd(settings.model_daily_usd, settings.model_user_daily_usd)),
            meters=meters,
            job_types=types,
            job_store=job_store,
            job_snapshots=job_snapshots,
            job_files=job_files,
            client_jobs=client_jobs,
        )


def new_id() -> str:
    """A scan's id, by which scans sort in time."""
    return str(uuid_utils.uuid7())


def now() -> datetime:
    """The time."""
    return datetime.now(UTC)
