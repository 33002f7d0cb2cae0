"""Reminders over gRPC. The contract stands in `reminders_service.proto`."""

from typing import Any

from google.api.httpbody_pb2 import HttpBody
from google.protobuf.empty_pb2 import Empty

from eco2.jobs.v1.job_pb2 import Job
from eco2.reminders.v1 import reminders_service_pb2 as pb
from eco2.reminders.v1 import reminders_service_pb2_grpc
from mesh.grpc import entity_tags
from mesh.grpc.identity import caller
from mesh.observability.telemetry import traceparent
from scan_svc.client_jobs import wire as jobs_wire
from scan_svc.client_jobs.work import JobTypes
from scan_svc.reminders import wire
from scan_svc.reminders.calendar_feed import CalendarFeed
from scan_svc.reminders.reminding import Reminding
from scan_svc.reminders.subscribing import Subscriptions
from scan_svc.scan_proto import canonical

_CALENDAR = "text/calendar; charset=utf-8"
# Apps ask when they like. What stands between them and us keeps nothing: whoever has the address may read it.
_CACHING = ("cache-control", "private, no-cache")


class RemindersServicer(reminders_service_pb2_grpc.RemindersServiceServicer):
    """The service that puts what was scanned into people's evenings.

    Args:
        calendars: Read by calendar apps.
        subscriptions: Where users are reminded.
        reminding: Reminds them of scans.
        types: The kinds of client jobs, of which a reminder is one.
    """

    def __init__(
        self, calendars: CalendarFeed, subscriptions: Subscriptions, reminding: Reminding, types: JobTypes
    ) -> None:
        self._calendars = calendars
        self._subscriptions = subscriptions
        self._reminding = reminding
        self._types = types

    async def CreateCalendar(self, request: pb.CreateCalendarRequest, context: Any) -> pb.CreateCalendarResponse:
        """Gives the caller's calendar an address."""
        who = caller(context)
        calendar, path = await self._calendars.create(
            who.user_id, request.region, request.building, who.locale_or(request.locale)
        )
        return pb.CreateCalendarResponse(path=path, create_time=wire.timestamp(calendar.created_at))

    async def DeleteCalendar(self, request: pb.DeleteCalendarRequest, context: Any) -> Empty:
        """Ends the address."""
        await self._calendars.end(caller(context).user_id)
        return Empty()

    async def GetPushKey(self, request: pb.GetPushKeyRequest, context: Any) -> pb.GetPushKeyResponse:
        """Tells the key that browsers subscribe with."""
        return pb.GetPushKeyResponse(public_key=self._subscriptions.push_key())

    async def CreateSubscription(
        self, request: pb.CreateSubscriptionRequest, context: Any
    ) -> pb.CreateSubscriptionResponse:
        """Adds a place at which the caller is reminded."""
        made, secret = await self._subscriptions.add(caller(context).user_id, wire.new_subscription(request))
        return pb.CreateSubscriptionResponse(subscription=wire.from_subscription(made), webhook_secret=secret)

    async def ListSubscriptions(
        self, request: pb.ListSubscriptionsRequest, context: Any
    ) -> pb.ListSubscriptionsResponse:
        """Lists them."""
        found = await self._subscriptions.of_user(caller(context).user_id)
        return pb.ListSubscriptionsResponse(subscriptions=map(wire.from_subscription, found))

    async def DeleteSubscription(self, request: pb.DeleteSubscriptionRequest, context: Any) -> Empty:
        """Ends one."""
        await self._subscriptions.end(caller(context).user_id, canonical(request.subscription_id))
        return Empty()

    async def RemindScan(self, request: pb.RemindScanRequest, context: Any) -> Job:
        """Reminds the caller of a scan."""
        who = caller(context)
        job = await self._reminding.remind(wire.reminder_request(request, who), traceparent())
        return jobs_wire.job(job, self._types, who.reads(job.locale), None)

    async def GetCalendar(self, request: pb.GetCalendarRequest, context: Any) -> HttpBody:
        """Sends the calendar, unless the app has it already."""
        feed = await self._calendars.read(request.key)
        known = entity_tags.is_named(feed.tag, context.invocation_metadata() or ())
        await context.send_initial_metadata(entity_tags.headers(feed.tag, _CACHING, not_modified=known))
        return HttpBody(content_type=_CALENDAR, data=b"" if known else feed.content)
