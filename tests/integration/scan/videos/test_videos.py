"""Clips as their users see them: uploaded, looked through frame by frame, and one scan in their history."""

import asyncio
import contextlib
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from typing import Any

import asyncpg
import grpc
import pytest
from pydantic import SecretStr

from eco2.jobs.v1 import jobs_service_pb2 as pb
from eco2.jobs.v1.job_pb2 import Job
from eco2.scan.v1 import scan_pb2
from eco2.scan.v1.operations_service_pb2 import GetModelSpendingRequest
from mesh.errors import FailedPrecondition, InvalidArgument, Unavailable
from mesh.reasons import Reason
from mesh.s3.bucket import Bucket, open_bucket
from mesh.s3.photo_keys import frame_key
from mesh.s3.settings import StorageSettings
from scan_svc.videos.videos import scan_id_of
from tests.integration.scan.client import StartScanService
from tests.integration.scan.client_jobs.jobs_client import reached, refusal
from tests.integration.scan.videos.video_client import BOTTLE, CLIP, VideoClient, shows
from tests.support.scan.peer_servicers import METAL, Peers
from tests.support.storage import Storage
from tests.support.waiting import eventually


@pytest.fixture
def worker_environment(
    database_settings: Mapping[str, str], redis_url: str, s3: Storage, peer_target: str
) -> Mapping[str, str]:
    """Settings of a worker in a process of its own."""
    values = {
        **database_settings,
        "redis_url": redis_url,
        "s3_endpoint": s3.endpoint,
        "s3_bucket": s3.bucket,
        "s3_access_key": s3.access_key,
        "s3_secret_key": s3.secret_key,
        "cdn_base_url": s3.cdn_base_url,
        "vision_target": peer_target,
        "rules_target": peer_target,
        "character_target": peer_target,
        "listen": "127.0.0.1:0",
        "scan_role": "worker",
        "lease_seconds": "2",
    }
    return {f"ECO2_{name.upper()}": value for name, value in values.items()}


@pytest.fixture
async def videos(start_scan_service: StartScanService) -> AsyncIterator[VideoClient]:
    """A user of a running service."""
    async with start_scan_service() as client, grpc.aio.insecure_channel(client.target) as channel:
        yield VideoClient(client, channel)


def _bucket(s3: Storage) -> Bucket:
    return open_bucket(
        StorageSettings(
            s3_endpoint=s3.endpoint,
            s3_bucket=s3.bucket,
            s3_region=s3.region,
            s3_access_key=SecretStr(s3.access_key),
            s3_secret_key=SecretStr(s3.secret_key),
            cdn_base_url=s3.cdn_base_url,
        )
    )


async def test_a_clip_becomes_one_scan_of_several_things(videos: VideoClient, peers: Peers) -> None:
    """With rules and answer as any scan, in the history; each thing says in which frame it is."""
    peers.usage = {"model": "m", "cost_micro_usd": 7, "calls": 1}
    created = await videos.create(user_input="어디에 버려요?", region="마포구")
    job_id = created.job.job_id
    shows(peers, job_id, METAL, BOTTLE, METAL)
    await videos.put(created.upload, CLIP)
    await videos.start(job_id)
    job = await videos.ended(job_id)
    assert (job.state, job.percent, job.done, job.total, job.unit) == (Job.STATE_SUCCEEDED, 100, 3, 3, "frames")
    assert job.cost_micro_usd == 21
    assert [frame.time.seconds for frame in job.video_result.frames] == [0, 1, 2]
    scan = await videos.scans.finished(job.video_result.scan_id)
    assert scan.state == scan_pb2.Scan.STATE_SUCCEEDED
    assert (scan.user_input, scan.region) == ("어디에 버려요?", "마포구")
    found = scan.classification
    assert [(one.category.middle, one.frame.index) for one in found.objects] == [("금속류", 0), ("무색페트병", 1)]
    assert scan.image_url == found.objects[0].frame.image_url == job.video_result.frames[0].image_url
    assert scan.answer.text
    assert [one.scan_id for one in await videos.history()] == [scan.scan_id]
    assert peers.calls["Classify"] == 3


