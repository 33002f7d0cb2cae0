"""What a reminder is asked for with, and what became of it: mirrors of `eco2/jobs/v1/message.proto`."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from scan_svc.reminders.subscriptions import Channel


@dataclass(frozen=True, slots=True)
class MessageSpec:
    """Mirror of `eco2.jobs.v1.MessageSpec`."""

    scan_id: str
    channels: tuple[Channel, ...] = ()
    at: datetime | None = None


class Reason(StrEnum):
    """Mirror of `eco2.jobs.v1.MessageResult.Reason`: why nothing was sent."""

    UNSPECIFIED = "UNSPECIFIED"
    PUT_OUT = "PUT_OUT"
    SCAN_GONE = "SCAN_GONE"
    NO_EVENING = "NO_EVENING"
    NO_SUBSCRIPTION = "NO_SUBSCRIPTION"


class Outcome(StrEnum):
    """Mirror of `eco2.jobs.v1.MessageResult.Delivery.Outcome`."""

    UNSPECIFIED = "UNSPECIFIED"
    SENT = "SENT"
    GONE = "GONE"
    REFUSED = "REFUSED"
    FAILED = "FAILED"


@dataclass(frozen=True, slots=True)
class Delivery:
    """Mirror of `eco2.jobs.v1.MessageResult.Delivery`."""

    subscription_id: str
    channel: Channel
    outcome: Outcome
    status: int = 0


@dataclass(frozen=True, slots=True)
class MessageResult:
    """Mirror of `eco2.jobs.v1.MessageResult`."""

    reason: Reason = Reason.UNSPECIFIED
    date: str = ""
    deliveries: tuple[Delivery, ...] = ()


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far a reminder is.

    Attributes:
        at: When it is due, if that isn't what its spec says any more.
        deliveries: What has become of messages.
        tries: How often each of the others was tried, by subscription.
    """

    at: datetime | None = None
    deliveries: tuple[Delivery, ...] = ()
    tries: dict[str, int] = field(default_factory=dict)
