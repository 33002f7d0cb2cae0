"""What a worker works on: scans through their stages, their rewards, webhooks to their receivers, exports."""

import functools
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import httpx2

from scan_svc import scan_proto
from scan_svc.exports.execution import ExportContext, ExportExecution
from scan_svc.jobs.batch_share import BatchShare
from scan_svc.jobs.consumer import Consumer, JobKind
from scan_svc.jobs.leases import EXPORT_KIND, REWARD_KIND, SCAN_KIND, WEBHOOK_KIND
from scan_svc.jobs.periodic import Schedule
from scan_svc.jobs.quarantine import Quarantine
from scan_svc.jobs.queue import JobQueue
from scan_svc.jobs.user_shares import reserve_of
from scan_svc.jobs.workers import WorkerRegistry
from scan_svc.meters import ScanMeters
from scan_svc.pipeline.executor import Execution, ExecutionContext, ExecutionLimits
from scan_svc.pipeline.stages import REWARD, Pipeline
from scan_svc.pipeline.stages_here import StagesHere
from scan_svc.progress.progress import Progress
from scan_svc.rewards.evaluation import RewardContext, RewardEvaluation
from scan_svc.rewards.store import RewardStore
from scan_svc.scans import Priority
from scan_svc.settings import ScanSettings
from scan_svc.webhooks.delivery import DeliveryContext, WebhookDelivery
from scan_svc.webhooks.store import WebhookStore

# Of a process: nobody waits for one in front of a screen.
_EXPORTS_AT_ONCE = 1


@dataclass(frozen=True, slots=True)
class JobTables:
    """The jobs of each kind, and the workers that hold them, in PostgreSQL.

    Attributes:
        workers: Who is alive.
        schedule: Whose turn it is.
        scans: One job for each scan that hasn't ended.
        rewards: One for each scan that has succeeded and whose reward isn't known yet.
        webhooks: One for each message that is to be delivered.
    """

    workers: WorkerRegistry
    schedule: Schedule
    scans: JobQueue
    rewards: RewardStore
    webhooks: WebhookStore


def consumers(
    settings: ScanSettings,
    tables: JobTables,
    pipeline: Pipeline,
    progress: Progress,
    wake: Callable[[str], None],
    web: httpx2.AsyncClient,
    exporting: ExportContext,
    meters: ScanMeters,
) -> Sequence[Consumer]:
    """One consumer for each kind of job, but for scans and rewards if their stages aren't done here.

    Args:
        settings: How much at once, how long, how often.
        tables: Where the jobs are.
        pipeline: The stages of scans.
        progress: Where scans are shown.
        wake: Called with the kind of job there is to claim.
        web: Reaches the receivers of webhooks.
        exporting: What exports are made with.
        meters: Count what is done.
    """
    here = StagesHere(settings.stages_here)
    rewarding = RewardContext(tables.rewards, pipeline, progress, settings.backoff_seconds, meters)
    rewards = Consumer(_rewards(settings, rewarding), tables.workers, wake)
    limits = ExecutionLimits(scan_seconds(settings), settings.backoff_seconds, settings.lease_seconds)
    executing = ExecutionContext(tables.scans, pipeline, progress, limits, rewards, wake, here, meters)
    delivering = DeliveryContext(
        tables.webhooks,
        web,
        scan_proto.scan_as_json,
        functools.partial(datetime.now, UTC),
        random.random,
        settings.webhook_timeout_seconds,
        meters=meters,
    )
    scans = Consumer(_scans(settings, tables.schedule, executing), tables.workers, wake)
    webhooks = Consumer(_webhooks(settings, delivering), tables.workers, wake)
    exports = Consumer(_exports(exporting), tables.workers, wake)
    # Rewards that nobody consumes here have no room here: their jobs are left to others.
    of_stages = (*([scans] if here.scans else ()), *([rewards] if here.does(REWARD) else ()))
    return *of_stages, webhooks, exports


def _rewards(settings: ScanSettings, rewarding: RewardContext) -> JobKind:
    evaluate = functools.partial(RewardEvaluation, rewarding)
    return JobKind(REWARD_KIND, settings.reward_capacity, rewarding.store.claim, evaluate, handed_over=True)


def _scans(settings: ScanSettings, schedule: Schedule, executing: ExecutionContext) -> JobKind:
    reserve = reserve_of(settings.worker_capacity)
    batch = BatchShare(executing.queue, settings.worker_capacity - reserve)
    return JobKind(
        SCAN_KIND,
        settings.worker_capacity,
        batch.claim,
        functools.partial(Execution, executing),
        Quarantine(executing.queue, schedule, settings.lease_seconds, executing.meters),
        reserve=reserve,
        stages=executing.here.claimed,
        batch=batch,
    )


def _webhooks(settings: ScanSettings, delivering: DeliveryContext) -> JobKind:
    return JobKind(
        WEBHOOK_KIND,
        settings.webhook_capacity,
        delivering.store.claim,
        functools.partial(WebhookDelivery, delivering),
        reserve=reserve_of(settings.webhook_capacity),
    )


def _exports(exporting: ExportContext) -> JobKind:
    return JobKind(EXPORT_KIND, _EXPORTS_AT_ONCE, exporting.store.claim, functools.partial(ExportExecution, exporting))


def scan_seconds(settings: ScanSettings) -> Mapping[Priority, float]:
    """How long a whole scan may take, by its priority."""
    return {Priority.INTERACTIVE: settings.scan_seconds, Priority.BATCH: settings.batch_seconds}
