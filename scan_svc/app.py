"""How Scan is put together.

    ScanServicer ──┬─ Lifecycle ── ScanStore, Uploads, ScanReader
                   ├─ Replies ──── ReplyStore
                   └─ Watchers
    EventStreamServicer ─ Watchers
    OperationsServicer ── DeadLetters, QueueStatsReader, WebhookStore
    Worker ────────┬─ Execution ────── JobQueue, Pipeline ── Vision, Rules, Character
                   ├─ RewardExecution ─ RewardStore
                   └─ WebhookDelivery ─ WebhookStore

    the stores ── PostgreSQL        Snapshots, read by ScanReader ── Redis        Uploads ── S3

Everything is built once, here, and taken down in reverse. A process serves users, works, or does both.
"""

import asyncio
import functools
import random
import secrets
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import httpx2
import structlog
import uuid_utils

from eco2.scan.v1 import event_stream_service_pb2_grpc, operations_service_pb2_grpc, scan_service_pb2_grpc
from mesh import telemetry
from mesh.addresses import open_public_client
from mesh.errors import NotFound
from mesh.grpc_client import open_channel
from mesh.grpc_handler import CallLimit
from mesh.postgres import Pool, listen, open_pool, probe
from mesh.redis import GuardedRedis, open_redis
from mesh.server import Drain, Probe, Server, Service, serving
from mesh.storage import Bucket, open_bucket
from mesh.tasks import end
from mesh.telemetry import Telemetry
from scan_svc import scan_proto
from scan_svc.admission import Admission
from scan_svc.jobs.consumer import Handover, JobKind, Quarantine
from scan_svc.jobs.dead_letters import DeadLetters
from scan_svc.jobs.leases import REWARD_KIND
from scan_svc.jobs.notifier import Notifier
from scan_svc.jobs.periodic import Periodic, PeriodicTask
from scan_svc.jobs.queue import JobQueue
from scan_svc.jobs.retention import Retention
from scan_svc.jobs.stats import QueueStatsReader
from scan_svc.jobs.worker import Worker
from scan_svc.lifecycle import AdmissionControl, Lifecycle
from scan_svc.operations.servicer import OperationsServicer
from scan_svc.pipeline.clients import CharacterPeer, RulesPeer, VisionPeer
from scan_svc.pipeline.executor import Execution, ExecutionContext
from scan_svc.pipeline.stages import DEFAULTS, ORDER, REWARD, Pipeline, Stage
from scan_svc.progress.encoder import SnapshotEncoder
from scan_svc.progress.progress_log import ProgressLog
from scan_svc.progress.reader import ScanReader
from scan_svc.progress.snapshots import Snapshots
from scan_svc.progress.sse import EventStreamServicer
from scan_svc.progress.subscriber import Subscriber
from scan_svc.progress.watchers import Watchers, WatchLimits
from scan_svc.rate_limit import RateLimit
from scan_svc.replies.service import Replies
from scan_svc.replies.store import ReplyStore
from scan_svc.replies.work import ReplyContext
from scan_svc.rewards.job import RewardContext, RewardExecution
from scan_svc.rewards.store import RewardStore
from scan_svc.servicer import ScanServicer
from scan_svc.settings import ScanSettings
from scan_svc.spending import Spending
from scan_svc.store import ScanStore
from scan_svc.uploads import Uploads
from scan_svc.webhooks.delivery import DeliveryContext, WebhookDelivery
from scan_svc.webhooks.store import WebhookStore

_log = structlog.get_logger("app")

_SERVICES = {
    "vision": ("eco2.vision.v1.VisionService", ()),
    "rules": ("eco2.rules.v1.RulesService", ("MatchRules", "InterpretReply", "FindPlaces")),
    "character": ("eco2.character.v1.CharacterService", ("EvaluateReward",)),
}


@asynccontextmanager
async def application(settings: ScanSettings) -> AsyncIterator[Server]:
    """Scan, serving and working until the block is left."""
    async with AsyncExitStack() as stack:
        shared = stack.enter_context(telemetry.started("scan", settings))
        pool = await stack.enter_async_context(open_pool(settings.database_url.get_secret_value()))
        heartbeat_pool = await stack.enter_async_context(
            open_pool(settings.database_url.get_secret_value(), max_size=1)
        )
        redis = await stack.enter_async_context(open_redis(settings.redis_url.get_secret_value()))
        parts = Parts(settings, shared, pool, redis, heartbeat_pool)

        stack.push_async_callback(parts.snapshots.flush)
        dependencies: dict[str, Probe] = {"postgres": lambda: probe(pool)}
        drains: list[Drain] = []
        if settings.scan_role != "api":
            worker = await _start_working(stack, parts)
            dependencies["worker"] = worker.probe
            drains.append(worker.leave)  # beside the calls, not after them: a pod is given one grace for both
        services: Sequence[Service] = ()
        if settings.scan_role != "worker":
            watchers = parts.watchers()
            subscriber = Subscriber(
                redis, parts.snapshots.cache, watchers.changed, watchers.missed, parts.admission.left
            )
            await _keep(stack, subscriber.run)
            await _keep(stack, parts.admission.run)
            bucket = await stack.enter_async_context(open_bucket(settings))
            services = parts.services(watchers, await _open_replies(stack, parts), bucket)
            drains.append(watchers.drain)
        # Redis isn't among the dependencies: without it everything works, slower.
        yield await stack.enter_async_context(
            serving(settings, services, telemetry=shared, dependencies=dependencies, drains=drains, calls=parts.calls)
        )


