"""One message on its way to one subscription.

A crash between the receiver's answer and the checkpoint sends it again, with the same id: a push service replaces what
it still holds by its topic, a webhook's receiver knows the id, a browser shows one notification by its tag.
"""

import asyncio
import base64
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import httpx2
import msgspec
import standardwebhooks
import structlog

from mesh.errors import InvalidArgument
from scan_svc.reminders.messages import Outcome
from scan_svc.reminders.push_encryption import CONTENT_ENCODING, encrypted
from scan_svc.reminders.subscriptions import Channel, Subscription
from scan_svc.reminders.vapid import PushKey
from scan_svc.webhooks.message import retry_after
from scan_svc.webhooks.store import WebhookStore

_log = structlog.get_logger("reminders")

EVENT = "reminder.due"
_TOPIC_LENGTH = 32
_OVER = (httpx2.codes.NOT_FOUND, httpx2.codes.GONE)
_TEXT_BYTES = 1000  # of body or title; a push message has less than 4,096 in all


@dataclass(frozen=True, slots=True)
class Notice:
    """What somebody is told.

    Attributes:
        job_id: Of the reminder.
        scan_id: Of the thing.
        title: One line.
        body: A sentence.
        date: The evening, ISO 8601; empty if that isn't known.
        until: When it is of no use any more.
    """

    job_id: str
    scan_id: str
    title: str
    body: str
    date: str
    until: datetime

    def content(self) -> dict[str, str]:
        """As receivers read it."""
        told = {"scan_id": self.scan_id, "title": _cut(self.title), "body": _cut(self.body)}
        return told | {"date": self.date} if self.date else told


@dataclass(frozen=True, slots=True)
class Attempt:
    """What came of one try.

    Attributes:
        outcome: None: it may be tried again.
        status: The HTTP status; 0 if none came.
        pause: Seconds that the receiver asked to be left alone; None if it didn't.
    """

    outcome: Outcome | None
    status: int = 0
    pause: float | None = None


class Sender:
    """Sends messages.

    Args:
        client: From `mesh.addresses.open_public_client`, without redirects.
        webhooks: Have the secrets of addresses.
        key: By which push services know us; None if there is no push.
        entropy: So many random bytes.
        clock: The time.
        seconds: How long a receiver may take.
    """

    def __init__(
        self,
        client: httpx2.AsyncClient,
        webhooks: WebhookStore,
        key: PushKey | None,
        entropy: Callable[[int], bytes],
        clock: Callable[[], datetime],
        seconds: float,
    ) -> None:
        self._client = client
        self._webhooks = webhooks
        self._key = key
        self._entropy = entropy
        self._clock = clock
        self._seconds = seconds

    async def send(self, notice: Notice, to: Subscription) -> Attempt:
        """Tries once; every way in which a receiver can fail is an outcome. What our stores raise passes."""
        content, headers = await self._message(notice, to)
        try:
            async with (
                asyncio.timeout(self._seconds),
                self._client.stream("POST", to.wanted.address, content=content, headers=headers) as reply,
            ):
                return _judged(to.wanted.channel, reply.status_code, reply.headers.get("retry-after"), self._clock())
        except InvalidArgument:
            return Attempt(Outcome.REFUSED)
        except (TimeoutError, httpx2.HTTPError) as error:
            _log.info("reminder not delivered", subscription_id=to.subscription_id, error=type(error).__name__)
            return Attempt(None)

    async def _message(self, notice: Notice, to: Subscription) -> tuple[bytes, dict[str, str]]:
        wanted, now = to.wanted, self._clock()
        message_id = hashlib.sha256(f"{notice.job_id} {to.subscription_id}".encode()).digest()
        topic = base64.urlsafe_b64encode(message_id).decode("ascii")[:_TOPIC_LENGTH]
        if wanted.keys is None:
            body = msgspec.json.encode({"type": EVENT, "timestamp": now, "data": notice.content()})
            secret = await self._webhooks.secret(to.user_id, wanted.address)
            return body, _webhook_headers(f"msg_{topic}", body, secret, now)
        content = msgspec.json.encode(notice.content() | {"tag": topic})
        body = encrypted(content, wanted.keys.receiver, wanted.keys.auth, self._entropy)
        return body, {
            "content-type": "application/octet-stream",
            "content-encoding": CONTENT_ENCODING,
            "ttl": str(max(0, int((notice.until - now).total_seconds()))),
            "topic": topic,
            "urgency": "normal",
            **({"authorization": self._key.authorization(wanted.address, now)} if self._key else {}),
        }


def _webhook_headers(message_id: str, body: bytes, secret: str, now: datetime) -> dict[str, str]:
    return {
        "content-type": "application/json",
        "webhook-id": message_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": standardwebhooks.Webhook(secret).sign(
            message_id, now.astimezone(UTC), body.decode("utf-8")
        ),
    }


def _judged(channel: Channel, status: int, pause: str | None, now: datetime) -> Attempt:
    """What an answer means. A push service forgets a browser with 404 or 410; of a webhook 410 alone says so."""
    if 200 <= status < 300:
        return Attempt(Outcome.SENT, status)
    if status == httpx2.codes.GONE or (channel is Channel.PUSH and status in _OVER):
        return Attempt(Outcome.GONE, status)
    if channel is Channel.PUSH and 400 <= status < 500 and status != httpx2.codes.TOO_MANY_REQUESTS:
        return Attempt(Outcome.REFUSED, status)
    return Attempt(None, status, retry_after(pause or "", now))


def _cut(text: str) -> str:
    """No longer than a message holds; whole characters."""
    return text.encode("utf-8")[:_TEXT_BYTES].decode("utf-8", "ignore")
