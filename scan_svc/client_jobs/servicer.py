"""JobsService over gRPC. The contract stands in `jobs_service.proto`."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

from google.protobuf.empty_pb2 import Empty

from eco2.jobs.v1 import jobs_service_pb2 as pb
from eco2.jobs.v1 import jobs_service_pb2_grpc
from eco2.jobs.v1.job_pb2 import Job
from mesh.grpc.encoded import Encoded
from mesh.grpc.identity import caller
from mesh.observability.telemetry import traceparent
from scan_svc import scan_proto
from scan_svc.client_jobs import wire
from scan_svc.client_jobs.service import ClientJobs, missing_job
from scan_svc.client_jobs.views import JobViews
from scan_svc.progress.watchers import Watchers


class JobsServicer(jobs_service_pb2_grpc.JobsServiceServicer):
    """Jobs of users.

    Args:
        jobs: What users do with them.
        watchers: Who watches them.
        views: How they are shown.
    """

    def __init__(self, jobs: ClientJobs, watchers: Watchers, views: JobViews) -> None:
        self._jobs = jobs
        self._watchers = watchers
        self._views = views

    async def CreateJob(self, request: pb.CreateJobRequest, context: Any) -> pb.CreateJobResponse:
        """Creates a job, queued unless its file is to come."""
        who = caller(context)
        created = await self._jobs.create(wire.job_request(request, who, self._jobs.types), traceparent())
        return wire.create_job_response(self._views.job(created.job, who), created.ticket)

    async def StartJob(self, request: pb.StartJobRequest, context: Any) -> Job:
        """Queues a job whose file has been uploaded."""
        who = caller(context)
        return self._views.job(
            await self._jobs.start(who.user_id, scan_proto.canonical(request.job_id), traceparent()), who
        )

    async def GetJob(self, request: pb.GetJobRequest, context: Any) -> Encoded:  # type: ignore[override]
        """The job, or the scan, as it is now."""
        who = caller(context)
        return self._views.shown(await self._jobs.read(who.user_id, scan_proto.canonical(request.job_id)), who)

    async def WatchJob(self, request: pb.WatchJobRequest, context: Any) -> AsyncGenerator[pb.WatchJobResponse, None]:
        """The progress of a job or a scan until its end."""
        who, job_id = caller(context), scan_proto.canonical(request.job_id)
        watch = self._watchers.watch(
            job_id, who.user_id, request.after_version, seconds=context.time_remaining(), any_kind=True
        )
        with missing_job(job_id):
            async with aclosing(watch) as events:
                async for event in events:
                    if event.last:
                        context.last()
                    yield self._views.event(event, who)

    async def ListJobs(self, request: pb.ListJobsRequest, context: Any) -> pb.ListJobsResponse:
        """The caller's jobs, newest first."""
        who = caller(context)
        jobs, following = await self._jobs.page(
            who.user_id, wire.kind_wanted(request), request.page_size, request.page_token
        )
        return pb.ListJobsResponse(jobs=[self._views.job(job, who) for job in jobs], next_page_token=following)

    async def CancelJob(self, request: pb.CancelJobRequest, context: Any) -> Job:
        """Stops a job."""
        who = caller(context)
        return self._views.job(await self._jobs.cancel(who.user_id, scan_proto.canonical(request.job_id)), who)

    async def DeleteJob(self, request: pb.DeleteJobRequest, context: Any) -> Empty:
        """Removes a job with everything it has made."""
        await self._jobs.delete(caller(context).user_id, scan_proto.canonical(request.job_id))
        return Empty()