class Parts:
    """What serving and working share, built from the settings and the open connections."""

    def __init__(
        self,
        settings: ScanSettings,
        shared: Telemetry,
        pool: Pool,
        redis: GuardedRedis,
        heartbeat_pool: Pool | None = None,
    ) -> None:
        self.settings = settings
        self.shared = shared
        self.redis = redis
        self.pool = pool
        self.calls = CallLimit(settings.call_limit)
        self.store = ScanStore(pool)
        self.queue = JobQueue(pool, heartbeat_pool)
        self.spending = Spending(pool)
        self.stats_reader = QueueStatsReader(pool, (*ORDER, REWARD))
        self.admission = Admission(self.stats_reader.backlog, settings.admission_seconds, settings.admission_always)
        self.snapshots = Snapshots(redis, SnapshotEncoder())
        self.progress = ProgressLog(pool, redis.breaker, self.snapshots.announce)
        self.reader = ScanReader(self.snapshots, self.store.get_many, self._ask_for_progress)
        self.at_work: Worker | None = None  # in this process
        self.queued, self.webhook_due = self._notifier("scan"), self._notifier("webhook")
        self.reward_due = self._notifier(REWARD_KIND)
        self.rewards = RewardStore(pool)
        self.webhooks = WebhookStore(pool, secrets.token_bytes)
        self.dead_letters = DeadLetters(pool, self.reader.refresh, self.queued, self.reward_due)

    def _notifier(self, kind: str) -> Callable[[], None]:
        """What is called when a job of this kind is to be claimed."""
        if not self.settings.notify:
            return lambda: None

        def at_home() -> bool:
            return self.at_work is not None and self.at_work.wake(kind)

        return Notifier(functools.partial(self.queue.notify, kind), at_home).notify

    async def _ask_for_progress(self) -> None:
        self.progress.ask()  # of this process' worker, if it works
        await self.queue.ask_for_progress()

    def watchers(self) -> Watchers:
        """Whoever watches scans in this process."""
        limits = self.settings
        return Watchers(
            self.reader.read, WatchLimits(limits.watcher_limit, limits.user_watcher_limit, limits.heartbeat_seconds)
        )

    def services(self, watchers: Watchers, replies: Replies, bucket: Bucket) -> Sequence[Service]:
        """What users and operators call."""
        settings = self.settings
        lifecycle = Lifecycle(
            self.store,
            self.reader,
            self.snapshots,
            Uploads(bucket, settings.upload_seconds),
            self.webhooks,
            settings.cdn_base_url,
            lambda: datetime.now(UTC),
            AdmissionControl(
                RateLimit(self.redis, "CreateScan", settings.creations_per_minute), self.admission, self.queued
            ),
        )
        return (
            Service(
                "eco2.scan.v1.ScanService",
                scan_service_pb2_grpc.add_ScanServiceServicer_to_server,
                ScanServicer(lifecycle, replies, watchers, self.calls, lambda: str(uuid_utils.uuid7())),
            ),
            Service(
                "eco2.scan.v1.EventStreamService",
                event_stream_service_pb2_grpc.add_EventStreamServiceServicer_to_server,
                EventStreamServicer(watchers),
            ),
            Service(
                "eco2.scan.v1.OperationsService",
                operations_service_pb2_grpc.add_OperationsServiceServicer_to_server,
                OperationsServicer(self.dead_letters, self.stats_reader, self.webhooks),
            ),
        )

    def worker(self, pipeline: Pipeline, web: httpx2.AsyncClient) -> Worker:
        """What works on the jobs: scans through their stages, their rewards, webhooks to their receivers."""
        settings, queue = self.settings, self.queue
        handover = Handover()
        bench = ExecutionContext(
            queue,
            pipeline,
            self.progress,
            self.snapshots,
            self.reader,
            self.shared.tracer if self.shared.exporting else None,
            settings.scan_seconds,
            settings.backoff_seconds,
            self.webhook_due,
            handover,
            self.reward_due,
            settings.lease_seconds,
        )
        suspects = Quarantine(
            queue.quarantine_waits,
            functools.partial(queue.due, "suspects", settings.lease_seconds / 4),
            queue.claim_quarantined,
        )
        scans = JobKind("scan", settings.worker_capacity, queue.claim, functools.partial(Execution, bench), suspects)
        rewarding = RewardContext(
            self.rewards,
            pipeline,
            self.snapshots,
            self.reader.refresh,
            bench.tracer,
            settings.backoff_seconds,
        )
        rewards = JobKind(
            REWARD_KIND,
            settings.reward_capacity,
            self.rewards.claim,
            functools.partial(RewardExecution, rewarding),
            handover=handover,
        )
        context = DeliveryContext(
            self.webhooks,
            web,
            scan_proto.scan_as_json,
            lambda: datetime.now(UTC),
            random.random,
            settings.webhook_timeout_seconds,
        )
        deliveries = JobKind(
            "webhook", settings.webhook_capacity, self.webhooks.claim, functools.partial(WebhookDelivery, context)
        )
        return Worker(
            queue,
            [scans, rewards, deliveries],
            lease_seconds=settings.lease_seconds,
            grace_seconds=settings.grace_seconds,
            rescued=self.show,
            beside=self.progress.run,
        )

    async def show(self, scan_ids: Sequence[str]) -> None:
        """Makes known how scans are now that somebody else than their workers changed them."""
        for scan_id in scan_ids:
            with suppress(NotFound):  # deleted meanwhile
                await self.reader.refresh(scan_id)

    async def expire_uploads(self) -> None:
        """Ends scans whose photo never came, and tells their watchers."""
        await self.show(await self.store.expire_uploads(self.settings.expire_seconds))


