"""The part of Scan that serves: users, operators, older clients, other services."""

import functools
import secrets
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

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
from mesh.grpc.host import Drain
from mesh.grpc.identity import Caller
from mesh.grpc.limits import CallLimit
from mesh.grpc.server import Service
from mesh.observability.users import Pseudonyms
from mesh.postgres import listen
from scan_svc.admission import open_admission
from scan_svc.app.parts import Parts, new_id, now
from scan_svc.client_jobs.service import ClientJobs
from scan_svc.client_jobs.servicer import JobsServicer
from scan_svc.client_jobs.sse import JobEventsServicer
from scan_svc.client_jobs.views import JobViews
from scan_svc.comparisons.store import ComparisonStore
from scan_svc.compat.servicer import CompatServicer
from scan_svc.events.log import EventLog
from scan_svc.events.servicer import EventsServicer
from scan_svc.events.store import EventStore
from scan_svc.jobs.leases import REWARD_KIND, SCAN_KIND
from scan_svc.lifecycle import AdmissionControl, Lifecycle
from scan_svc.metrics import EVENT_CONSUMERS
from scan_svc.operations.comparisons import Comparisons, ComparisonServicer
from scan_svc.operations.scan_records import ScanRecords
from scan_svc.operations.servicer import OperationsServicer, Records
from scan_svc.operations.webhook_records import WebhookRecords
from scan_svc.ownership import Ownership
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
from scan_svc.scans import Priority
from scan_svc.schedule import EveningSchedule
from scan_svc.servicer import ScanServicer
from scan_svc.settings import ScanSettings
from scan_svc.user_data import UserData


@asynccontextmanager
async def open_api(
    parts: Parts, calls: CallLimit, pseudonyms: Pseudonyms
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
            *(scans, progress, parts.uploads, parts.webhooks, control, demand, new_id, now, parts.meters),
            pending.cancel,
        )
        reward_due = functools.partial(parts.notifier.wake, REWARD_KIND)
        replying = ReplyContext(ReplyStore(pool), progress.reader.refresh, peers.rules, peers.character, reward_due)
        schedule = EveningSchedule(scans, peers.rules, now, pending.cancel)
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


async def _read_job(jobs: ClientJobs, views: JobViews, job_id: str, who: Caller) -> Job:
    """A client job, as its reader is shown it."""
    return views.read(await jobs.read(who.user_id, job_id), who)
