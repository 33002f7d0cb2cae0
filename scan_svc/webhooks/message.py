"""Webhooks as Standard Webhooks defines them: what a message holds, how it is signed, when it is tried again."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum

import msgspec
import standardwebhooks

from scan_svc.scans import Scan, State, WebhookShape

# What the scheme recommends; more than some receivers take.
BODY_LIMIT = 20 * 1024
# What a receiver can fetch with GetScan: the first of these is the first to go when a body is too large.
_OMISSIBLE = ("object_rules", "rules", "places", "stages", "classification", "answer", "reward", "error")

# Seconds before the second try, the third, … Together 17.6 hours, with jitter up to 22.
_PAUSES = (5.0, 5 * 60.0, 30 * 60.0, 2 * 3600.0, 5 * 3600.0, 10 * 3600.0)
_JITTER = 0.25
_DAY = 24 * 3600.0

SECRET_BYTES = 32


class WebhookEvent(StrEnum):
    """The events of a scan."""

    SUCCEEDED = "scan.succeeded"
    FAILED = "scan.failed"

    @property
    def state(self) -> State:
        """The state a scan is in while this is true of it."""
        return State.SUCCEEDED if self is WebhookEvent.SUCCEEDED else State.FAILED


@dataclass(frozen=True, slots=True)
class Webhook:
    """One thing to tell one endpoint.

    Attributes:
        webhook_id: The same at every try: how receivers recognise what they have seen.
        event: What happened.
        occurred_at: When.
        scan: To which scan, as it is now.
        url: Whom to tell.
        secret: Signs it.
        gone: The endpoint has answered 410 since.
        shape: What the receiver knows.
    """

    webhook_id: str
    event: WebhookEvent
    occurred_at: datetime
    scan: Scan
    url: str
    secret: str
    gone: bool
    shape: WebhookShape = WebhookShape.SCAN


@dataclass(frozen=True, slots=True)
class AttemptOutcome:
    """What came of one try.

    Attributes:
        status: HTTP status; None without an answer.
        error: Why it failed; empty if it was delivered.
        duration_ms: How long it took.
        retry_after: Seconds the receiver asked to be left alone; None if it didn't.
    """

    status: int | None
    error: str
    duration_ms: int = 0
    retry_after: float | None = None


@dataclass(frozen=True, slots=True)
class DeliveryAttempt:
    """One try in the delivery log."""

    number: int
    at: datetime
    status: int | None
    error: str
    duration_ms: int


class DeliveryState(StrEnum):
    """Where a webhook is in its life."""

    PENDING = "PENDING"
    DELIVERED = "DELIVERED"
    EXHAUSTED = "EXHAUSTED"
    STOPPED = "STOPPED"


@dataclass(frozen=True, slots=True)
class DeliveryRecord:
    """One webhook and what became of it; `next_at` while it is pending."""

    webhook_id: str
    event: WebhookEvent
    url: str
    state: DeliveryState
    created_at: datetime
    next_at: datetime | None
    attempts: tuple[DeliveryAttempt, ...]
    scan_id: str


def new_secret(entropy: bytes) -> str:
    """A secret as users are given it."""
    return "whsec_" + base64.b64encode(entropy).decode("ascii")


def body(webhook: Webhook, scan: Mapping[str, object]) -> bytes:
    """The body to send, of at most `BODY_LIMIT` bytes.

    Args:
        webhook: The message.
        scan: Its scan as REST clients see it. What of it doesn't fit is named in `data.omitted`.
    """
    kept, omitted = dict(scan), list[str]()
    for part in _OMISSIBLE:
        if len(_json(webhook, kept, omitted)) <= BODY_LIMIT:
            break
        if kept.pop(part, None) is not None:
            omitted.append(part)
    return _json(webhook, kept, omitted)


def task_body(webhook: Webhook) -> bytes:
    """The body to send to who knows tasks: `eco2.compat.v1.TaskEnded`, in the scan's language."""
    scan, succeeded = webhook.scan, webhook.event is WebhookEvent.SUCCEEDED
    told = {"task_id": scan.scan_id, "status": "completed" if succeeded else "failed"}
    if succeeded:
        found, answer = scan.results.vision, scan.results.answer
        told |= {"category": found.category.path if found else "", "answer": answer.text if answer else ""}
    else:
        told["error"] = scan.error.error().text(scan.locale) if scan.error else ""
    return msgspec.json.encode(told)


def headers(webhook: Webhook, content: bytes, now: datetime) -> dict[str, str]:
    """What goes with a body that is sent now: id, time and signature."""
    signature = standardwebhooks.Webhook(webhook.secret).sign(webhook.webhook_id, now, content.decode("utf-8"))
    return {
        "content-type": "application/json",
        "webhook-id": webhook.webhook_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": signature,
    }


def pause(attempt: int, age: float, asked: float | None, jitter: float) -> float | None:
    """Seconds until the next try; None when there is none.

    Args:
        attempt: The try that has just failed, from 1.
        age: Seconds since the webhook was queued.
        asked: What the receiver's Retry-After says. It is respected, but the last try is a day after the first.
        jitter: 0 to 1, at random: spreads the tries of an endpoint that was down.
    """
    left = _DAY - age
    if attempt > len(_PAUSES) or left <= 0:
        return None
    planned = _PAUSES[attempt - 1] * (1 + _JITTER * jitter)
    return min(max(planned, asked or 0.0), left)


def retry_after(header: str, now: datetime) -> float | None:
    """Seconds that a Retry-After header asks for, in either of its forms; None if it says nothing."""
    if header.isascii() and header.isdigit():
        return float(header)
    try:
        moment = parsedate_to_datetime(header)
    except (ValueError, OverflowError):
        return None
    return max(0.0, (moment.replace(tzinfo=moment.tzinfo or UTC) - now).total_seconds())


def _json(webhook: Webhook, scan: Mapping[str, object], omitted: list[str]) -> bytes:
    data: dict[str, object] = {"scan": scan, "omitted": omitted} if omitted else {"scan": scan}
    return msgspec.json.encode({"type": webhook.event, "timestamp": webhook.occurred_at, "data": data})
