"""A user with a clip, over gRPC."""

from typing import Any

import grpc

from eco2.jobs.v1 import jobs_service_pb2 as pb
from eco2.scan.v1 import scan_pb2, scan_service_pb2
from eco2.vision.v1 import classification_pb2
from mesh.s3.photo_keys import frame_key
from scan_svc.videos.videos import scan_id_of
from tests.integration.scan.client import Client
from tests.integration.scan.client_jobs.jobs_client import JobsClient
from tests.support.scan.peer_servicers import Peers

BOTTLE = classification_pb2.Category(major="재활용폐기물", middle="무색페트병")
CLIP = b"what Vision alone reads"


class VideoClient(JobsClient):
    """A user with a clip."""

    def __init__(self, client: Client, channel: grpc.aio.Channel) -> None:
        super().__init__(client, channel)
        self.scans = client

    async def create(self, content_type: str = "video/mp4", **spec: Any) -> Any:
        """A job whose clip is to come."""
        upload = {"content_type": content_type, "size_bytes": len(CLIP)}
        request = pb.CreateJobRequest(video=spec, upload=upload, locale="en")
        return await self.stub.CreateJob(request, metadata=self.metadata)

    async def history(self) -> list[scan_pb2.Scan]:
        """Their scans."""
        request = scan_service_pb2.ListScansRequest()
        return list((await self.scans.stub.ListScans(request, metadata=self.metadata)).scans)

    async def film(self, **spec: Any) -> str:
        """The id of a job whose clip has come."""
        created = await self.create(**spec)
        assert await self.put(created.upload, CLIP) == 200
        await self.start(created.job.job_id)
        return str(created.job.job_id)


def shows(peers: Peers, job_id: str, *categories: classification_pb2.Category) -> None:
    """What each frame of a job's clip shows."""
    for number, category in enumerate(categories):
        found = classification_pb2.Classification(
            category=category, display_name=category.middle, confidence=0.9 - number / 10
        )
        peers.shown[frame_key(scan_id_of(job_id), number)] = found
