"""Endpoints, webhooks and the log of their deliveries in PostgreSQL.

A webhook is a durable job like a scan, made by the statement that ends its scan: the same leases, the same fencing
token on every write.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

import asyncpg
import msgspec
import structlog

from mesh.errors import NotFound
from mesh.postgres import Queries
from mesh.reasons import Reason
from scan_svc.jobs.leases import Fenced
from scan_svc.rows import readable, scan_from
from scan_svc.scans import WebhookShape
from scan_svc.webhooks import message as webhooks
from scan_svc.webhooks.message import (
    AttemptOutcome,
    DeliveryAttempt,
    DeliveryRecord,
    DeliveryState,
    Webhook,
    WebhookEvent,
)

_log = structlog.get_logger("webhooks")


@dataclass(frozen=True, slots=True)
class WebhookLease:
    """One webhook, held by this worker.

    Attributes:
        job_id: Its job.
        token: What every write of this lease carries.
        attempt: Which try this is, from 1.
        age: Seconds since it was queued.
        webhook: What is to be delivered.
        traceparent: The trace that created the scan; empty if that isn't known.
    """

    job_id: int
    token: int
    attempt: int
    age: float
    webhook: Webhook
    traceparent: str = ""

    @property
    def user_id(self) -> str:
        """Whose scan it tells of."""
        return self.webhook.scan.user_id


class WebhookStore:
    """Endpoints, webhooks and their log.

    Args:
        pool: Connections.
        entropy: So many random bytes.
    """

    def __init__(self, pool: asyncpg.Pool, entropy: Callable[[int], bytes]) -> None:
        self._pool = pool
        self._sql = Queries("scan_svc.webhooks")
        self._entropy = entropy

    async def secret(self, user_id: str, url: str) -> str:
        """The secret of a user's endpoint, which is set up, or back in use, from now on."""
        fresh = webhooks.new_secret(self._entropy(webhooks.SECRET_BYTES))
        secret: str = await self._pool.fetchval(self._sql["endpoint"], user_id, url, fresh)
        return secret

    async def claim(self, worker_id: int, count: int, full: Collection[str] = ()) -> list[WebhookLease]:
        """Takes up to `count` webhooks that are due, and none of the users who are `full`."""
        rows = await self._pool.fetch(self._sql["claim"], worker_id, count, list(full))
        leases, unreadable = readable(rows, _lease)
        for row in unreadable:
            await self._set_aside(row)
        return leases

    async def _set_aside(self, row: asyncpg.Record) -> None:
        """What can't be read is a failed try: a release that can may have the next one."""
        pause = webhooks.pause(row["attempt"], row["age"], None, 0.0)
        try:
            await self._pool.execute(
                self._sql["retry"], row["job_id"], row["token"], None, "unreadable", 0, pause, row["attempt"]
            )
        except Exception as error:  # the others of its claim mustn't be lost for it; it is reconciled
            _log.error("webhook that can't be read not put back", job_id=row["job_id"], error=repr(error))

    async def end(self, lease: WebhookLease, outcome: AttemptOutcome, *, gone: bool = False) -> None:
        """Ends a webhook: delivered, or not wanted; with `gone` its endpoint gets no more of them.

        Raises:
            Fenced: The job has changed hands.
        """
        await self._write("end", lease, outcome.status, outcome.error, outcome.duration_ms, gone, lease.attempt)

    async def retry(self, lease: WebhookLease, outcome: AttemptOutcome, pause: float | None) -> None:
        """Puts a webhook back for another try in `pause` seconds; None: there is none, it is dead.

        Raises:
            Fenced: The job has changed hands.
        """
        await self._write("retry", lease, outcome.status, outcome.error, outcome.duration_ms, pause, lease.attempt)

    async def release(self, lease: WebhookLease, seconds: float) -> None:
        """Returns a webhook untried, its attempt included, to be taken again in so many seconds.

        Raises:
            Fenced: The job has changed hands.
        """
        await self._write("release", lease, seconds)

    async def deliveries(self, scan_id: str) -> list[DeliveryRecord]:
        """The webhooks of a scan, oldest first, each with its last 100 tries."""
        rows = await self._pool.fetch(self._sql["of_scan"], scan_id)
        return await self.records([str(row["id"]) for row in rows], 100)

    async def records(self, webhook_ids: Sequence[str], tries: int) -> list[DeliveryRecord]:
        """Those of the webhooks that there are, oldest first, each with its last tries, at most so many."""
        return [_record(row) for row in await self._pool.fetch(self._sql["deliveries"], webhook_ids, tries)]

    async def redeliver(self, webhook_id: str) -> None:
        """Queues a webhook once more, at once and with a fresh schedule.

        Raises:
            NotFound: There is none.
        """
        if await self._pool.fetchval(self._sql["redeliver"], webhook_id) is None:
            raise NotFound(Reason.WEBHOOK_NOT_FOUND, webhook_id=webhook_id)

    async def _write(self, query: str, lease: WebhookLease, *arguments: object) -> None:
        if await self._pool.fetchval(self._sql[query], lease.job_id, lease.token, *arguments) is None:
            raise Fenced


def _lease(row: asyncpg.Record) -> WebhookLease:
    webhook = Webhook(
        str(row["webhook_id"]),
        WebhookEvent(row["event"]),
        row["occurred_at"],
        scan_from(row),
        row["url"],
        row["secret"],
        row["gone"],
        WebhookShape(row["webhook_shape"]),
    )
    return WebhookLease(row["job_id"], row["token"], row["attempt"], row["age"], webhook, row["traceparent"])


def _record(row: asyncpg.Record) -> DeliveryRecord:
    return DeliveryRecord(
        str(row["id"]),
        WebhookEvent(row["event"]),
        row["url"],
        DeliveryState(row["state"]),
        row["created_at"],
        row["next_at"],
        tuple(msgspec.json.decode(row["attempts"] or "[]", type=Sequence[DeliveryAttempt])),
        str(row["scan_id"]),
    )
