"""How Scan is put together.

    ScanServicer ──┬─ Lifecycle ── ScanStore, Uploads, WebhookStore, Peers
                   ├─ Replies ──── ReplyStore, Peers
                   ├─ EveningSchedule ── ScanStore, Peers
                   ├─ AccuracyReader
                   ├─ Exports ──── ExportStore, S3
                   ├─ UserData ─── Ownership, Exports
                   └─ Watchers
    EventStreamServicer ─ Watchers
    OperationsServicer ── DeadLetters, QueueStatsReader, WebhookStore
    Worker ────────┬─ Execution ─────── JobQueue, Pipeline ── Peers
                   ├─ RewardEvaluation ─ RewardStore, Pipeline ── Peers
                   ├─ WebhookDelivery ─ WebhookStore
                   └─ ExportExecution ─ ExportStore, ScanStore, S3, Peers

    whoever changes or reads a scan ── Progress ── Redis, PostgreSQL
    the stores ── PostgreSQL      Uploads, housekeeping ── S3      Peers ── Vision, Rules, Character

Everything is built once, here, and taken down in reverse. A process serves users, works, or does both.
"""

import functools
import secrets
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import uuid_utils

from eco2.scan.v1.event_stream_service_pb2_grpc import add_EventStreamServiceServicer_to_server
from eco2.scan.v1.operations_service_pb2_grpc import add_OperationsServiceServicer_to_server
from eco2.scan.v1.scan_service_pb2_grpc import add_ScanServiceServicer_to_server
from mesh.addresses import open_public_client
from mesh.grpc.health import Probe
from mesh.grpc.host import Drain, Host
from mesh.grpc.limits import CallLimit
from mesh.grpc.server import Server, Service, serving
from mesh.observability import telemetry
from mesh.postgres import open_pool, probe
from mesh.redis import open_redis
from mesh.s3.bucket import open_bucket
from mesh.s3.presigned import PresignedUploads
from scan_svc.admission import open_admission
from scan_svc.consumers import JobTables, consumers
from scan_svc.exports.contents import ExportContents
from scan_svc.exports.execution import ExportContext
from scan_svc.exports.service import Exports
from scan_svc.exports.store import ExportStore
from scan_svc.housekeeping import open_housekeeping
from scan_svc.jobs.dead_letters import DeadLetters
from scan_svc.jobs.leases import EXPORT_KIND, REWARD_KIND, SCAN_KIND
from scan_svc.jobs.notifier import Notifier
from scan_svc.jobs.periodic import Schedule
from scan_svc.jobs.queue import JobQueue
from scan_svc.jobs.stats import QueueStatsReader
from scan_svc.jobs.worker import Worker, open_worker
from scan_svc.jobs.workers import WorkerRegistry
from scan_svc.lifecycle import AdmissionControl, Lifecycle
from scan_svc.operations.servicer import OperationsServicer
from scan_svc.ownership import Ownership
from scan_svc.pipeline.clients import open_peers
from scan_svc.pipeline.spending import Spending
from scan_svc.pipeline.stages import DEFAULTS, ORDER, REWARD, Pipeline, Stage
from scan_svc.progress.progress import open_progress
from scan_svc.progress.sse import EventStreamServicer
from scan_svc.progress.subscriber import open_watchers
from scan_svc.progress.watchers import WatchLimits
from scan_svc.replies.accuracy import AccuracyReader
from scan_svc.replies.execution import ReplyContext
from scan_svc.replies.service import open_replies
from scan_svc.replies.store import ReplyStore
from scan_svc.rewards.store import RewardStore
from scan_svc.schedule import EveningSchedule
from scan_svc.servicer import ScanServicer
from scan_svc.settings import ScanSettings
from scan_svc.store import ScanStore
from scan_svc.uploads import Uploads
from scan_svc.user_data import UserData
from scan_svc.webhooks.store import WebhookStore


