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
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

from mesh.grpc.health import Probe
from mesh.grpc.host import Drain, Host
from mesh.grpc.limits import CallLimit
from mesh.grpc.server import Server, Service, serving
from mesh.observability import telemetry
from mesh.postgres import probe
from scan_svc.app.api import open_api
from scan_svc.app.parts import open_parts
from scan_svc.app.work import open_work
from scan_svc.client_jobs.work import JobTypes
from scan_svc.figures import open_figures
from scan_svc.job_types import JobTypeParts, registered
from scan_svc.settings import ScanSettings


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
        parts = await enter(open_parts(settings, host, shared.instruments, job_types))
        await enter(open_figures(shared.instruments, parts.pool, parts.stats, parts.spending))

        # Redis isn't among the dependencies: without it everything works, slower.
        dependencies: dict[str, Probe] = {"postgres": functools.partial(probe, parts.pool)}
        services: Sequence[Service] = ()
        drains: list[Drain] = []

        if settings.scan_role != "api":
            worker = await enter(open_work(parts))
            dependencies["worker"] = worker.probe
            drains.append(worker.leave)  # beside the calls, not after them: a pod is given one grace for both

        if settings.scan_role != "worker":
            services, drain = await enter(open_api(parts, calls, shared.pseudonyms))
            drains.append(drain)

        yield await enter(
            serving(
                settings, services, telemetry=shared, dependencies=dependencies, drains=drains, calls=calls, host=host
            )
        )