async def _open_replies(stack: AsyncExitStack, parts: Parts) -> Replies:
    """What replies to answers need: their store, and channels of their own to the peers that compose answers."""
    settings, store = parts.settings, ReplyStore(parts.pool)
    rules, character = [
        await stack.enter_async_context(open_channel(target, *_SERVICES[name]))
        for name, target in (("rules", settings.rules_target), ("character", settings.character_target))
    ]
    context = ReplyContext(
        store, parts.reader.refresh, RulesPeer(rules, parts.spending), CharacterPeer(character), parts.reward_due
    )
    replies = Replies(context, parts.store.get, RateLimit(parts.redis, "AnswerQuestion", settings.replies_per_minute))
    stack.push_async_callback(replies.leave)
    return replies


async def _start_working(stack: AsyncExitStack, parts: Parts) -> Worker:
    """Channels to the peers, the worker, what wakes it, and the housekeeping."""
    settings = parts.settings
    targets = (settings.vision_target, settings.rules_target, settings.character_target)
    vision, rules, character = [
        await stack.enter_async_context(open_channel(target, *_SERVICES[name]))
        for name, target in zip(_SERVICES, targets, strict=True)
    ]
    web = await stack.enter_async_context(open_public_client("callback_url", redirects=0))
    pipeline = Pipeline(
        _stages(settings),
        VisionPeer(vision, parts.spending),
        RulesPeer(rules, parts.spending),
        CharacterPeer(character),
    )
    worker = parts.worker(pipeline, web)
    notified = {
        "scan_ready": worker.wake,
        "scan_stop": lambda job_id: worker.stop_job(int(job_id)),
        "scan_progress": lambda _: parts.progress.ask(),
    }
    await _keep(stack, lambda: listen(settings.database_url.get_secret_value(), notified))
    retention = Retention(parts.pool, settings.retention_days)
    tasks = (
        PeriodicTask("expire_uploads", 60, parts.expire_uploads),
        PeriodicTask("reprocess", 300, parts.dead_letters.reprocess),
        PeriodicTask("forget_old", 3600, retention.forget_old),
    )
    await _keep(stack, Periodic(parts.queue, tasks).run)
    await stack.enter_async_context(worker.working())
    parts.at_work = worker
    return worker


def _stages(settings: ScanSettings) -> Mapping[str, Stage]:
    """The stages' limits: the product's, but for what the settings change."""
    changed: dict[str, dict[str, Any]] = {
        name: change.model_dump(exclude_none=True) for name, change in settings.stages.items()
    }
    return {name: replace(stage, **changed.get(name, {})) for name, stage in DEFAULTS.items()}


async def _keep(stack: AsyncExitStack, loop: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Runs a loop until the stack is left: a fault in it is logged, and doesn't end it."""

    async def kept() -> None:
        while True:
            try:
                await loop()
            except Exception:
                _log.exception("loop broke")
            await asyncio.sleep(1.0)

    stack.push_async_callback(end, asyncio.create_task(kept()))
