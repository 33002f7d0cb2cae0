"""An older client of Scan, behind the edge: it knows ids, addresses and words, and nothing else."""

import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import grpc
import httpx2

from eco2.compat.v1 import compat_service_pb2 as pb
from eco2.compat.v1 import compat_service_pb2_grpc
from tests.integration.scan.client import PHOTO, Client
from tests.support.http import http_client


class OlderClient:
    """A user's older app.

    Args:
        channel: To Scan.
        metadata: Who it is, in which language.
    """

    def __init__(self, channel: grpc.aio.Channel, metadata: tuple[tuple[str, str], ...]) -> None:
        self._stub = compat_service_pb2_grpc.CompatServiceStub(channel)
        self._metadata = metadata

    async def analyze(self) -> pb.AnalyzeWasteResponse:
        return await self._stub.AnalyzeWaste(pb.AnalyzeWasteRequest(), metadata=self._metadata)

    async def put(
        self, job: pb.AnalyzeWasteResponse, content: bytes = PHOTO, content_type: str = "image/jpeg"
    ) -> httpx2.Response:
        """With the one header that was ever told."""
        async with http_client() as http:
            return await http.put(job.upload_url, headers={"Content-Type": content_type}, content=content)

    async def complete(self, job_id: str) -> str:
        request = pb.CompleteUploadRequest(job_id=job_id)
        return (await self._stub.CompleteUpload(request, metadata=self._metadata)).status

    async def status(self, job_id: str) -> pb.WasteStatus:
        return await self._stub.GetWasteStatus(pb.GetWasteStatusRequest(job_id=job_id), metadata=self._metadata)

    async def result(self, job_id: str) -> pb.WasteResult:
        return await self._stub.GetWasteResult(pb.GetWasteResultRequest(job_id=job_id), metadata=self._metadata)

    async def task(self, **fields: str) -> str:
        response = await self._stub.CreateTask(pb.CreateTaskRequest(**fields), metadata=self._metadata)
        assert response.status == "processing"
        return response.task_id

    async def frames(self, task_id: str) -> AsyncGenerator[str, None]:
        """What the stream is made of, comments included, as it comes."""
        request = pb.StreamTaskProgressRequest(task_id=task_id)
        async for body in self._stub.StreamTaskProgress(request, metadata=self._metadata):
            assert body.content_type == "text/event-stream"
            frame = body.data.decode()
            assert frame.endswith("\n\n")
            yield frame.removesuffix("\n\n")

    async def progress(self, task_id: str) -> list[dict[str, Any]]:
        """Every event until the end."""
        frames = [frame async for frame in self.frames(task_id)]
        return [json.loads(frame.removeprefix("data: ")) for frame in frames if not frame.startswith(":")]

    async def started(self) -> str:
        """A job whose photo is uploaded and which is queued."""
        job = await self.analyze()
        (await self.put(job)).raise_for_status()
        assert await self.complete(job.job_id) == "processing"
        return job.job_id


@asynccontextmanager
async def older(client: Client, language: str = "ko") -> AsyncIterator[OlderClient]:
    """The same user by an older app."""
    user, _ = client.metadata
    async with grpc.aio.insecure_channel(client.target) as channel:
        yield OlderClient(channel, (user, ("accept-language", language)))
