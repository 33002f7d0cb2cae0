"""Reminders over gRPC. The contract stands in `reminders_service.proto`."""

from typing import Any

from google.api.httpbody_pb2 import HttpBody
from google.protobuf.empty_pb2 import Empty
from google.protobuf.timestamp_pb2 import Timestamp

from eco2.reminders.v1 import reminders_service_pb2 as pb
from eco2.reminders.v1 import reminders_service_pb2_grpc
from mesh.grpc import entity_tags
from mesh.grpc.identity import caller
from scan_svc.reminders.calendar_feed import CalendarFeed

_CALENDAR = "text/calendar; charset=utf-8"
# Apps ask when they like. What stands between them and us keeps nothing: whoever has the address may read it.
_CACHING = ("cache-control", "private, no-cache")


class RemindersServicer(reminders_service_pb2_grpc.RemindersServiceServicer):
    """The service that puts what was scanned into people's evenings.

    Args:
        calendars: Read by calendar apps.
    """

    def __init__(self, calendars: CalendarFeed) -> None:
        self._calendars = calendars

    async def CreateCalendar(self, request: pb.CreateCalendarRequest, context: Any) -> pb.CreateCalendarResponse:
        """Gives the caller's calendar an address."""
        who = caller(context)
        calendar, path = await self._calendars.create(
            who.user_id, request.region, request.building, who.locale_or(request.locale)
        )
        created = Timestamp()
        created.FromDatetime(calendar.created_at)
        return pb.CreateCalendarResponse(path=path, create_time=created)

    async def DeleteCalendar(self, request: pb.DeleteCalendarRequest, context: Any) -> Empty:
        """Ends the address."""
        await self._calendars.end(caller(context).user_id)
        return Empty()

    async def GetCalendar(self, request: pb.GetCalendarRequest, context: Any) -> HttpBody:
        """Sends the calendar, unless the app has it already."""
        feed = await self._calendars.read(request.key)
        known = entity_tags.is_named(feed.tag, context.invocation_metadata() or ())
        await context.send_initial_metadata(entity_tags.headers(feed.tag, _CACHING, not_modified=known))
        return HttpBody(content_type=_CALENDAR, data=b"" if known else feed.content)
