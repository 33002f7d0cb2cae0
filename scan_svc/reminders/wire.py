"""Requests of RemindersService to the domain, and its replies."""

from datetime import datetime
from urllib.parse import urlsplit

from google.protobuf.timestamp_pb2 import Timestamp

from eco2.jobs.v1 import message_pb2
from eco2.reminders.v1 import reminders_service_pb2 as pb
from mesh.grpc.identity import Caller
from mesh.grpc.proto_mirror import from_proto
from scan_svc.client_jobs.client_jobs import JobRequest, Kind
from scan_svc.reminders.messages import MessageSpec
from scan_svc.reminders.subscriptions import (
    Channel,
    NewSubscription,
    Subscription,
    push_subscription,
    webhook_subscription,
)
from scan_svc.scan_proto import canonical

_CHANNELS = {channel: pb.Subscription.Channel.Value(f"CHANNEL_{channel}") for channel in Channel}


def new_subscription(request: pb.CreateSubscriptionRequest) -> NewSubscription:
    """What a CreateSubscriptionRequest asks for.

    Raises:
        InvalidArgument: The address or a key can't be used.
    """
    if request.HasField("push"):
        return push_subscription(request.push.endpoint, request.push.p256dh, request.push.auth)
    return webhook_subscription(request.webhook_url)


def reminder_request(request: pb.RemindScanRequest, who: Caller) -> JobRequest:
    """The client job that a RemindScanRequest asks for.

    Raises:
        Unauthenticated: It came without an identity.
    """
    spec = message_pb2.MessageSpec(scan_id=canonical(request.scan_id), channels=request.channels)
    if request.HasField("at"):
        spec.at.CopyFrom(request.at)
    return JobRequest(
        user_id=who.user_id,
        kind=Kind.MESSAGE,
        spec=from_proto(spec, MessageSpec),
        field="scan_id",
        locale=who.locale_or(request.locale),
    )


def from_subscription(one: Subscription) -> pb.Subscription:
    """A subscription. Whoever knows a whole endpoint could send to it, so of that the host is told."""
    wanted = one.wanted
    is_push = wanted.channel is Channel.PUSH
    return pb.Subscription(
        subscription_id=one.subscription_id,
        channel=_CHANNELS[wanted.channel],
        address=(urlsplit(wanted.address).hostname or "") if is_push else wanted.address,
        create_time=timestamp(one.created_at),
    )


def timestamp(moment: datetime) -> Timestamp:
    """A moment on the wire."""
    wire = Timestamp()
    wire.FromDatetime(moment)
    return wire
