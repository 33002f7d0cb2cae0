"""How Scan is put together.

    ScanServicer ──┬─ Lifecycle ── ScanStore, Uploads, WebhookStore, Peers
                   ├─ Replies ──── ReplyStore, Peers
                   ├─ EveningSchedule ── ScanStore, Peers
                   ├─ AccuracyReader
                   ├─ Exports ──── ExportStore, S3
                   ├─ UserData ─── Ownership, Exports, CalendarStore, SubscriptionStore
                   └─ Watchers
    EventStreamServicer ─ Watchers
    CompatServicer ─ Lifecycle, Watchers
    RemindersServicer ── CalendarFeed ── CalendarStore, EveningSchedule, Peers
                      ├─ Subscriptions ── SubscriptionStore, WebhookStore
                      └─ Reminding ── PendingReminders, ClientJobs
    ComparisonServicer ─ ClientJobs, ComparisonStore, Peers
    JobsServicer ─── ClientJobs ── ClientJobStore, JobFiles ── S3; Watchers
    EventsServicer ── EventLog ── EventStore
    OperationsServicer ── DeadLetters, QueueStatsReader, WebhookStore, ScanRecords, WebhookRecords, DaySpending
    Worker ────────┬─ Execution ─────── JobQueue, Pipeline ── Peers
                   ├─ RewardEvaluation ─ RewardStore, Pipeline ── Peers
                   ├─ WebhookDelivery ─ WebhookStore
                   ├─ ExportExecution ─ ExportStore, ScanStore, S3, Peers
                   └─ ClientExecution ─ ClientJobStore, the works of `job_types`

    whoever changes or reads a scan ── Progress ── Redis, PostgreSQL
    the stores ── PostgreSQL      Uploads, housekeeping ── S3      Peers ── Vision, Rules, Character

Everything is built once, here, and taken down in reverse. A process serves users, works, or does both.
"""

import functools
import secrets
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime

import asyncpg
import uuid_utils

