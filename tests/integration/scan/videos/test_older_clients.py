"""Clips as older clients poll them: one status for the frames and the scan that they become."""

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import grpc
import pytest

from eco2.compat.v1 import compat_service_pb2 as pb
from eco2.compat.v1.compat_service_pb2_grpc import CompatServiceStub
from mesh.errors import InvalidArgument
from mesh.reasons import Reason
from tests.integration.scan.client import Client, StartScanService
from tests.integration.scan.client_jobs.jobs_client import refusal
from tests.integration.scan.videos.video_client import BOTTLE, CLIP, VideoClient, shows
from tests.support.gates import Gate
from tests.support.scan.peer_servicers import METAL, Peers
from tests.support.waiting import eventually

if TYPE_CHECKING:  # the generated module has it for type checkers only
    from eco2.compat.v1.compat_service_pb2_grpc import CompatServiceAsyncStub


class OlderVideoClient:
    """A user's older app."""

    def __init__(self, client: Client, channel: grpc.aio.Channel) -> None:
        self.videos = VideoClient(client, channel)
        self._stub: CompatServiceAsyncStub = CompatServiceStub(channel)

    async def status(self, video_id: str) -> pb.VideoStatus:
        return await self._stub.GetVideo(pb.GetVideoRequest(id=video_id), metadata=self.videos.metadata)


@pytest.fixture
async def app(start_scan_service: StartScanService) -> AsyncIterator[OlderVideoClient]:
    """An older app and a service."""
    async with start_scan_service() as client, grpc.aio.insecure_channel(client.target) as channel:
        yield OlderVideoClient(client, channel)


async def test_a_clip_is_pending_then_processing_then_completed(app: OlderVideoClient, peers: Peers) -> None:
    """It isn't completed before its scan is, and never goes back."""
    frames, answer = peers.before["Classify"], peers.before["ComposeAnswer"] = Gate(), Gate()
    created = await app.videos.create()
    video_id = created.job.job_id
    shows(peers, video_id, METAL, BOTTLE)
    assert (await app.status(video_id)).status == "pending"
    await app.videos.put(created.upload, CLIP)
    await app.videos.start(video_id)
    await frames.held()
    looking = await app.status(video_id.upper())
    assert (looking.id, looking.status, looking.HasField("result")) == (video_id, "processing", False)
    frames.open()
    await app.videos.ended(video_id)
    writing = await app.status(video_id)
    assert writing.status == "processing"
    assert looking.progress <= 50 <= writing.progress < 100
    answer.open()

    async def completed() -> bool:
        return (await app.status(video_id)).status == "completed"

    await eventually(completed)
    done = await app.status(video_id)
    assert (done.progress, done.result.waste_type, done.result.feedback) == (100, "금속류", "비우고 내놓아요.")
    assert [(one.display_name, one.second) for one in done.things] == [("금속류", 0.0), ("무색페트병", 1.0)]
    assert done.things[0].image_url == done.result.image_url


async def test_a_refused_clip_has_failed_and_says_why(app: OlderVideoClient, peers: Peers) -> None:
    """In the user's language."""

    async def refuse() -> None:
        raise InvalidArgument(Reason.VIDEO_EMPTY)

    peers.before["ExtractFrames"] = refuse
    video_id = await app.videos.film()
    await app.videos.ended(video_id)
    failed = await app.status(video_id)
    assert (failed.status, failed.message) == ("failed", "동영상에 화면이 하나도 없어요. 다시 찍어서 올려 주세요.")
    assert not failed.things


@pytest.mark.parametrize("video_id", ["1", "0197b0f0-0000-7000-8000-000000000009"])
async def test_there_is_no_such_clip(app: OlderVideoClient, video_id: str) -> None:
    """Whatever the id is like."""
    assert await refusal(app.status(video_id)) == (grpc.StatusCode.NOT_FOUND, Reason.JOB_NOT_FOUND)
