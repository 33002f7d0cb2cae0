"""Client jobs as their users see them: created, started, done, listed, cancelled, deleted."""

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any
from unittest.mock import AsyncMock, Mock

import asyncpg
import grpc
import pytest
from pydantic import SecretStr

from eco2.jobs.v1 import jobs_service_pb2 as pb
from eco2.jobs.v1.job_pb2 import Job
from mesh.errors import InvalidArgument, Unavailable
from mesh.grpc.identity import USER_HEADER
from mesh.reasons import Reason
from mesh.s3.bucket import Bucket, open_bucket
from mesh.s3.settings import StorageSettings
from scan_svc.client_jobs.removal import JobRemoval
from scan_svc.client_jobs.store import ClientJobStore
from scan_svc.client_jobs.work import Later, Task
from tests.integration.scan.client import StartScanService
from tests.integration.scan.client_jobs.counting import Counting, Gate
from tests.integration.scan.client_jobs.jobs_client import SCAN_ID, JobsClient, reached, refusal
from tests.support.storage import Storage
from tests.support.waiting import eventually

NOT_FOUND = (grpc.StatusCode.NOT_FOUND, Reason.JOB_NOT_FOUND)
WRONG_STATE = (grpc.StatusCode.FAILED_PRECONDITION, Reason.JOB_STATE)


@pytest.fixture
def counting() -> Counting:
    """What jobs do in these tests."""
    return Counting()


@pytest.fixture
async def jobs(start_scan_service: StartScanService, counting: Counting) -> AsyncIterator[JobsClient]:
    """A user of a service that counts."""
    async with serving(start_scan_service, counting) as jobs:
        yield jobs


@asynccontextmanager
async def serving(start: StartScanService, counting: Counting, **settings: Any) -> AsyncIterator[JobsClient]:
    async with (
        start(job_types=counting.types, **settings) as client,
        grpc.aio.insecure_channel(client.target) as channel,
    ):
        yield JobsClient(client, channel)


def bucket_of(s3: Storage) -> Bucket:
    """Where the service's files are."""
    settings = StorageSettings(
        s3_endpoint=s3.endpoint,
        s3_bucket=s3.bucket,
        s3_region=s3.region,
        s3_access_key=SecretStr(s3.access_key),
        s3_secret_key=SecretStr(s3.secret_key),
        cdn_base_url=s3.cdn_base_url,
    )
    return open_bucket(settings)


def another(jobs: JobsClient) -> JobsClient:
    """Another user of the same service."""
    other = object.__new__(JobsClient)
    other.stub, other.metadata = jobs.stub, ((USER_HEADER, f"user-{uuid.uuid4().hex}"),)
    return other


async def test_a_job_is_done_and_tells_what_it_made(jobs: JobsClient, counting: Counting) -> None:
    """Without an upload it is queued at once; its end says how much was done, what it cost and where the file is."""
    job = await jobs.remind()
    assert job.kind == Job.KIND_MESSAGE
    assert job.HasField("reminder")
    ended = await jobs.ended(job.job_id)
    assert (ended.state, ended.percent, ended.done, ended.total) == (Job.STATE_SUCCEEDED, 100, 3, 3)
    assert (ended.unit, ended.cost_micro_usd, ended.size_bytes) == ("numbers", 30, 5)
    assert ended.HasField("message_result")
    assert ended.HasField("finish_time")
    assert f"/jobs/{job.job_id}/" in ended.download_url
    assert ended.HasField("download_expire_time")
    assert counting.counted == [0, 1, 2]


async def test_a_job_with_an_upload_waits_for_its_file(jobs: JobsClient) -> None:
    """It isn't begun before the announced file is there, and then with exactly that file."""
    created = await jobs.announce()
    job_id = created.job.job_id
    assert created.job.state == Job.STATE_AWAITING_UPLOAD
    assert await refusal(jobs.start(job_id)) == (grpc.StatusCode.FAILED_PRECONDITION, Reason.UPLOAD_MISSING)
    assert await jobs.put(created.upload) == 200
    assert (await jobs.start(job_id)).state != Job.STATE_AWAITING_UPLOAD
    assert (await jobs.ended(job_id)).state == Job.STATE_SUCCEEDED
    assert (await jobs.start(job_id)).state == Job.STATE_SUCCEEDED  # a repetition changes nothing


