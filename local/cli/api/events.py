"""The event log over gRPC, at Scan's own port, as operations."""

from collections.abc import Iterator

import grpc

from eco2.events.v1 import events_service_pb2 as pb
from eco2.events.v1.event_pb2 import Event
from eco2.events.v1.events_service_pb2_grpc import EventsServiceStub
from local.cli.api.grpc import answered
from mesh.locale import Locale

_SECONDS = 10.0
_PAGE = 500


class EventsClient:
    """Calls EventsService.

    Args:
        channel: To Scan itself.
        locale: Language of errors.
    """

    def __init__(self, channel: grpc.Channel, locale: Locale) -> None:
        self._stub = EventsServiceStub(channel)
        self._metadata = (("accept-language", str(locale)),)
        self._locale = locale

    def about(self, job_id: str) -> Iterator[Event]:
        """The events about one scan or job, oldest first, as far as they are kept."""
        request = pb.ListEventsRequest(job_id=job_id, page_size=_PAGE)
        while True:
            with answered(self._locale):
                page = self._stub.ListEvents(request, timeout=_SECONDS, metadata=self._metadata)
            yield from page.events
            if not page.next_page_token:
                return
            request.page_token = page.next_page_token

    def follow(self, job_id: str) -> Iterator[Event]:
        """The same, then those that come; it ends with its reader.

        The log is subscribed to from its end before the past is listed, so that nothing falls between the two; what
        comes by both ways is told once.
        """
        told: set[str] = set()
        listed = False
        request = pb.SubscribeEventsRequest(cursor="latest", filter=pb.EventFilter(job_id=job_id))
        while True:
            for response in self._subscribed(request, again=listed):
                news = list(response.events)
                if not listed:
                    news[:0], listed = self.about(job_id), True
                for event in news:
                    if event.id not in told:
                        told.add(event.id)
                        yield event
                request.cursor = response.cursor

    def _subscribed(self, request: pb.SubscribeEventsRequest, *, again: bool) -> Iterator[pb.SubscribeEventsResponse]:
        """One stream, to its end. Who has had one before waits for a server that is being replaced."""
        with answered(self._locale):
            try:
                yield from self._stub.SubscribeEvents(request, metadata=self._metadata, wait_for_ready=again)
            except grpc.RpcError as error:
                if not (again and isinstance(error, grpc.Call) and error.code() is grpc.StatusCode.UNAVAILABLE):
                    raise
