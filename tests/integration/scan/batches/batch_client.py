"""A user of batches, over gRPC, and the sheet that they get."""

import csv
import functools
import io
from typing import Any

import grpc

from eco2.jobs.v1 import jobs_service_pb2 as pb
from eco2.jobs.v1.job_pb2 import Job
from scan_svc.client_jobs.work import JobTypes
from scan_svc.job_types import JobTypeParts, batches
from tests.integration.scan.client import Client
from tests.integration.scan.client_jobs.jobs_client import JobsClient
from tests.support.http import http_client

ADDRESS = "https://photos.example.com/{number}.jpg"


def quick(parts: JobTypeParts) -> JobTypes:
    """Batches alone, that look every twentieth of a second whether scans have ended."""
    return JobTypes([batches(parts, tick_seconds=0.05)])


class BatchClient(JobsClient):
    """What one user does with their batches."""

    def __init__(self, client: Client, channel: grpc.aio.Channel) -> None:
        super().__init__(client, channel)
        self.scans = client.stub

    async def begin(self, content: bytes, content_type: str = "text/csv", locale: str = "en", **spec: Any) -> str:
        """Creates a batch, uploads its file and starts it; returns its id."""
        request = pb.CreateJobRequest(
            batch={"rows_per_minute": 600, **spec},
            upload={"content_type": content_type, "size_bytes": len(content)},
            locale=locale,
        )
        created = await self.stub.CreateJob(request, metadata=self.metadata)
        assert await self.put(created.upload, content) < 300
        return (await self.start(created.job.job_id)).job_id

    async def sheet(self, job: Job) -> list[dict[str, str]]:
        """The rows of a batch's sheet, by the names of their columns."""
        return list(csv.DictReader(io.StringIO((await self.file(job)).decode("utf-8-sig"), newline="")))

    async def file(self, job: Job) -> bytes:
        """What is behind a job's download_url."""
        async with http_client() as http:
            return (await http.get(job.download_url)).raise_for_status().content


addresses = functools.partial(ADDRESS.format)
