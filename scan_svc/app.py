"""How Scan is put together.

    ScanServicer ── Lifecycle ── ScanStore ─────────────┐
         │              ├─────── Uploads ── S3          ├─ PostgreSQL
         │              └─────── ScanReader ── Snapshots┼─ Redis
         └────────── Watchers ──────┘           │       │
    Worker ── Execution ── JobQueue ────────────┼───────┘
                  ├─────── Pipeline ── Vision, Rules, Character
                  └─────── Snapshots

Everything is built once, here, and taken down in reverse.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from datetime import UTC, datetime
from typing import Any

import structlog
import uuid_utils

from eco2.scan.v1 import operations_service_pb2_grpc, scan_service_pb2_grpc
from mesh import outages, telemetry
from mesh.channel import open_channel
from mesh.postgres import Queries, listen, open_pool, probe
from mesh.redis import open_redis
from mesh.server import Server, Service, serving
from scan_svc.execution import Workbench
from scan_svc.lifecycle import Lifecycle
from scan_svc.operations import OperationsServicer
from scan_svc.peers import CharacterPeer, RulesPeer, VisionPeer
from scan_svc.pipeline import Pipeline
from scan_svc.progress import ScanReader, Snapshots
from scan_svc.queue import JobQueue
from scan_svc.servicer import ScanServicer
from scan_svc.settings import ScanSettings
from scan_svc.store import ScanStore
from scan_svc.uploads import Uploads, s3_client
from scan_svc.watchers import Watchers
from scan_svc.worker import Worker

_log = structlog.get_logger("app")

_EXPIRE_EVERY_SECONDS = 60.0


@asynccontextmanager
async def application(settings: ScanSettings) -> AsyncIterator[Server]:
    """Scan, serving and working until the block is left."""
    async with AsyncExitStack() as stack:
        shared = stack.enter_context(telemetry.started("scan", settings))

        dsn, queries = settings.database_url.get_secret_value(), Queries("scan_svc")
        pool = await stack.enter_async_context(open_pool(dsn))
        redis = await stack.enter_async_context(open_redis(settings.redis_url.get_secret_value()))
        vision, rules, character = [
            await stack.enter_async_context(open_channel(target, service, retried))
            for target, service, retried in (
                (settings.vision_target, "eco2.vision.v1.VisionService", ()),
                (settings.rules_target, "eco2.rules.v1.RulesService", ("MatchRules", "FindPlaces")),
                (settings.character_target, "eco2.character.v1.CharacterService", ("EvaluateReward",)),
            )
        ]

        store, queue = ScanStore(pool, queries), JobQueue(pool, queries)
        snapshots = Snapshots(redis)
        reader = ScanReader(snapshots, store.get)
        uploads = Uploads(s3_client(settings), settings.s3_bucket, settings.upload_seconds)
        watchers = Watchers(redis, reader.read, limit=settings.watcher_limit, heartbeat=settings.heartbeat_seconds)

        pipeline = Pipeline(VisionPeer(vision), RulesPeer(rules), CharacterPeer(character))
        worker = Worker(
            Workbench(
                queue, pipeline, snapshots, reader, shared.tracer, settings.scan_seconds, settings.backoff_seconds
            ),
            capacity=settings.worker_capacity,
            lease_seconds=settings.lease_seconds,
            grace_seconds=settings.grace_seconds,
        )

        notified = {"scan_ready": lambda _: worker.wake(), "scan_stop": lambda job_id: worker.stop_job(int(job_id))}
        for loop in (
            lambda: listen(dsn, notified),
            watchers.run,
            snapshots.flush,
            lambda: _expire_uploads(queue, store, reader, settings),
        ):
            stack.push_async_callback(_end, asyncio.create_task(_kept(loop)))
        await stack.enter_async_context(worker.working())

        lifecycle = Lifecycle(store, reader, snapshots, uploads, settings.cdn_base_url, lambda: datetime.now(UTC))
        services = (
            Service(
                "eco2.scan.v1.ScanService",
                scan_service_pb2_grpc.add_ScanServiceServicer_to_server,
                ScanServicer(lifecycle, watchers, lambda: str(uuid_utils.uuid7())),
            ),
            Service(
                "eco2.scan.v1.OperationsService",
                operations_service_pb2_grpc.add_OperationsServiceServicer_to_server,
                OperationsServicer(queue, reader),
            ),
        )
        # Redis isn't among the dependencies: without it everything works, slower.
        yield await stack.enter_async_context(
            serving(
                settings,
                services,
                telemetry=shared,
                dependencies={"postgres": lambda: probe(pool)},
                drains=(watchers.drain,),
            )
        )


async def _expire_uploads(queue: JobQueue, store: ScanStore, reader: ScanReader, settings: ScanSettings) -> None:
    """Ends scans whose photo never came; one process at a time does it."""
    while True:
        try:
            if await queue.due("expire_uploads", _EXPIRE_EVERY_SECONDS):
                for scan_id in await store.expire_uploads(settings.expire_seconds):
                    await reader.refresh(scan_id)
        except Exception as error:
            if outages.from_exception(error) is None:
                raise
        await asyncio.sleep(_EXPIRE_EVERY_SECONDS / 2)


async def _kept(loop: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Runs a loop for ever: a fault in one of them is logged, and doesn't end it."""
    while True:
        try:
            await loop()
        except Exception:
            _log.exception("loop broke")
            await asyncio.sleep(1.0)


async def _end(task: "asyncio.Task[None]") -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