async def test_people_see_how_far_a_clip_is(videos: VideoClient, peers: Peers) -> None:
    """Frame by frame, in their language."""
    gate, stands = asyncio.Event(), asyncio.Event()

    async def second() -> None:
        if peers.calls["Classify"] == 2:
            stands.set()
            await gate.wait()

    peers.before["Classify"] = second
    job_id = await videos.film()
    await reached(stands)
    job = await videos.get(job_id)
    gate.set()
    assert (job.state, job.done, job.total, job.step) == (Job.STATE_RUNNING, 1, 3, "frame")
    assert job.message == "장면 3개 중 1개를 확인했어요"
    assert (await videos.ended(job_id)).message == "완료했어요"


@pytest.mark.parametrize(
    ("upload", "field"),
    [({"content_type": "image/gif"}, "upload.content_type"), ({"size_bytes": (100 << 20) + 1}, "upload.size_bytes")],
    ids=["another type", "too large"],
)
async def test_what_is_no_clip_is_refused_at_once(videos: VideoClient, upload: dict[str, Any], field: str) -> None:
    """Before a byte of it is sent."""
    announced = {"content_type": "video/mp4", "size_bytes": 9} | upload
    call = videos.stub.CreateJob(pb.CreateJobRequest(video={}, upload=announced), metadata=videos.metadata)
    assert await refusal(call) == (grpc.StatusCode.INVALID_ARGUMENT, Reason.INVALID_FIELD)
    assert field


async def test_a_clip_that_is_refused_says_why(videos: VideoClient, peers: Peers) -> None:
    """In the user's words; no scan is made, nothing is paid."""

    async def refuse() -> None:
        raise InvalidArgument(Reason.VIDEO_TOO_LONG, limit="60", actual="75")

    peers.before["ExtractFrames"] = refuse
    job = await videos.ended(await videos.film())
    assert job.state == Job.STATE_FAILED
    assert "60" in job.error.message
    assert not await videos.history()
    assert peers.calls["Classify"] == 0


async def test_a_frame_that_shows_no_waste_spoils_nothing(videos: VideoClient, peers: Peers) -> None:
    """It is paid for, and the others count."""

    async def refuse_first() -> None:
        if peers.calls["Classify"] == 1:
            raise FailedPrecondition(
                Reason.NOT_WASTE, cost_micro_usd="5", input_tokens="1", output_tokens="1", calls="1"
            )

    peers.before["Classify"] = refuse_first
    job = await videos.ended(await videos.film())
    assert (job.state, job.cost_micro_usd) == (Job.STATE_SUCCEEDED, 5)
    scan = await videos.scans.finished(job.video_result.scan_id)
    assert [one.frame.index for one in scan.classification.objects] == [1]


async def test_a_clip_without_waste_fails_with_its_reason(videos: VideoClient, peers: Peers) -> None:
    """As a photo does."""

    async def refuse() -> None:
        raise FailedPrecondition(Reason.NOT_WASTE)

    peers.before["Classify"] = refuse
    job = await videos.ended(await videos.film())
    assert (job.state, job.error.code) == (Job.STATE_FAILED, grpc.StatusCode.FAILED_PRECONDITION.value[0])
    assert peers.calls["Classify"] == 3
    assert not await videos.history()


async def test_a_failed_try_pays_no_frame_twice(videos: VideoClient, peers: Peers) -> None:
    """Nor are the frames taken out again."""

    async def fail_once() -> None:
        if peers.calls["Classify"] == 2:
            raise Unavailable(Reason.MODEL_UNAVAILABLE, model="m", retry_after=0.0)

    peers.before["Classify"] = fail_once
    assert (await videos.ended(await videos.film())).state == Job.STATE_SUCCEEDED
    assert (peers.calls["Classify"], peers.calls["ExtractFrames"]) == (4, 1)