@asynccontextmanager
async def application(settings: ScanSettings, host: Host | None = None) -> AsyncIterator[Server]:
    """Scan, serving and working until the block is left."""
    async with AsyncExitStack() as stack:
        enter = stack.enter_async_context
        shared = stack.enter_context(telemetry.started("scan", settings))
        calls = CallLimit(settings.call_limit)

        # The stores.
        dsn = settings.database_url.get_secret_value()
        pool = await enter(open_pool(dsn))
        redis = await enter(open_redis(settings.redis_url.get_secret_value()))
        scans, webhooks = ScanStore(pool), WebhookStore(pool, secrets.token_bytes)
        bucket = open_bucket(settings)

        # Progress: what readers are shown.
        notifier = Notifier(pool, enabled=settings.notify)
        progress = await enter(open_progress(pool, redis, scans.get_many, notifier.ask_for_progress))

        # Jobs, and the services that do the work.
        stats = QueueStatsReader(pool, (*ORDER, REWARD))
        dead_letters = DeadLetters(pool, progress.reader.refresh, notifier.wake)
        peers = await enter(open_peers(settings, Spending(pool), host))

        # Exports: made by workers, asked for by users, removed by housekeeping.
        presigned, export_store = PresignedUploads(settings), ExportStore(pool)
        export_due = functools.partial(notifier.wake, EXPORT_KIND)
        exports = Exports(export_store, bucket, presigned, export_due, _now)

        # Redis isn't among the dependencies: without it everything works, slower.
        dependencies: dict[str, Probe] = {"postgres": functools.partial(probe, pool)}
        services: Sequence[Service] = ()
        drains: list[Drain] = []

        if settings.scan_role != "api":
            workers = WorkerRegistry(pool, await enter(open_pool(dsn, max_size=1)))
            tables = JobTables(workers, Schedule(pool), JobQueue(pool), RewardStore(pool), webhooks)
            pipeline = Pipeline(_stages(settings), peers.vision, peers.rules, peers.character)
            contents = ExportContents(scans, export_store, bucket, peers.character.collection)
            web = await enter(open_public_client("callback_url", redirects=0))
            tracer = shared.tracer if shared.exporting else None
            worker = Worker(
                workers,
                consumers(
                    *(settings, tables, pipeline, progress, notifier.wake, web, tracer),
                    ExportContext(export_store, contents, bucket, _now),
                ),
                lease_seconds=settings.lease_seconds,
                grace_seconds=settings.grace_seconds,
                rescued=progress.refresh,
                beside=progress.log.run,
            )
            await enter(open_housekeeping(settings, pool, scans, bucket, progress, dead_letters, exports))
            await enter(open_worker(worker, notifier, dsn, progress.log.ask))
            dependencies["worker"] = worker.probe
            drains.append(worker.leave)  # beside the calls, not after them: a pod is given one grace for both

        if settings.scan_role != "worker":
            limits = WatchLimits(settings.watcher_limit, settings.user_watcher_limit, settings.heartbeat_seconds)
            admission = await enter(
                open_admission(stats.backlog, settings.admission_seconds, settings.admission_always)
            )
            watchers = await enter(open_watchers(limits, redis, progress, admission.left))
            uploads = Uploads(bucket, presigned, settings.cdn_base_url, settings.upload_seconds)
            control = AdmissionControl(admission, functools.partial(notifier.wake, SCAN_KIND))
            demand = peers.rules.demand_building
            lifecycle = Lifecycle(scans, progress, uploads, webhooks, control, demand, _new_id, _now)
            reward_due = functools.partial(notifier.wake, REWARD_KIND)
            replying = ReplyContext(ReplyStore(pool), progress.reader.refresh, peers.rules, peers.character, reward_due)
            replies = await enter(open_replies(replying, scans.get))
            services = _services(
                ScanServicer(
                    lifecycle,
                    replies,
                    watchers,
                    EveningSchedule(scans, peers.rules, _now),
                    AccuracyReader(pool),
                    exports,
                    UserData(Ownership(pool), progress.owners, exports, lifecycle.delete),
                    calls,
                ),
                EventStreamServicer(watchers),
                OperationsServicer(dead_letters, stats, webhooks),
            )
            drains.append(watchers.drain)

        yield await enter(
            serving(
                settings, services, telemetry=shared, dependencies=dependencies, drains=drains, calls=calls, host=host
            )
        )


def _services(scans: ScanServicer, events: EventStreamServicer, operations: OperationsServicer) -> Sequence[Service]:
    return (
        Service("eco2.scan.v1.ScanService", add_ScanServiceServicer_to_server, scans),
        Service("eco2.scan.v1.EventStreamService", add_EventStreamServiceServicer_to_server, events),
        Service("eco2.scan.v1.OperationsService", add_OperationsServiceServicer_to_server, operations),
    )


def _stages(settings: ScanSettings) -> Mapping[str, Stage]:
    """The stages' limits: the product's, but for what the settings change."""
    changed: dict[str, dict[str, Any]] = {
        name: change.model_dump(exclude_none=True) for name, change in settings.stages.items()
    }
    return {name: replace(stage, **changed.get(name, {})) for name, stage in DEFAULTS.items()}


def _new_id() -> str:
    """A scan's id, by which scans sort in time."""
    return str(uuid_utils.uuid7())


def _now() -> datetime:
    return datetime.now(UTC)
