"""One worker process under chaos: the service's own parts, between unruly peers."""

import asyncio
import functools
import secrets
import signal
import sys
from collections.abc import Callable, Collection
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import httpx2
import msgspec
import uvloop

from mesh.concurrency.tasks import kept_running
from mesh.observability import telemetry
from mesh.postgres import open_pool
from mesh.redis import open_redis
from mesh.s3.bucket import open_bucket
from scan_svc.consumers import JobTables, consumers
from scan_svc.exports.contents import ExportContents
from scan_svc.exports.execution import ExportContext
from scan_svc.exports.store import ExportStore
from scan_svc.jobs.dead_letters import DeadLetters
from scan_svc.jobs.notifier import Notifier
from scan_svc.jobs.periodic import Periodic, PeriodicTask, Schedule
from scan_svc.jobs.queue import JobQueue
from scan_svc.jobs.worker import Worker, open_worker
from scan_svc.jobs.workers import WorkerRegistry
from scan_svc.meters import ScanMeters
from scan_svc.pipeline.stages import Pipeline
from scan_svc.pipeline.stages_here import StagesHere
from scan_svc.progress.progress import Progress, open_progress
from scan_svc.rewards.store import RewardStore
from scan_svc.settings import ScanSettings, StageName
from scan_svc.store import ScanStore
from scan_svc.webhooks.store import WebhookStore
from tests.support.scan.journal import Journal
from tests.support.scan.unruly_peers import STAGES, FaultRates, UnrulyPeers

# Longer than a usual stage, shorter than one that hangs: some are finished, some given back.
_GRACE_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Orders:
    """What the process is told on its command line, as JSON.

    Attributes:
        database_url: The truth.
        redis_url: Where progress goes.
        journals: The folder of the journals.
        lease_seconds: Its lease.
        fault_rates: How its peers behave.
        stages_here: The stages it does; empty: all.
    """

    database_url: str
    redis_url: str
    journals: str
    lease_seconds: float
    fault_rates: FaultRates = field(default_factory=FaultRates)
    stages_here: tuple[StageName, ...] = ()


class WitnessedRegistry(WorkerRegistry):
    """The registry, with a note of who this process is to it."""

    def __init__(
        self, pool: asyncpg.Pool, heartbeat_pool: asyncpg.Pool, journal: Journal, stages: Collection[str]
    ) -> None:
        super().__init__(pool, heartbeat_pool, stages)
        self._journal = journal

    async def register(self) -> int:
        """Registers the worker, and writes its number down before it can claim anything."""
        worker_id = await super().register()
        self._journal.registered(worker_id)
        return worker_id


async def work(orders: Orders) -> None:
    """Works until SIGTERM, or worse."""
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    settings = settings_of(orders)
    journal = Journal(Path(orders.journals))
    async with AsyncExitStack() as stack:
        stack.enter_context(telemetry.started("chaos", settings))
        pool = await stack.enter_async_context(open_pool(orders.database_url))
        heartbeat_pool = await stack.enter_async_context(open_pool(orders.database_url, max_size=1))
        redis = await stack.enter_async_context(open_redis(orders.redis_url))
        web = await stack.enter_async_context(httpx2.AsyncClient(transport=httpx2.MockTransport(_receive)))
        notifier, store, schedule = Notifier(pool), ScanStore(pool), Schedule(pool)
        progress = await stack.enter_async_context(
            open_progress(pool, redis, store.get_many, notifier.ask_for_progress)
        )
        workers = WitnessedRegistry(pool, heartbeat_pool, journal, orders.stages_here)
        queue, webhooks = (
            JobQueue(pool, StagesHere(orders.stages_here).claimed),
            WebhookStore(pool, secrets.token_bytes),
        )
        tables = JobTables(workers, schedule, queue, RewardStore(pool), webhooks)
        peers = UnrulyPeers(journal, orders.fault_rates)
        pipeline = Pipeline(STAGES, peers, peers, peers)
        worker = worker_of(settings, pool, tables, pipeline, progress, notifier.wake, web)
        dead_letters = DeadLetters(pool, progress.reader.refresh, notifier.wake)
        housekeeping = Periodic(schedule, [PeriodicTask("reprocess", 300, dead_letters.reprocess)])
        await stack.enter_async_context(kept_running(housekeeping.run))
        async with open_worker(worker, notifier, orders.database_url, progress.log.ask):
            await stop.wait()
            journal.leaving()


def worker_of(
    settings: ScanSettings,
    pool: asyncpg.Pool,
    tables: JobTables,
    pipeline: Pipeline,
    progress: Progress,
    wake: Callable[[str], None],
    web: httpx2.AsyncClient,
) -> Worker:
    """A worker as the service makes it."""
    exports, bucket = ExportStore(pool), open_bucket(settings)
    contents = ExportContents(exports, bucket, _collection)
    exporting = ExportContext(exports, contents, bucket, functools.partial(datetime.now, UTC))
    return Worker(
        tables.workers,
        consumers(settings, tables, pipeline, progress, wake, web, exporting, ScanMeters.off()),
        lease_seconds=settings.lease_seconds,
        grace_seconds=settings.grace_seconds,
        rescued=progress.refresh,
        beside=progress.log.run,
    )


async def _collection(_: str) -> str:
    return "{}"


async def _receive(_: httpx2.Request) -> httpx2.Response:
    return httpx2.Response(204)


def settings_of(orders: Orders) -> ScanSettings:
    """The service's settings; what workers don't use is filled with anything."""
    names = ("s3_bucket", "s3_access_key", "s3_secret_key", "vision_target", "rules_target", "character_target")
    unused = dict.fromkeys(names, "unused") | dict.fromkeys(("s3_endpoint", "cdn_base_url"), "http://unused.test")
    return ScanSettings(
        database_url=orders.database_url,
        redis_url=orders.redis_url,
        lease_seconds=orders.lease_seconds,
        grace_seconds=_GRACE_SECONDS,
        backoff_seconds=0.2,
        stages_here=orders.stages_here,
        **unused,
    )


if __name__ == "__main__":
    uvloop.run(work(msgspec.json.decode(sys.argv[1], type=Orders)))
