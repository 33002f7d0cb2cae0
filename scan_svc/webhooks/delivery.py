"""One webhook on its way to its receiver.

What a crash leaves undecided is sent again under the same id. The response's body is never read: a stranger's answer
costs us its head.
"""

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import urlsplit

import httpx2
import structlog

from mesh import outages
from mesh.errors import InvalidArgument
from mesh.observability import telemetry, tracing, users
from scan_svc.jobs.leases import WEBHOOK_KIND, Fenced
from scan_svc.meters import ScanMeters
from scan_svc.scans import Scan, WebhookShape
from scan_svc.webhooks import message as webhooks
from scan_svc.webhooks.message import AttemptOutcome
from scan_svc.webhooks.store import WebhookLease, WebhookStore

_log = structlog.get_logger("webhooks")

# A failed scan that is being replayed: what the webhook says is open until it has ended again.
_REPLAY_SECONDS = 30.0
# Deliveries to one endpoint at once in one process, and when the others may try again: a receiver that takes its full
# time must not hold everybody's slots.
_SLOTS_EACH = 4
_CROWDED_SECONDS = 10.0
_RELEASE_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class DeliveryContext:
    """What all deliveries of a worker share.

    Attributes:
        store: The webhooks.
        client: From `mesh.addresses.open_public_client`, without redirects.
        show: A scan as REST clients see it.
        clock: The time, for signatures.
        jitter: A random number from 0 to 1.
        seconds: How long a receiver may take, from DNS to the head of its answer.
        busy: Deliveries under way, by address.
        meters: Count what is done.
    """

    store: WebhookStore
    client: httpx2.AsyncClient
    show: Callable[[Scan], Mapping[str, object]]
    clock: Callable[[], datetime]
    jitter: Callable[[], float]
    seconds: float
    busy: Counter[str] = field(default_factory=Counter)
    meters: ScanMeters = field(default_factory=ScanMeters.off)


class WebhookDelivery:
    """One lease at work.

    Args:
        context: What all deliveries share.
        lease: The lease.
    """

    def __init__(self, context: DeliveryContext, lease: WebhookLease) -> None:
        self._context = context
        self._lease = lease

    async def run(self) -> None:
        """Tries once, and writes what came of it."""
        webhook, lease = self._lease.webhook, self._lease
        users.work_for(webhook.scan.user_id)
        telemetry.follow(lease.traceparent)
        attributes = {"eco2.job.kind": "webhook", "eco2.job.attempt": lease.attempt}
        with (
            tracing.resuming("process webhook", lease.traceparent, webhook.scan.scan_id, attributes),
            structlog.contextvars.bound_contextvars(
                webhook_id=webhook.webhook_id, scan_id=webhook.scan.scan_id, attempt=lease.attempt
            ),
        ):
            await self._persist(await self._decide())

    def leave(self) -> None:
        """Nothing to do: the one try that is at work may end."""

    async def release(self) -> None:
        """Returns the webhook untried, when this process leaves; if the database is down it is rescued later."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_RELEASE_SECONDS):
                await self._persist(lambda: self._context.store.release(self._lease, 0.0))

    async def _decide(self) -> Callable[[], Awaitable[None]]:
        """Delivers if it is still wanted; returns what is to be written."""
        store, lease, webhook = self._context.store, self._lease, self._lease.webhook
        if webhook.gone:
            return lambda: store.end(lease, AttemptOutcome(None, "endpoint gone"))
        if webhook.scan.state is not webhook.event.state:
            if webhook.scan.state.terminal:
                return lambda: store.end(lease, AttemptOutcome(None, "scan moved on"))
            return lambda: store.release(lease, _REPLAY_SECONDS)
        busy = self._context.busy
        if busy[webhook.url] >= _SLOTS_EACH:
            return lambda: store.release(lease, _CROWDED_SECONDS * (1 + self._context.jitter()))
        busy[webhook.url] += 1
        try:
            outcome = await self._attempt()
        finally:
            busy[webhook.url] -= 1
            if not busy[webhook.url]:
                del busy[webhook.url]
        seconds, meters = outcome.duration_ms / 1000, self._context.meters
        if not outcome.error:
            meters.delivery("delivered", seconds)
            return lambda: store.end(lease, outcome)
        _log.warning("webhook not delivered", error=outcome.error)
        if outcome.status == httpx2.codes.GONE:
            meters.delivery("failed", seconds)
            return lambda: store.end(lease, outcome, gone=True)
        pause = webhooks.pause(lease.attempt, lease.age, outcome.retry_after, self._context.jitter())
        meters.delivery("failed" if pause is None else "retried", seconds)
        return lambda: store.retry(lease, outcome, pause)

    async def _attempt(self) -> AttemptOutcome:
        """One try; every way it can fail is an outcome."""
        started = time.monotonic()
        status, error, asked = None, "", None
        try:
            async with asyncio.timeout(self._context.seconds):
                status, asked = await self._post()
            if not 200 <= status < 300:
                error = f"http {status}"
        except (TimeoutError, httpx2.TimeoutException):
            error = "timeout"
        except InvalidArgument:
            error = "address refused"
        except httpx2.HTTPError as failure:
            error = type(failure).__name__
        except Exception as fault:
            # Ours: it is tried again like any other, and doesn't go round for ever.
            _log.exception("delivery broke")
            error = type(fault).__name__
        return AttemptOutcome(status, error, round((time.monotonic() - started) * 1000), asked)

    async def _post(self) -> tuple[int, float | None]:
        context, webhook = self._context, self._lease.webhook
        if webhook.shape is WebhookShape.TASK:
            content = webhooks.task_body(webhook)
        else:
            content = webhooks.body(webhook, context.show(webhook.scan))
        now = context.clock()
        headers = webhooks.headers(webhook, content, now)
        host = urlsplit(webhook.url).hostname or ""  # the rest of the address is its receiver's
        with tracing.asking("POST", {"http.request.method": "POST", "server.address": host}) as span:
            async with context.client.stream(
                "POST", webhook.url, content=content, headers=headers, timeout=context.seconds
            ) as reply:
                span.set_attribute("http.response.status_code", reply.status_code)
                return reply.status_code, webhooks.retry_after(reply.headers.get("retry-after", ""), now)

    async def _persist(self, write: Callable[[], Awaitable[None]]) -> None:
        """Writes until the database has answered. A write that was fenced is somebody else's by now, or was done."""
        try:
            await outages.until_available(write)
        except Fenced:
            _log.info("fenced")
            self._context.meters.lease_lost(WEBHOOK_KIND)
