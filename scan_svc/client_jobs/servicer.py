"""JobsService over gRPC. The contract stands in `jobs_service.proto`."""

from typing import Any

from google.protobuf.empty_pb2 import Empty

from eco2.jobs.v1 import jobs_service_pb2 as pb
from eco2.jobs.v1 import jobs_service_pb2_grpc
from eco2.jobs.v1.job_pb2 import Job
from mesh.grpc.identity import Caller, caller
from mesh.observability.telemetry import traceparent
from scan_svc import scan_proto
from scan_svc.client_jobs import wire
from scan_svc.client_jobs.client_jobs import ClientJob
from scan_svc.client_jobs.files import JobFiles
from scan_svc.client_jobs.service import ClientJobs
from scan_svc.client_jobs.work import JobTypes


class JobsServicer(jobs_service_pb2_grpc.JobsServiceServicer):
    """Jobs of users.

    Args:
        jobs: What users do with them.
        types: The kinds there are.
        files: Where their files can be fetched.
    """

    def __init__(self, jobs: ClientJobs, types: JobTypes, files: JobFiles) -> None:
        self._jobs = jobs
        self._types = types
        self._files = files

    async def CreateJob(self, request: pb.CreateJobRequest, context: Any) -> pb.CreateJobResponse:
        """Creates a job, queued unless its file is to come."""
        who = caller(context)
        created = await self._jobs.create(wire.job_request(request, who, self._types), traceparent())
        return wire.create_job_response(created, self._shown(created.job, who))

    async def StartJob(self, request: pb.StartJobRequest, context: Any) -> Job:
        """Queues a job whose file has been uploaded."""
        who = caller(context)
        return self._shown(
            await self._jobs.start(who.user_id, scan_proto.canonical(request.job_id), traceparent()), who
        )

    async def GetJob(self, request: pb.GetJobRequest, context: Any) -> Job:
        """The job as it is now."""
        who = caller(context)
        return self._shown(await self._jobs.get(who.user_id, scan_proto.canonical(request.job_id)), who)

    async def ListJobs(self, request: pb.ListJobsRequest, context: Any) -> pb.ListJobsResponse:
        """The caller's jobs, newest first."""
        who = caller(context)
        jobs, following = await self._jobs.page(
            who.user_id, wire.kind_wanted(request), request.page_size, request.page_token
        )
        return pb.ListJobsResponse(jobs=[self._shown(job, who) for job in jobs], next_page_token=following)

    async def CancelJob(self, request: pb.CancelJobRequest, context: Any) -> Job:
        """Stops a job."""
        who = caller(context)
        return self._shown(await self._jobs.cancel(who.user_id, scan_proto.canonical(request.job_id)), who)

    async def DeleteJob(self, request: pb.DeleteJobRequest, context: Any) -> Empty:
        """Removes a job with everything it has made."""
        await self._jobs.delete(caller(context).user_id, scan_proto.canonical(request.job_id))
        return Empty()

    def _shown(self, job: ClientJob, who: Caller) -> Job:
        address = self._files.address(job.file) if job.file else None
        return wire.job(job, self._types, who.reads(job.locale), address)
