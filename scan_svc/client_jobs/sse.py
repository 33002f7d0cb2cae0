"""WatchJob as Server-Sent Events. The contract stands in `job_events_service.proto`."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

from google.api.httpbody_pb2 import HttpBody

from eco2.jobs.v1 import job_events_service_pb2 as pb
from eco2.jobs.v1 import job_events_service_pb2_grpc, job_pb2
from eco2.jobs.v1.jobs_service_pb2 import WatchJobResponse
from mesh.grpc.encoded import Encoded
from mesh.grpc.identity import Caller, caller
from scan_svc import scan_proto
from scan_svc.client_jobs.service import missing_job
from scan_svc.client_jobs.views import JobViews
from scan_svc.progress.json_writer import JsonWriter
from scan_svc.progress.sse import CONTENT_TYPE, RETRY, frame, last_event
from scan_svc.progress.watchers import Watchers, WatchEvent

_REMEMBERED = 1024


class JobEventsServicer(job_events_service_pb2_grpc.JobEventsServiceServicer):
    """The watch that clients of Server-Sent Events understand.

    Args:
        watchers: Who watches.
        views: How jobs are shown.
    """

    def __init__(self, watchers: Watchers, views: JobViews) -> None:
        self._watchers = watchers
        self._views = views
        self._json = JsonWriter((WatchJobResponse, job_pb2.Job), _REMEMBERED)

    async def StreamJobEvents(self, request: pb.StreamJobEventsRequest, context: Any) -> AsyncGenerator[Encoded, None]:
        """The job's progress until its end, as text."""
        who, job_id = caller(context), scan_proto.canonical(request.job_id)
        seen = max(request.after_version, last_event(context))
        watch = self._watchers.watch(job_id, who.user_id, seen, seconds=context.time_remaining(), any_kind=True)
        opening = RETRY
        with missing_job(job_id):
            async with aclosing(watch) as events:
                async for event in events:
                    if event.last:
                        context.last()
                    yield self._written(opening, event, who)
                    opening = b""

    def _written(self, opening: bytes, event: WatchEvent, who: Caller) -> Encoded:
        version = event.scan.version if event.scan else None
        text = frame(event.kind, version, self._json.write(self._views.event(event, who)))
        return Encoded(HttpBody(content_type=CONTENT_TYPE, data=opening + text).SerializeToString())