@pytest.mark.parametrize(
    ("request_", "field"),
    [
        (pb.CreateJobRequest(batch={}), "upload"),
        (
            pb.CreateJobRequest(reminder={"scan_id": SCAN_ID}, upload={"content_type": "text/csv", "size_bytes": 9}),
            "upload",
        ),
        (pb.CreateJobRequest(batch={}, upload={"content_type": "image/gif", "size_bytes": 9}), "upload.content_type"),
        (pb.CreateJobRequest(batch={}, upload={"content_type": "text/csv", "size_bytes": 1001}), "upload.size_bytes"),
        (pb.CreateJobRequest(batch={}, upload={"content_type": "text/csv", "size_bytes": 0}), "upload.size_bytes"),
        (pb.CreateJobRequest(), "spec"),
        (pb.CreateJobRequest(reminder={"scan_id": SCAN_ID}, request_id="a\0b"), "request_id"),
    ],
    ids=["no file", "a file too many", "another type", "too large", "empty", "no spec", "a NUL"],
)
async def test_what_cannot_be_done_is_refused_with_its_field(
    jobs: JobsClient, request_: pb.CreateJobRequest, field: str
) -> None:
    """Whoever gets it wrong must know what to change, and nothing is stored."""
    call = jobs.stub.CreateJob(request_, metadata=jobs.metadata)
    assert await refusal(call) == (grpc.StatusCode.INVALID_ARGUMENT, Reason.INVALID_FIELD)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await jobs.stub.CreateJob(request_, metadata=jobs.metadata)
    assert field.encode() in dict(caught.value.trailing_metadata())["grpc-status-details-bin"]
    assert not (await jobs.page()).jobs


async def test_a_kind_that_nobody_does_is_refused(jobs: JobsClient) -> None:
    """A release that doesn't know a kind must say so, and not keep a job that nobody will do."""
    call = jobs.stub.CreateJob(pb.CreateJobRequest(video={}), metadata=jobs.metadata)
    assert await refusal(call) == (grpc.StatusCode.FAILED_PRECONDITION, Reason.JOB_KIND_UNAVAILABLE)
    assert not (await jobs.page()).jobs


async def test_preparing_may_refuse(jobs: JobsClient, counting: Counting) -> None:
    """A kind knows more of what can be done than the contract."""

    async def refuse(_: str) -> None:
        raise InvalidArgument(Reason.INVALID_FIELD, fields="reminder.scan_id")

    counting.prepared = refuse
    assert await refusal(jobs.remind()) == (grpc.StatusCode.INVALID_ARGUMENT, Reason.INVALID_FIELD)


async def test_a_request_is_done_once(jobs: JobsClient) -> None:
    """A client that got no reply asks again by the same id; another content under it is refused."""
    first, second = await jobs.remind(request_id="one"), await jobs.remind(request_id="one")
    assert first.job_id == second.job_id
    call = jobs.announce(request_id="one")
    assert await refusal(call) == (grpc.StatusCode.ALREADY_EXISTS, Reason.JOB_REQUEST_ID_REUSED)
    assert (await another(jobs).remind(request_id="one")).job_id != first.job_id


async def test_others_find_nothing(jobs: JobsClient) -> None:
    """A job's id tells nobody that there is one."""
    job_id, other = (await jobs.remind()).job_id, another(jobs)
    for call in (other.get(job_id), other.start(job_id), other.cancel(job_id), other.delete(job_id)):
        assert await refusal(call) == NOT_FOUND
    assert not (await other.page()).jobs
    assert await refusal(jobs.get(str(uuid.uuid4()))) == NOT_FOUND