async def test_frames_are_the_days_money_whatever_becomes_of_the_clip(videos: VideoClient, peers: Peers) -> None:
    """Those of one that failed, and was deleted, and of one that is still looked at, for whoever has lost count."""

    async def refuse() -> None:
        raise FailedPrecondition(Reason.NOT_WASTE, cost_micro_usd=7, calls=1)

    async def demand_figures() -> None:
        if peers.told[-1] == "ask":
            raise Unavailable(Reason.MODEL_SPENT_UNKNOWN, model="m")

    peers.before["Classify"] = refuse
    failed = await videos.ended(await videos.film())
    assert failed.state == Job.STATE_FAILED
    assert (await videos.scans.operations.GetModelSpending(GetModelSpendingRequest())).spent_micro_usd == 21
    await videos.delete(failed.job_id)
    peers.usage = {"model": "m", "cost_micro_usd": 10, "calls": 1}
    peers.told.clear()
    peers.before["Classify"] = demand_figures
    assert (await videos.ended(await videos.film())).state == Job.STATE_SUCCEEDED
    asked, *told = peers.told[:4]
    assert (asked, [figures.split("/")[1] for figures in told]) == ("ask", ["21", "31", "41"])


async def test_a_cancelled_clip_becomes_no_scan(videos: VideoClient, peers: Peers, database_url: str) -> None:
    """Its frames are removed in a day, since nobody needs them."""
    gate, stands = asyncio.Event(), asyncio.Event()

    async def last() -> None:
        if peers.calls["Classify"] == 3:
            stands.set()
            await gate.wait()

    peers.before["Classify"] = last
    job_id = await videos.film()
    await reached(stands)
    assert (await videos.cancel(job_id)).state == Job.STATE_CANCELLED
    gate.set()
    assert not await videos.history()
    connection = await asyncpg.connect(database_url)
    try:
        due = await connection.fetchval(
            "select object_key from scan.photo_removal where scan_id = $1", scan_id_of(job_id)
        )
    finally:
        await connection.close()
    assert due == frame_key(scan_id_of(job_id), 0)


async def test_a_deleted_scan_takes_all_frames_with_it(videos: VideoClient, s3: Storage) -> None:
    """They are its photos. The job says that it was done all the same."""
    job_id = await videos.film()
    job = await videos.ended(job_id)
    scan = await videos.scans.finished(job.video_result.scan_id)
    bucket = _bucket(s3)
    for number in range(3):
        await bucket.put(frame_key(scan.scan_id, number), b"a frame", {"Content-Type": "image/jpeg"})
    await videos.scans.delete(scan.scan_id)
    assert not await bucket.page(f"photos/{scan.scan_id}")
    assert not await bucket.page(f"jobs/{job_id}/")
    assert (await videos.get(job_id)).state == Job.STATE_SUCCEEDED


@pytest.mark.slow
async def test_a_worker_killed_between_two_frames_costs_one_look_at_most(
    start_scan_service: StartScanService, peers: Peers, worker_environment: Mapping[str, str]
) -> None:
    """By kill -9, with the second frame under way: the first isn't looked at again, nor are frames taken out again."""
    killed = asyncio.Event()

    async def hold() -> None:
        if peers.calls["Classify"] == 2:
            await killed.wait()

    peers.before["Classify"] = hold
    worker = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "scan_svc", env=os.environ | worker_environment, stdout=subprocess.DEVNULL
    )
    try:
        async with (
            start_scan_service(scan_role="api") as client,
            grpc.aio.insecure_channel(client.target) as channel,
        ):
            videos = VideoClient(client, channel)
            job_id = await videos.film()

            async def at_second() -> bool:
                return peers.calls["Classify"] == 2

            await eventually(at_second, 120)
            worker.kill()
            killed.set()
            async with start_scan_service(scan_role="worker", lease_seconds=2):
                assert (await videos.ended(job_id)).state == Job.STATE_SUCCEEDED
    finally:
        with contextlib.suppress(ProcessLookupError):
            worker.kill()
        await worker.wait()
    assert (peers.calls["Classify"], peers.calls["ExtractFrames"]) == (4, 1)
