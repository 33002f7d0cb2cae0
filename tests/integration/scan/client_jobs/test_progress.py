"""How client jobs are shown: by Redis without a query, pushed, never backwards, and after the loss of Redis."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import Any

import asyncpg
import grpc
import pytest
import redis.asyncio

from eco2.jobs.v1 import job_events_service_pb2, job_events_service_pb2_grpc
from eco2.jobs.v1 import jobs_service_pb2 as pb
from eco2.jobs.v1.job_pb2 import Job
from eco2.scan.v1 import scan_service_pb2
from mesh.reasons import Reason
from scan_svc.client_jobs.work import Task
from tests.integration.scan.client import Client, StartScanService
from tests.integration.scan.client_jobs.counting import Counting, Gate
from tests.integration.scan.client_jobs.jobs_client import JobsClient, reached, refusal
from tests.support.waiting import eventually


@pytest.fixture
def counting() -> Counting:
    """What jobs do in these tests."""
    return Counting()


@asynccontextmanager
async def serving(start: StartScanService, counting: Counting) -> AsyncIterator[tuple[Client, JobsClient]]:
    async with start(job_types=counting.types) as client, grpc.aio.insecure_channel(client.target) as channel:
        yield client, JobsClient(client, channel)


@pytest.fixture
async def served(start_scan_service: StartScanService, counting: Counting) -> AsyncIterator[tuple[Client, JobsClient]]:
    """A user of a service that counts: of its scans, and of its jobs."""
    async with serving(start_scan_service, counting) as served:
        yield served


async def test_polls_ask_redis_alone(
    served: tuple[Client, JobsClient], counting: Counting, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However often a job is polled, running or ended, PostgreSQL doesn't notice while Redis knows."""
    asked: list[str] = []
    fetch = asyncpg.pool.Pool.fetch

    async def counted(pool: Any, query: str, *arguments: Any, **options: Any) -> Any:
        if "client_job_detail" in query or "scan_detail" in query:
            asked.append(query)
        return await fetch(pool, query, *arguments, **options)

    counting.before = gate = Gate()
    _, jobs = served
    job_id = (await jobs.remind()).job_id
    await reached(gate.reached)
    monkeypatch.setattr(asyncpg.pool.Pool, "fetch", counted)
    for _ in range(20):
        assert (await jobs.get(job_id)).state == Job.STATE_RUNNING
    assert asked == []
    gate.opened.set()
    await jobs.ended(job_id)
    asked.clear()
    for _ in range(20):
        assert (await jobs.get(job_id)).download_url
    assert asked == []


async def test_a_watch_sees_every_step_and_the_end(served: tuple[Client, JobsClient], counting: Counting) -> None:
    """Pushed, with versions that grow, percentages that never fall, and last the end."""
    counting.before = gate = Gate()
    _, jobs = served
    job_id = (await jobs.remind()).job_id
    await reached(gate.reached)
    seen: list[pb.WatchJobResponse] = []
    watch = jobs.stub.WatchJob(pb.WatchJobRequest(job_id=job_id), metadata=jobs.metadata)
    async with asyncio.timeout(60):
        async for event in watch:
            seen.append(event)
            gate.opened.set()
    assert seen[0].type == pb.WatchJobResponse.TYPE_SNAPSHOT
    assert seen[-1].type == pb.WatchJobResponse.TYPE_TERMINAL
    assert seen[-1].job.state == Job.STATE_SUCCEEDED
    assert seen[-1].job.download_url
    shown = [event.job for event in seen if event.HasField("job")]
    assert [(job.version, job.percent) for job in shown] == sorted((job.version, job.percent) for job in shown)


async def test_server_sent_events_tell_the_same(served: tuple[Client, JobsClient], counting: Counting) -> None:
    """For browsers, which know no gRPC."""
    _, jobs = served
    job_id = (await jobs.remind()).job_id
    await jobs.ended(job_id)
    async with grpc.aio.insecure_channel(served[0].target) as channel:
        stub = job_events_service_pb2_grpc.JobEventsServiceStub(channel)
        request = job_events_service_pb2.StreamJobEventsRequest(job_id=job_id)
        text = b"".join([event.data async for event in stub.StreamJobEvents(request, metadata=jobs.metadata)])
    assert text.startswith(b"retry: 1000\n\nid: ")
    assert b"event: terminal\ndata: {" in text
    assert b'"state":"STATE_SUCCEEDED"' in text


async def test_a_scan_is_a_job_and_a_job_no_scan(served: tuple[Client, JobsClient], counting: Counting) -> None:
    """Whoever has an id of a scan may ask for it as a job; what JobsService makes is nothing that ScanService knows."""
    client, jobs = served
    scan_id = await client.started()
    job = await jobs.ended(scan_id)
    assert (job.kind, job.state, job.job_id) == (Job.KIND_SCAN, Job.STATE_SUCCEEDED, scan_id)
    assert job.percent == 100
    for call in (jobs.cancel(scan_id), jobs.delete(scan_id), jobs.start(scan_id)):
        assert await refusal(call) == (grpc.StatusCode.FAILED_PRECONDITION, Reason.JOB_STATE)
    job_id = (await jobs.remind()).job_id
    not_found = (grpc.StatusCode.NOT_FOUND, Reason.SCAN_NOT_FOUND)
    for request in (
        client.stub.GetScan(scan_service_pb2.GetScanRequest(scan_id=job_id), metadata=client.metadata),
        client.stub.CancelScan(scan_service_pb2.CancelScanRequest(scan_id=job_id), metadata=client.metadata),
        client.stub.DeleteScan(scan_service_pb2.DeleteScanRequest(scan_id=job_id), metadata=client.metadata),
    ):
        assert await refusal(request) == not_found
    async with aclosing(aiter(client.watch(job_id))) as watch:
        assert await refusal(anext(watch)) == not_found


async def test_what_was_shown_survives_the_loss_of_redis(
    served: tuple[Client, JobsClient], counting: Counting, redis_url: str
) -> None:
    """Between two checkpoints Redis alone knows how far a job is: emptied, it must not send readers back."""
    told, opened = asyncio.Event(), asyncio.Event()

    async def stand(task: Task, at: int) -> None:
        if at == 1:
            await task.report("count", 2, 4)
            told.set()
            await opened.wait()

    counting.before = stand
    _, jobs = served
    job_id = (await jobs.remind()).job_id
    await reached(told)

    async def shown() -> bool:
        return (await jobs.get(job_id)).done == 2

    await eventually(shown)
    before = await jobs.get(job_id)
    async with redis.asyncio.from_url(redis_url) as connection:
        await connection.flushdb()
    for _ in range(5):
        after = await jobs.get(job_id)
        assert (after.done, after.percent) == (2, 50)
        assert after.version >= before.version
    opened.set()
    assert (await jobs.ended(job_id)).state == Job.STATE_SUCCEEDED


async def test_a_deleted_job_ends_its_watches(served: tuple[Client, JobsClient], counting: Counting) -> None:
    """Whoever watches is told that it is gone."""
    counting.before = gate = Gate()
    _, jobs = served
    job_id = (await jobs.remind()).job_id
    await reached(gate.reached)
    watch = jobs.stub.WatchJob(pb.WatchJobRequest(job_id=job_id), metadata=jobs.metadata)
    assert (await anext(aiter(watch))).type == pb.WatchJobResponse.TYPE_SNAPSHOT
    await jobs.delete(job_id)

    async def rest() -> None:
        async for _ in watch:
            pass

    assert await refusal(rest()) == (grpc.StatusCode.NOT_FOUND, Reason.JOB_NOT_FOUND)