async def test_jobs_are_listed_newest_first(jobs: JobsClient) -> None:
    """By pages, and by kind."""
    ids = [(await jobs.announce()).job.job_id for _ in range(3)]
    first = await jobs.page(page_size=2)
    second = await jobs.page(page_size=2, page_token=first.next_page_token)
    assert [job.job_id for job in (*first.jobs, *second.jobs)] == ids[::-1]
    assert not second.next_page_token
    assert len((await jobs.page(kind=Job.KIND_BATCH)).jobs) == 3
    assert not (await jobs.page(kind=Job.KIND_MESSAGE)).jobs
    assert not (await jobs.page(kind=Job.KIND_SCAN)).jobs
    for token in ("?", "a" * 10, "한국"):
        call = jobs.page(page_token=token)
        assert await refusal(call) == (grpc.StatusCode.INVALID_ARGUMENT, Reason.INVALID_PAGE_TOKEN)


async def test_a_user_has_so_many_at_once(jobs: JobsClient) -> None:
    """Nobody fills the queue of a kind; what was created already is returned all the same."""
    for number in range(3):
        await jobs.announce(request_id=str(number))
    assert await refusal(jobs.announce()) == (grpc.StatusCode.RESOURCE_EXHAUSTED, Reason.JOB_LIMIT)
    again = await jobs.announce(request_id="0")
    assert again.job.state == Job.STATE_AWAITING_UPLOAD
    assert again.upload.url
    await jobs.cancel(again.job.job_id)
    await jobs.announce()


async def test_a_running_job_is_cancelled(jobs: JobsClient, counting: Counting) -> None:
    """It stops where it is, keeps what it has done, and never ends otherwise."""
    counting.before = gate = Gate()
    job_id = (await jobs.remind()).job_id
    await reached(gate.reached)
    cancelled = await jobs.cancel(job_id)
    assert (cancelled.state, cancelled.done) == (Job.STATE_CANCELLED, 1)
    gate.opened.set()
    assert (await jobs.cancel(job_id)).state == Job.STATE_CANCELLED
    assert await refusal(jobs.start(job_id)) == WRONG_STATE
    assert counting.counted == [0]


async def test_what_has_finished_is_not_cancelled(jobs: JobsClient) -> None:
    """Its end was told."""
    job_id = (await jobs.remind()).job_id
    await jobs.ended(job_id)
    assert await refusal(jobs.cancel(job_id)) == WRONG_STATE


async def test_a_deleted_job_leaves_nothing(
    jobs: JobsClient, counting: Counting, s3: Storage, database_url: str
) -> None:
    """Neither row nor file, although it was running."""
    counting.before = gate = Gate()
    created = await jobs.announce()
    await jobs.put(created.upload)
    await jobs.start(created.job.job_id)
    await reached(gate.reached)
    await jobs.delete(created.job.job_id)
    assert await refusal(jobs.get(created.job.job_id)) == NOT_FOUND
    assert await refusal(jobs.delete(created.job.job_id)) == NOT_FOUND
    connection = await asyncpg.connect(database_url)
    try:
        assert await connection.fetchval("select count(*) from scan.client_job") == 0
        assert await connection.fetchval("select count(*) from scan.job") == 0
    finally:
        await connection.close()
    assert not await bucket_of(s3).page(f"jobs/{created.job.job_id}/")


_FAILED = "update scan.client_job set state = 'FAILED', finished_at = now() - make_interval(days => $2) where id = $1"


async def test_what_killed_and_late_workers_left_is_swept_up(
    jobs: JobsClient, counting: Counting, s3: Storage, database_url: str
) -> None:
    """Of jobs that succeeded, are gone, never began or failed long ago; who may need an upload keeps it."""
    done, bucket = await jobs.ended((await jobs.remind()).job_id), bucket_of(s3)
    counting.before = gate = Gate()
    created = await jobs.announce()
    await jobs.put(created.upload)
    await jobs.start(created.job.job_id)
    await reached(gate.reached)
    never = await jobs.announce()
    await jobs.put(never.upload)
    gone = f"jobs/{uuid.uuid4()}/1.txt"
    async with asyncpg.create_pool(database_url, min_size=0, max_size=1) as pool:
        kept = await pool.fetchval("select file_key from scan.client_job where id = $1", done.job_id)
        late = f"jobs/{done.job_id}/0.txt"
        for key in (kept, late, gone):
            await bucket.put(key, b"12345", {"Content-Type": "text/plain"})
        failed = []
        for days in (6, 8):
            failed.append(await jobs.announce())
            await jobs.put(failed[-1].upload)
            await pool.execute(_FAILED, failed[-1].job.job_id, days)
        assert never.job.job_id in await ClientJobStore(pool).expire_uploads(0.0)
        removal = JobRemoval(
            ClientJobStore(pool),
            Mock(),
            bucket,
            Mock(),
            AsyncMock(),
            lambda: datetime.now(UTC),
            sweep_after_seconds=-5.0,
        )
        await removal.sweep()
    keys = {one.key for one in await bucket.page("jobs/")}
    assert not {late, gone} & keys
    assert not any(key.startswith(f"jobs/{never.job.job_id}/") for key in keys)
    assert kept in keys
    replayable, given_up = (f"jobs/{one.job.job_id}/" for one in failed)
    assert any(key.startswith(replayable) for key in keys)
    assert not any(key.startswith(given_up) for key in keys)
    assert any(key.startswith(f"jobs/{created.job.job_id}/") for key in keys)
    gate.opened.set()


