"""A user of JobsService, over gRPC."""

import asyncio
from collections.abc import Awaitable
from typing import Any

import grpc

from eco2.jobs.v1 import jobs_service_pb2 as pb
from eco2.jobs.v1 import jobs_service_pb2_grpc
from eco2.jobs.v1.job_pb2 import Job
from tests.integration.scan.client import Client, reason
from tests.support.http import http_client
from tests.support.waiting import eventually

SCAN_ID = "0197a1b2-0000-7000-8000-000000000001"  # nobody looks for it
SHEET = b"address\nhttps://example.org/a.jpg\n"
ENDED = (Job.STATE_SUCCEEDED, Job.STATE_FAILED, Job.STATE_CANCELLED, Job.STATE_EXPIRED)


class JobsClient:
    """What one user does with their jobs."""

    def __init__(self, client: Client, channel: grpc.aio.Channel) -> None:
        self.stub = jobs_service_pb2_grpc.JobsServiceStub(channel)
        self.metadata = client.metadata

    async def remind(self, **fields: Any) -> Job:
        """A job without a file."""
        request = pb.CreateJobRequest(reminder={"scan_id": SCAN_ID}, **fields)
        return (await self.stub.CreateJob(request, metadata=self.metadata)).job

    async def announce(self, content: bytes = SHEET, content_type: str = "text/csv", **fields: Any) -> Any:
        """A job whose file is to come."""
        upload = {"content_type": content_type, "size_bytes": len(content)}
        request = pb.CreateJobRequest(batch={}, upload=upload, **fields)
        return await self.stub.CreateJob(request, metadata=self.metadata)

    async def put(self, target: pb.JobUploadTarget, content: bytes = SHEET) -> int:
        async with http_client() as http:
            response = await http.request(target.method, target.url, headers=dict(target.headers), content=content)
        return int(response.status_code)

    async def start(self, job_id: str) -> Job:
        return await self.stub.StartJob(pb.StartJobRequest(job_id=job_id), metadata=self.metadata)

    async def get(self, job_id: str) -> Job:
        return await self.stub.GetJob(pb.GetJobRequest(job_id=job_id), metadata=self.metadata)

    async def cancel(self, job_id: str) -> Job:
        return await self.stub.CancelJob(pb.CancelJobRequest(job_id=job_id), metadata=self.metadata)

    async def delete(self, job_id: str) -> None:
        await self.stub.DeleteJob(pb.DeleteJobRequest(job_id=job_id), metadata=self.metadata)

    async def page(self, **fields: Any) -> pb.ListJobsResponse:
        return await self.stub.ListJobs(pb.ListJobsRequest(**fields), metadata=self.metadata)

    async def ended(self, job_id: str) -> Job:
        """The job once it has ended."""

        async def over() -> bool:
            return (await self.get(job_id)).state in ENDED

        await eventually(over)
        return await self.get(job_id)


async def refusal(call: Awaitable[object]) -> tuple[grpc.StatusCode, str]:
    """The code and the reason of a refused call."""
    try:
        await call
    except grpc.aio.AioRpcError as error:
        return error.code(), reason(error)
    raise AssertionError("it wasn't refused")


async def reached(gate: asyncio.Event) -> None:
    """Waits until a job stands before a gate."""
    async with asyncio.timeout(60):
        await gate.wait()