from eco2.compat.v1.compat_service_pb2_grpc import add_CompatServiceServicer_to_server
from eco2.events.v1.events_service_pb2_grpc import add_EventsServiceServicer_to_server
from eco2.jobs.v1.comparison_service_pb2_grpc import add_ComparisonServiceServicer_to_server
from eco2.jobs.v1.job_events_service_pb2_grpc import add_JobEventsServiceServicer_to_server
from eco2.jobs.v1.job_pb2 import Job
from eco2.jobs.v1.jobs_service_pb2_grpc import add_JobsServiceServicer_to_server
from eco2.reminders.v1.reminders_service_pb2_grpc import add_RemindersServiceServicer_to_server
from eco2.scan.v1.event_stream_service_pb2_grpc import add_EventStreamServiceServicer_to_server
from eco2.scan.v1.operations_service_pb2_grpc import add_OperationsServiceServicer_to_server
from eco2.scan.v1.scan_service_pb2_grpc import add_ScanServiceServicer_to_server
from mesh.addresses import open_public_client
from mesh.errors import Unavailable
from mesh.grpc.health import Probe
from mesh.grpc.host import Drain, Host
from mesh.grpc.identity import Caller
from mesh.grpc.limits import CallLimit
from mesh.grpc.server import Server, Service, serving
from mesh.observability import telemetry
from mesh.observability.instruments import Instruments
from mesh.observability.stores import tell_breaker, tell_pool
from mesh.observability.users import Pseudonyms
from mesh.postgres import listen, open_pool_of, probe
from mesh.redis import GuardedRedis, open_redis
from mesh.replica import Reads, open_reads
from mesh.s3.bucket import Bucket, open_bucket
from mesh.s3.credentials import credentials_of
from mesh.s3.presigned import PresignedUploads
from scan_svc.admission import open_admission
from scan_svc.client_jobs.client_jobs import Kind
from scan_svc.client_jobs.consumers import consumers as client_consumers
from scan_svc.client_jobs.execution import ClientContext
from scan_svc.client_jobs.files import JobFiles
from scan_svc.client_jobs.removal import JobRemoval
from scan_svc.client_jobs.service import ClientJobs
from scan_svc.client_jobs.servicer import JobsServicer
from scan_svc.client_jobs.snapshots import JobSnapshots
from scan_svc.client_jobs.sse import JobEventsServicer
from scan_svc.client_jobs.store import ClientJobStore
from scan_svc.client_jobs.views import JobViews
from scan_svc.client_jobs.work import JobTypes
from scan_svc.comparisons.store import ComparisonStore
from scan_svc.compat.servicer import CompatServicer
from scan_svc.consumers import JobTables, consumers
from scan_svc.events.log import EventLog
from scan_svc.events.servicer import EventsServicer
from scan_svc.events.store import EventStore
from scan_svc.exports.contents import ExportContents
from scan_svc.exports.execution import ExportContext
from scan_svc.exports.service import Exports
from scan_svc.exports.store import ExportStore
from scan_svc.figures import open_figures
from scan_svc.housekeeping import open_housekeeping
from scan_svc.job_types import JobTypeParts, registered
from scan_svc.jobs.dead_letters import DeadLetters
from scan_svc.jobs.leases import REWARD_KIND, SCAN_KIND
from scan_svc.jobs.notifier import Notifier
from scan_svc.jobs.periodic import Schedule
from scan_svc.jobs.queue import JobQueue
from scan_svc.jobs.stats import QueueStatsReader
from scan_svc.jobs.worker import Worker, open_worker
from scan_svc.jobs.workers import WorkerRegistry
from scan_svc.lifecycle import AdmissionControl, Lifecycle
from scan_svc.meters import ScanMeters
from scan_svc.metrics import EVENT_CONSUMERS
from scan_svc.operations.comparisons import Comparisons, ComparisonServicer
from scan_svc.operations.model_spending import Budget, DaySpending
from scan_svc.operations.scan_records import ScanRecords
from scan_svc.operations.servicer import OperationsServicer, Records
from scan_svc.operations.webhook_records import WebhookRecords
from scan_svc.ownership import Ownership
from scan_svc.pipeline.clients import Peers, open_peers
from scan_svc.pipeline.spending import Spending
from scan_svc.pipeline.stage_limits import stage_limits
from scan_svc.pipeline.stages import ORDER, REWARD, Pipeline
from scan_svc.pipeline.stages_here import StagesHere
from scan_svc.progress.progress import Progress, open_progress
from scan_svc.progress.sse import EventStreamServicer
from scan_svc.progress.subscriber import open_watchers
from scan_svc.progress.watchers import WatchLimits
from scan_svc.reminders.calendar_feed import CalendarFeed
from scan_svc.reminders.calendar_store import CalendarStore
from scan_svc.reminders.pending import PendingReminders
from scan_svc.reminders.reminding import Reminding
from scan_svc.reminders.servicer import RemindersServicer
from scan_svc.reminders.subscribing import Subscriptions
from scan_svc.reminders.subscription_store import SubscriptionStore
from scan_svc.reminders.vapid import push_key
from scan_svc.replies.accuracy import AccuracyReader
from scan_svc.replies.execution import ReplyContext
from scan_svc.replies.service import open_replies
from scan_svc.replies.store import ReplyStore
from scan_svc.rewards.store import RewardStore
from scan_svc.scans import Priority
from scan_svc.schedule import EveningSchedule
from scan_svc.servicer import ScanServicer
from scan_svc.settings import ScanSettings
from scan_svc.store import ScanStore
from scan_svc.uploads import Uploads
from scan_svc.user_data import UserData
from scan_svc.webhooks.store import WebhookStore


