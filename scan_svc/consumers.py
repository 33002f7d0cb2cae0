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
    rewarding = RewardContext(tables.rewards, pipeline, progress, settings.backoff_seconds, meters)
    reward = functools.partial(RewardEvaluation, rewarding)
    rewards = Consumer(
        JobKind(REWARD_KIND, settings.reward_capacity, tables.rewards.claim, reward, handed_over=True),
        tables.workers,
        wake,
    )
    limits = ExecutionLimits(scan_seconds(settings), settings.backoff_seconds, settings.lease_seconds)
    here = StagesHere(settings.stages_here)
    executing = ExecutionContext(tables.scans, pipeline, progress, limits, rewards, wake, here, meters)
    execute = functools.partial(Execution, executing)
    reserve = reserve_of(settings.worker_capacity)
    batch = BatchShare(tables.scans, settings.worker_capacity - reserve)
    quarantine = Quarantine(tables.scans, tables.schedule, settings.lease_seconds, meters)
    scans = Consumer(
        JobKind(
            SCAN_KIND,
            settings.worker_capacity,
            batch.claim,
            execute,
            quarantine,
            reserve=reserve,
            stages=here.claimed,
            batch=batch,
        ),
        tables.workers,
        wake,
    )
    delivering = DeliveryContext(
        tables.webhooks,
        web,
        scan_proto.scan_as_json,
        functools.partial(datetime.now, UTC),
        random.random,
        settings.webhook_timeout_seconds,
        meters=meters,
    )
    deliver = functools.partial(WebhookDelivery, delivering)
    webhooks = Consumer(
        JobKind(
            WEBHOOK_KIND,
            settings.webhook_capacity,
            tables.webhooks.claim,
            deliver,
            reserve=reserve_of(settings.webhook_capacity),
        ),
        tables.workers,
        wake,
    )
    make = functools.partial(ExportExecution, exporting)
    exports = Consumer(JobKind(EXPORT_KIND, _EXPORTS_AT_ONCE, exporting.store.claim, make), tables.workers, wake)
    # Rewards that nobody consumes here have no room here: their jobs are left to others.
    of_stages = (*([scans] if here.scans else ()), *([rewards] if here.does(REWARD) else ()))
    return *of_stages, webhooks, exports


def scan_seconds(settings: ScanSettings) -> Mapping[Priority, float]:
    """How long a whole scan may take, by its priority."""
    return {Priority.INTERACTIVE: settings.scan_seconds, Priority.BATCH: settings.batch_seconds}
