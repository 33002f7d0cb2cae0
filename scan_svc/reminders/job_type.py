"""Reminders as a kind of client jobs, and what they are put together from."""

import functools
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime

import asyncpg
import httpx2

from mesh.addresses import open_public_client
from mesh.locale import Locale
from scan_svc.client_jobs.client_jobs import Kind
from scan_svc.client_jobs.work import JobType
from scan_svc.reminders.delivery import Sender
from scan_svc.reminders.messages import MessageResult, MessageSpec
from scan_svc.reminders.subscription_store import SubscriptionStore
from scan_svc.reminders.vapid import push_key
from scan_svc.reminders.work import ReminderStores, ReminderWork
from scan_svc.schedule import Planner
from scan_svc.settings import ScanSettings
from scan_svc.store import ScanStore
from scan_svc.webhooks.store import WebhookStore

OpenClient = Callable[[], AbstractAsyncContextManager[httpx2.AsyncClient]]

_NOW = functools.partial(datetime.now, UTC)
_PUBLIC = functools.partial(open_public_client, "subscription", redirects=0)
# Of one user: what is scanned in two weeks of tidying up.
_MOST_LIVE = 100
_STEPS = {"send": {Locale.KO: "알림을 보내고 있어요", Locale.EN: "Sending the reminder"}}


def reminder_type(
    settings: ScanSettings,
    pool: asyncpg.Pool,
    scans: ScanStore,
    planner: Planner,
    clock: Callable[[], datetime] = _NOW,
    open_client: OpenClient = _PUBLIC,
) -> JobType:
    """Jobs of kind message.

    Args:
        settings: The service's.
        pool: Connections to PostgreSQL.
        scans: The scans of all users.
        planner: Knows the days.
        clock: The time.
        open_client: Reaches receivers, at public addresses alone.
    """
    key, webhooks = push_key(settings), WebhookStore(pool, secrets.token_bytes)

    @asynccontextmanager
    async def sending() -> AsyncIterator[Sender]:
        async with open_client() as client:
            yield Sender(client, webhooks, key, secrets.token_bytes, clock, settings.webhook_timeout_seconds)

    return JobType(
        kind=Kind.MESSAGE,
        work=ReminderWork(ReminderStores(scans, SubscriptionStore(pool)), planner, sending, clock),
        spec=MessageSpec,
        result=MessageResult,
        steps=_STEPS,
        unit="messages",
        capacity=8,
        most_live=_MOST_LIVE,
    )
