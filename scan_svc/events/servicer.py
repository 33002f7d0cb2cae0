"""Events over gRPC and as Server-Sent Events. The contract stands in `events_service.proto`."""

import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

from google.api.httpbody_pb2 import HttpBody

from eco2.events.v1 import events_service_pb2 as pb
from eco2.events.v1.events_service_pb2_grpc import EventsServiceServicer
from mesh.errors import InvalidArgument
from mesh.reasons import Reason
from scan_svc.events import wire
from scan_svc.events.events import Page
from scan_svc.events.log import EventLog
from scan_svc.events.store import EventStore

LAST_EVENT_HEADER = "last-event-id"

_CONTENT_TYPE = "text/event-stream"
_DEFAULT, _LIMIT = 100, 500
_LARGEST_ID = 2**63 - 1
_TELL_SECONDS = 1.0


class EventsServicer(EventsServiceServicer):
    """What happens to jobs, for internal consumers and operators.

    Args:
        log: The log as it is followed.
        store: The log as it is looked up.
    """

    def __init__(self, log: EventLog, store: EventStore) -> None:
        self._log = log
        self._store = store

    async def SubscribeEvents(
        self, request: pb.SubscribeEventsRequest, context: Any
    ) -> AsyncGenerator[pb.SubscribeEventsResponse, None]:
        """Events from a cursor on, as long as the consumer takes them."""
        wants, told = wire.wanted(request.filter), 0.0
        async with aclosing(self._log.follow(request.cursor, context.time_remaining())) as pages:
            async for page in pages:
                events = [wire.event(event) for event in page.events if wants(event)]
                # Where the log is full of what isn't wanted, the consumer's place in it moves on all the same.
                if events or not page.events or time.monotonic() - told >= _TELL_SECONDS:
                    yield pb.SubscribeEventsResponse(events=events, cursor=str(page.cursor))
                    told = time.monotonic()

    async def StreamEvents(self, request: pb.StreamEventsRequest, context: Any) -> AsyncGenerator[HttpBody, None]:
        """The same as text."""
        wants = wire.wanted(request.filter)
        start = _last_event(context) or request.cursor
        async with aclosing(self._log.follow(start, context.time_remaining())) as pages:
            async for page in pages:
                yield HttpBody(content_type=_CONTENT_TYPE, data=_text(page, wants))

    async def ListEvents(self, request: pb.ListEventsRequest, context: Any) -> pb.ListEventsResponse:
        """One scan's or job's life."""
        size = min(request.page_size or _DEFAULT, _LIMIT)
        found = await self._store.about(request.job_id, _after(request.page_token), size + 1)
        return pb.ListEventsResponse(
            events=[wire.event(event) for event in found[:size]],
            next_page_token=str(found[size - 1].id) if len(found) > size else "",
        )


def _text(page: Page, wants: wire.Wanted) -> bytes:
    """A page as Server-Sent Events: those that are wanted, then the place after the others."""
    wanted = [event for event in page.events if wants(event)]
    frames = [b"id: %s\ndata: %s\n\n" % (str(event.cursor).encode(), wire.cloud_event(event)) for event in wanted]
    if not wanted or wanted[-1].cursor != page.cursor:
        frames.append(b": heartbeat\nid: %s\n\n" % str(page.cursor).encode())
    return b"".join(frames)


def _last_event(context: Any) -> str:
    """The cursor that a client which reconnects has read; empty if it names none."""
    return next((value for key, value in context.invocation_metadata() or () if key == LAST_EVENT_HEADER), "")


def _after(token: str) -> int:
    """The event that a page follows.

    Raises:
        InvalidArgument: The token isn't ours.
    """
    if not token:
        return 0
    if not (token.isascii() and token.isdigit()) or int(token) > _LARGEST_ID:
        raise InvalidArgument(Reason.INVALID_PAGE_TOKEN)
    return int(token)