@dataclass(frozen=True, slots=True)
class _Parts:
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
async def application(
    settings: ScanSettings, host: Host | None = None, job_types: Callable[[JobTypeParts], JobTypes] = registered
) -> AsyncIterator[Server]:
    """Scan, serving and working until the block is left.

    Args:
        settings: Its settings.
        host: The process it shares with other services.
        job_types: Makes the kinds of client jobs.
    """
    async with AsyncExitStack() as stack:
        enter = stack.enter_async_context
        shared = stack.enter_context(telemetry.started("scan", settings, host.instruments if host else None))
        calls = CallLimit(settings.call_limit)
        parts = await enter(_open_parts(settings, host, shared.instruments, job_types))
        await enter(open_figures(shared.instruments, parts.pool, parts.stats, parts.spending))

        # Redis isn't among the dependencies: without it everything works, slower.
        dependencies: dict[str, Probe] = {"postgres": functools.partial(probe, parts.pool)}
        services: Sequence[Service] = ()
        drains: list[Drain] = []

        if settings.scan_role != "api":
            worker = await enter(_open_work(parts))
            dependencies["worker"] = worker.probe
            drains.append(worker.leave)  # beside the calls, not after them: a pod is given one grace for both

        if settings.scan_role != "worker":
            services, drain = await enter(_open_api(parts, calls, shared.pseudonyms))
            drains.append(drain)

        yield await enter(
            serving(
                settings, services, telemetry=shared, dependencies=dependencies, drains=drains, calls=calls, host=host
            )
        )


@asynccontextmanager
async def _open_parts(
    settings: ScanSettings, host: Host | None, instruments: Instruments, job_types: Callable[[JobTypeParts], JobTypes]
) -> AsyncIterator[_Parts]:
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
        parts = JobTypeParts(settings, pool, bucket, scans, progress, peers, uploads, notifier.wake, _new_id)
        types.add(job_types(parts))
        job_files = JobFiles(bucket, presigned, _now, settings.upload_seconds)
        client_jobs = ClientJobs(job_store, types, job_files, progress, job_snapshots, notifier.wake, _new_id)
        export_due = functools.partial(notifier.wake, Kind.EXPORT)
        yield _Parts(
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
            exports=Exports(export_store, bucket, presigned, export_due, client_jobs.remove, _now),
            spending=DaySpending(pool, Budget.of_usd(settings.model_daily_usd, settings.model_user_daily_usd)),
            meters=meters,
            job_types=types,
            job_store=job_store,
            job_snapshots=job_snapshots,
            job_files=job_files,
            client_jobs=client_jobs,
        )


