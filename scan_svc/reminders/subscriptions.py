"""Where a user wants to be reminded."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from mesh.addresses import check_url
from mesh.errors import FieldViolation, InvalidArgument
from mesh.locale import Locale
from mesh.reasons import Reason
from scan_svc.reminders.push_encryption import AUTH_BYTES, is_point
from scan_svc.reminders.vapid import decoded

# Of one user: a phone, a computer, what browsers have left behind, and a home server.
MOST = 10

_NO_KEY = {
    Locale.KO: "브라우저가 준 키가 아니에요",
    Locale.EN: "it isn't a key as browsers make them",
}


class Channel(StrEnum):
    """How somebody is reminded."""

    PUSH = "PUSH"
    WEBHOOK = "WEBHOOK"


@dataclass(frozen=True, slots=True)
class PushKeys:
    """What a browser's messages are encrypted with.

    Attributes:
        receiver: Its public key, a point of P-256.
        auth: Its secret.
    """

    receiver: bytes
    auth: bytes


@dataclass(frozen=True, slots=True)
class NewSubscription:
    """A subscription as its user asks for it.

    Attributes:
        channel: How.
        address: Where: a push service's endpoint, or a webhook's address.
        keys: Of a browser; None of a webhook.
    """

    channel: Channel
    address: str
    keys: PushKeys | None = None


@dataclass(frozen=True, slots=True)
class Subscription:
    """A subscription.

    Attributes:
        subscription_id: Its id.
        user_id: Whose it is.
        wanted: What its user asked for.
        created_at: When.
    """

    subscription_id: str
    user_id: str
    wanted: NewSubscription
    created_at: datetime


def push_subscription(endpoint: str, p256dh: str, auth: str) -> NewSubscription:
    """A browser's subscription, as its PushManager gives it.

    Raises:
        InvalidArgument: ADDRESS_REFUSED, or INVALID_FIELD with the key that is none.
    """
    address = str(check_url(endpoint, "push.endpoint"))
    receiver, secret = _key(p256dh, "push.p256dh"), _key(auth, "push.auth")
    if not is_point(receiver):
        raise _no_key("push.p256dh")
    if len(secret) != AUTH_BYTES:
        raise _no_key("push.auth")
    return NewSubscription(Channel.PUSH, address, PushKeys(receiver, secret))


def webhook_subscription(url: str) -> NewSubscription:
    """A webhook's subscription.

    Raises:
        InvalidArgument: ADDRESS_REFUSED.
    """
    check_url(url, "webhook_url")
    return NewSubscription(Channel.WEBHOOK, url)


def _key(text: str, field: str) -> bytes:
    try:
        return decoded(text)
    except ValueError as error:
        raise _no_key(field) from error


def _no_key(field: str) -> InvalidArgument:
    violation = FieldViolation(field, "push.key", _NO_KEY)
    return InvalidArgument(Reason.INVALID_FIELD, violations=[violation], fields=field)