async def test_a_failed_try_goes_on_from_the_last_checkpoint(jobs: JobsClient, counting: Counting) -> None:
    """What was done isn't done again; each try that comes further has all tries before it."""
    failed: list[int] = []

    async def fail_once(task: Task, at: int) -> None:
        if at == 2 and not failed:
            failed.append(task.attempt)
            raise Unavailable(Reason.UNAVAILABLE, peer="somebody")

    counting.before = fail_once
    ended = await jobs.ended((await jobs.remind()).job_id)
    assert ended.state == Job.STATE_SUCCEEDED
    assert counting.counted == [0, 1, 2]


async def test_what_no_try_can_mend_fails_at_once(jobs: JobsClient, counting: Counting) -> None:
    """The reason is data, in both languages."""
    tries = []

    async def refuse(_: Task, at: int) -> None:
        tries.append(at)
        raise InvalidArgument(Reason.INVALID_FIELD, fields="row 1")

    counting.before = refuse
    ended = await jobs.ended((await jobs.remind()).job_id)
    assert ended.state == Job.STATE_FAILED
    assert ended.error.code == grpc.StatusCode.INVALID_ARGUMENT.value[0]
    assert tries == [0]


async def test_a_fault_of_ours_is_tried_again_and_then_told(jobs: JobsClient, counting: Counting) -> None:
    """Three times without coming further, as its kind says; what it was stays in our log."""
    tries = []

    async def break_down(_: Task, at: int) -> None:
        tries.append(at)
        raise ZeroDivisionError("a secret")

    counting.before = break_down
    ended = await jobs.ended((await jobs.remind()).job_id)
    assert ended.state == Job.STATE_FAILED
    assert "secret" not in str(ended.error)
    assert tries == [0, 0, 0]


async def test_what_is_for_later_is_put_back(jobs: JobsClient, counting: Counting) -> None:
    """A reminder waits in the queue for its time, which is no try."""
    waits = iter([0.01] * 5)

    async def later(task: Task, at: int) -> None:
        assert task.attempt == 1
        for seconds in waits:
            raise Later(seconds)

    counting.before = later
    assert (await jobs.ended((await jobs.remind()).job_id)).state == Job.STATE_SUCCEEDED


async def test_a_worker_that_leaves_gives_a_job_back(start_scan_service: StartScanService, counting: Counting) -> None:
    """With its next checkpoint, so that a long job doesn't hold a pod up; the next worker goes on from there."""
    counting.before = gate = Gate()
    async with serving(start_scan_service, counting, grace_seconds=60) as jobs:
        job_id, metadata = (await jobs.remind()).job_id, jobs.metadata
        await reached(gate.reached)
        gate.opened.set()
    async with serving(start_scan_service, counting) as jobs:
        jobs.metadata = metadata
        assert (await jobs.ended(job_id)).state == Job.STATE_SUCCEEDED
    assert counting.counted == [0, 1, 2]


async def test_the_text_says_how_far_it_is(jobs: JobsClient, counting: Counting) -> None:
    """In the reader's language, by its kind's own words."""
    counting.before = gate = Gate()
    job_id = (await jobs.remind()).job_id
    await reached(gate.reached)

    async def told() -> bool:
        return (await jobs.get(job_id)).message == "3개 중 1개"

    await eventually(told)
    gate.opened.set()