@asynccontextmanager
async def _open_work(parts: _Parts) -> AsyncIterator[Worker]:
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
        exporting = ExportContext(parts.export_store, contents, parts.bucket, _now, meters=meters)
        web = await enter(open_public_client("callback_url", redirects=0))
        removal = JobRemoval(
            parts.job_store, parts.job_files, parts.bucket, parts.client_jobs, progress.refresh, _now,
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


@asynccontextmanager
async def _open_api(
    parts: _Parts, calls: CallLimit, pseudonyms: Pseudonyms
) -> AsyncIterator[tuple[Sequence[Service], Drain]]:
    """What users and operators call, and how those who watch are sent away."""
    settings, pool, scans, progress, peers = parts.settings, parts.pool, parts.scans, parts.progress, parts.peers
    async with AsyncExitStack() as stack:
        enter = stack.enter_async_context
        admission = await enter(
            open_admission(parts.stats.backlog, _longest_stays(settings), settings.admission_always)
        )
        limits = WatchLimits(settings.watcher_limit, settings.user_watcher_limit, settings.heartbeat_seconds)
        watchers = await enter(open_watchers(limits, parts.redis, progress, admission.left, parts.meters))
        control = AdmissionControl(admission, functools.partial(parts.notifier.wake, SCAN_KIND), parts.meters)
        demand = peers.rules.demand_building
        pending = PendingReminders(pool, parts.client_jobs.cancel)
        lifecycle = Lifecycle(
            *(scans, progress, parts.uploads, parts.webhooks, control, demand, _new_id, _now, parts.meters),
            pending.cancel,
        )
        reward_due = functools.partial(parts.notifier.wake, REWARD_KIND)
        replying = ReplyContext(ReplyStore(pool), progress.reader.refresh, peers.rules, peers.character, reward_due)
        schedule = EveningSchedule(scans, peers.rules, _now, pending.cancel)
        calendars, subscriptions = CalendarStore(pool), SubscriptionStore(pool)
        servicer = ScanServicer(
            lifecycle,
            await enter(open_replies(replying, scans.get)),
            watchers,
            schedule,
            AccuracyReader(parts.reads),
            parts.exports,
            UserData(
                *(Ownership(pool), progress.owners, parts.exports, calendars, subscriptions, parts.client_jobs),
                lifecycle.delete,
            ),
            calls,
        )
        records = Records(ScanRecords(pool), WebhookRecords(pool, parts.webhooks), parts.spending)
        operations = OperationsServicer(parts.dead_letters, parts.stats, parts.webhooks, records, pseudonyms)
        reminders = RemindersServicer(
            CalendarFeed(calendars, schedule, peers.rules, demand, secrets.token_bytes),
            Subscriptions(subscriptions, parts.webhooks, push_key(settings)),
            Reminding(pending, parts.client_jobs),
            parts.job_types,
        )
        views = JobViews(parts.job_types, parts.job_files)
        compat = CompatServicer(lifecycle, watchers, functools.partial(_read_job, parts.client_jobs, views))
        jobs = JobsServicer(parts.client_jobs, watchers, views), JobEventsServicer(watchers, views)
        comparing = Comparisons(parts.client_jobs, parts.job_types, ComparisonStore(pool), peers.compared)
        comparisons = ComparisonServicer(comparing)
        store = EventStore(pool)
        hear = functools.partial(_hear_events, settings.direct_url.get_secret_value())
        log = EventLog(store, hear, settings.event_consumer_limit, settings.heartbeat_seconds)
        parts.meters.instruments.observe(EVENT_CONSUMERS, lambda: [(log.count, {})])

        def drain() -> None:
            watchers.drain()
            log.drain()

        services = _services(servicer, EventStreamServicer(watchers), operations, compat, reminders, jobs, comparisons)
        yield (*services, _events(EventsServicer(log, store))), drain


def _services(
    scans: ScanServicer,
    events: EventStreamServicer,
    operations: OperationsServicer,
    compat: CompatServicer,
    reminders: RemindersServicer,
    jobs: tuple[JobsServicer, JobEventsServicer],
    comparisons: ComparisonServicer,
) -> Sequence[Service]:
    return (
        Service("eco2.scan.v1.ScanService", add_ScanServiceServicer_to_server, scans),
        Service("eco2.scan.v1.EventStreamService", add_EventStreamServiceServicer_to_server, events),
        Service("eco2.scan.v1.OperationsService", add_OperationsServiceServicer_to_server, operations),
        Service("eco2.compat.v1.CompatService", add_CompatServiceServicer_to_server, compat),
        Service("eco2.reminders.v1.RemindersService", add_RemindersServiceServicer_to_server, reminders),
        Service("eco2.jobs.v1.JobsService", add_JobsServiceServicer_to_server, jobs[0]),
        Service("eco2.jobs.v1.JobEventsService", add_JobEventsServiceServicer_to_server, jobs[1]),
        Service("eco2.jobs.v1.ComparisonService", add_ComparisonServiceServicer_to_server, comparisons),
    )


def _events(servicer: EventsServicer) -> Service:
    return Service("eco2.events.v1.EventsService", add_EventsServiceServicer_to_server, servicer)


def _longest_stays(settings: ScanSettings) -> Mapping[Priority, float]:
    """How long scans may be expected to stay when they are taken; half of a batch scan's time is for its own work."""
    return {Priority.INTERACTIVE: settings.admission_seconds, Priority.BATCH: settings.batch_seconds / 2}


async def _hear_events(dsn: str, news: Callable[[], None]) -> None:
    """Calls back whenever there may be new events, for ever."""
    await listen(dsn, {"scan_event": lambda _: news()})


def _new_id() -> str:
    """A scan's id, by which scans sort in time."""
    return str(uuid_utils.uuid7())


async def _read_job(jobs: ClientJobs, views: JobViews, job_id: str, who: Caller) -> Job:
    """A client job, as its reader is shown it."""
    return views.read(await jobs.read(who.user_id, job_id), who)


def _now() -> datetime:
    return datetime.now(UTC)
