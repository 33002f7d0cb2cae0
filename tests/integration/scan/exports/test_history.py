"""A user's history as a spreadsheet: a client job from CreateJob to the file, read by another library."""

import asyncio
import io
import os
import sys
import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import asyncpg
import grpc
import openpyxl
import pytest
from openpyxl.worksheet.worksheet import Worksheet
from PIL import Image

from eco2.jobs.v1 import jobs_service_pb2 as pb
from eco2.jobs.v1.export_pb2 import ExportSpec
from eco2.jobs.v1.job_pb2 import Job
from eco2.scan.v1 import scan_service_pb2
from mesh.errors import ResourceExhausted
from mesh.reasons import Reason
from mesh.s3.bucket import Bucket, open_bucket
from mesh.s3.settings import StorageSettings
from scan_svc.client_jobs.files import JobFiles
from scan_svc.exports.work import XLSX
from tests.integration.scan.client import Client, StartScanService
from tests.integration.scan.client_jobs.jobs_client import JobsClient, reached, refusal
from tests.support.http import http_client
from tests.support.ports import free_port
from tests.support.scan.peer_servicers import Peers
from tests.support.storage import Storage

SEOUL = ZoneInfo("Asia/Seoul")


@pytest.fixture
async def connection(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    """The test's own look into the database."""
    connection = await asyncpg.connect(database_url)
    yield connection
    await connection.close()


@pytest.fixture
async def jobs(client: Client) -> AsyncIterator[JobsClient]:
    """The user's jobs."""
    async with grpc.aio.insecure_channel(client.target) as channel:
        yield JobsClient(client, channel)


@pytest.fixture
def bucket(s3: Storage) -> Bucket:
    """The test's own look into storage."""
    settings = StorageSettings(
        s3_endpoint=s3.endpoint, s3_bucket=s3.bucket, s3_access_key=s3.access_key, s3_secret_key=s3.secret_key,
        cdn_base_url=s3.cdn_base_url,
    )  # fmt: skip
    return open_bucket(settings)


@pytest.fixture
def thumbnail(peers: Peers) -> bytes:
    """What Vision makes of each photo."""
    content = io.BytesIO()
    Image.new("RGB", (96, 72), "red").save(content, "JPEG")
    peers.thumbnail = content.getvalue()
    return peers.thumbnail


async def begin(jobs: JobsClient, locale: str = "ko", **spec: Any) -> str:
    request = pb.CreateJobRequest(export=ExportSpec(**spec), locale=locale)
    return (await jobs.stub.CreateJob(request, metadata=jobs.metadata)).job.job_id


async def sheet(job: Job) -> Worksheet:
    """The one sheet of the file that a job has made."""
    assert job.state == Job.STATE_SUCCEEDED, job
    async with http_client() as http:
        response = await http.get(job.download_url)
    assert response.status_code == 200, response.text
    assert len(response.content) == job.size_bytes
    assert response.headers["content-type"] == XLSX
    assert f'filename="{job.export_result.file_name}"' in response.headers["content-disposition"]
    found = openpyxl.load_workbook(io.BytesIO(response.content)).active
    assert isinstance(found, Worksheet)
    return found


def rows(found: Worksheet) -> list[dict[str, Any]]:
    """Its rows, by heading."""
    headings, *others = found.iter_rows(values_only=True)
    return [dict(zip(map(str, headings), cells, strict=True)) for cells in others]


async def keys(bucket: Bucket, job_id: str) -> list[str]:
    return [one.key for one in await bucket.page(f"jobs/{job_id}/")]


async def test_a_history_is_a_row_for_each_scan(client: Client, jobs: JobsClient) -> None:
    """Newest first, in words that people read, and nothing a user wrote becomes a formula."""
    hostile = '=HYPERLINK("https://evil.example","눌러요")'
    scan_id = await client.started(user_input=hostile, region="서울특별시/마포구")
    scan = await client.finished(scan_id)
    waiting = (await client.create()).scan.scan_id
    job = await jobs.ended(await begin(jobs))
    assert (job.kind, job.unit, job.done, job.total) == (Job.KIND_EXPORT, "scans", 2, 2)
    assert (job.export.format, job.export.time_zone) == (ExportSpec.FORMAT_XLSX, "Asia/Seoul")
    assert (job.export_result.scans, job.export_result.photos) == (2, 0)
    found = await sheet(job)
    newest, done = rows(found)
    assert (newest["스캔 번호"], done["스캔 번호"]) == (waiting, scan_id)
    assert (done["무엇"], done["분류"], done["확신도"]) == ("금속류", "재활용폐기물 › 금속류", 0.9)
    assert (done["배출 방법"], done["답변"]) == ("1. 비워요", scan.answer.text)
    assert (done["지역"], done["상태"]) == ("서울특별시 마포구", "완료했어요")
    made = scan.create_time.ToDatetime(tzinfo=ZoneInfo("UTC")).astimezone(SEOUL)
    assert abs((done["날짜 (Asia/Seoul)"].replace(tzinfo=SEOUL) - made).total_seconds()) < 1
    words = next(cell for cell in found[3] if cell.value == hostile)
    assert (words.data_type, words.quotePrefix) == ("s", True)
    link = next(cell for cell in found[3] if cell.value == "열기")
    assert link.hyperlink.target == scan.image_url


async def test_headings_are_in_the_language_and_times_in_the_zone_that_were_asked_for(
    client: Client, jobs: JobsClient
) -> None:
    """Whoever reads it elsewhere reads their own clock."""
    scan = (await client.create()).scan
    (row,) = rows(await sheet(await jobs.ended(await begin(jobs, "en", time_zone="America/New_York"))))
    assert row["State"] == "Waiting for your photo"
    there = ZoneInfo("America/New_York")
    made = scan.create_time.ToDatetime(tzinfo=ZoneInfo("UTC")).astimezone(there)
    assert abs((row["Date (America/New_York)"].replace(tzinfo=there) - made).total_seconds()) < 1


async def test_who_has_no_scans_gets_headings(jobs: JobsClient) -> None:
    """A file, not an error."""
    assert rows(await sheet(await jobs.ended(await begin(jobs)))) == []


async def test_a_day_belongs_to_a_history_from_midnight_to_midnight(
    client: Client, jobs: JobsClient, connection: asyncpg.Connection
) -> None:
    """By the clock of its zone, the last day too; whatever the scans before and after are."""
    moments = [
        datetime(2026, 10, 31, 23, 59, 59, tzinfo=SEOUL),
        datetime(2026, 11, 1, tzinfo=SEOUL),
        datetime(2026, 11, 2, 23, 59, 59, tzinfo=SEOUL),
        datetime(2026, 11, 3, tzinfo=SEOUL),
    ]
    scan_ids = [await dated(client, connection, moment) for moment in moments]
    wanted: dict[tuple[str, str], list[int]] = {
        ("2026-11-01", "2026-11-02"): [2, 1],
        ("2026-11-01", ""): [3, 2, 1],
        ("", "2026-11-01"): [1, 0],
        ("2026-11-03", "2026-11-03"): [3],
        ("0001-01-01", "9999-12-31"): [3, 2, 1, 0],
        ("2026-11-04", ""): [],
    }
    for (first, last), expected in wanted.items():
        job = await jobs.ended(await begin(jobs, from_date=first, to_date=last))
        found = [row["스캔 번호"] for row in rows(await sheet(job))]
        assert found == [scan_ids[place] for place in expected], (first, last)
        assert (job.done, job.export_result.scans) == (len(expected), len(expected))


async def dated(client: Client, connection: asyncpg.Connection, moment: datetime) -> str:
    """A scan that was made at some time: its id says so, too."""
    made = (await client.create()).scan.scan_id
    scan_id = str(
        uuid.UUID(int=(int(moment.timestamp() * 1000) << 80) | (7 << 76) | (2 << 62) | uuid.uuid4().int >> 68)
    )
    await connection.execute("update scan.scan set id = $2, created_at = $3 where id = $1", made, scan_id, moment)
    return scan_id


async def test_more_than_a_page(client: Client, jobs: JobsClient, connection: asyncpg.Connection) -> None:
    """None is lost or told twice where pages meet; what only a job shows isn't there."""
    made = (await client.create()).scan.scan_id
    columns = [
        row["column_name"]
        for row in await connection.fetch(
            "select column_name from information_schema.columns where table_schema = 'scan' and table_name = 'scan'"
        )
        if row["column_name"] not in {"id", "request_id", "hidden"}
    ]
    listed = ", ".join(columns)
    await connection.execute(
        f"insert into scan.scan (id, hidden, {listed}) select uuidv7(), number > 250, {listed}"
        " from scan.scan, generate_series(1, 260) as number where id = $1", made
    )  # fmt: skip
    found = [row["스캔 번호"] for row in rows(await sheet(await jobs.ended(await begin(jobs))))]
    assert len(found) == len(set(found)) == 251
    assert found == sorted(found, reverse=True)


async def test_rows_begin_with_small_pictures(client: Client, jobs: JobsClient, thumbnail: bytes, peers: Peers) -> None:
    """As far as there are any; Vision is waited for where it is busy."""
    refusals = 3

    async def busy() -> None:
        nonlocal refusals
        refusals -= 1
        if refusals >= 0:
            raise ResourceExhausted(Reason.LIMIT_EXCEEDED, retry_after=0.01, limit="photos at once")

    peers.before["MakeThumbnail"] = busy
    for _ in range(2):
        await client.finished(await client.started())
    job = await jobs.ended(await begin(jobs, thumbnails=True))
    found = await sheet(job)
    assert job.export_result.photos == 2
    assert [image.anchor._from.row for image in found._images] == [1, 2]
    assert found._images[0]._data() == thumbnail
    assert found["A1"].value == "사진"
    peers.thumbnail = None
    job = await jobs.ended(await begin(jobs, thumbnails=True))
    assert (job.export_result.scans, job.export_result.photos) == (2, 0)
    assert not (await sheet(job))._images


@pytest.mark.parametrize(
    ("spec", "field"),
    [
        ({"from_date": "2026-02-30"}, "export.from_date"),
        ({"to_date": "2026-2-3"}, "export.to_date"),
        ({"from_date": "2026-11-02", "to_date": "2026-11-01"}, "export.to_date"),
        ({"time_zone": "Asia/Atlantis"}, "export.time_zone"),
        ({"time_zone": "../../etc/passwd"}, "export.time_zone"),
        ({"time_zone": "/etc/localtime"}, "export.time_zone"),
        ({"time_zone": "Asia"}, "export.time_zone"),
        ({"format": ExportSpec.FORMAT_ARCHIVE}, "export.format"),
        ({"format": 7}, "export.format"),
    ],
    ids=["no day", "another form", "backwards", "no zone", "a path", "a file", "a folder", "the zip", "unknown"],
)
async def test_what_cannot_be_made_is_refused_with_its_field(
    jobs: JobsClient, spec: dict[str, Any], field: str
) -> None:
    """And nothing is kept of it."""
    call = jobs.stub.CreateJob(pb.CreateJobRequest(export=ExportSpec(**spec)), metadata=jobs.metadata)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert field.encode() in dict(caught.value.trailing_metadata())["grpc-status-details-bin"]
    assert not (await jobs.page()).jobs


async def test_a_history_is_its_users_alone(
    client: Client, jobs: JobsClient, start_scan_service: StartScanService
) -> None:
    """Neither the job nor its rows are anybody else's."""
    await client.create()
    job = await jobs.ended(await begin(jobs))
    async with start_scan_service() as other, grpc.aio.insecure_channel(other.target) as channel:
        stranger = JobsClient(other, channel)
        for call in (stranger.get(job.job_id), stranger.cancel(job.job_id), stranger.delete(job.job_id)):
            assert await refusal(call) == (grpc.StatusCode.NOT_FOUND, Reason.JOB_NOT_FOUND)
        assert rows(await sheet(await stranger.ended(await begin(stranger)))) == []
    assert len(rows(await sheet(job))) == 1


@pytest.mark.parametrize("deed", ["erased", "deleted", "cancelled"])
async def test_what_is_taken_away_meanwhile_leaves_no_file(
    client: Client, jobs: JobsClient, peers: Peers, bucket: Bucket, deed: str
) -> None:
    """The worker stops, and nothing of it is in storage."""
    at_work = asyncio.Event()

    async def hang() -> None:
        at_work.set()
        await asyncio.Event().wait()

    await client.finished(await client.started())
    peers.before["MakeThumbnail"] = hang
    job_id = await begin(jobs, thumbnails=True)
    await reached(at_work)
    if deed == "erased":
        user_id = dict(client.metadata)["eco2-user-id"]
        await client.stub.EraseScans(scan_service_pb2.EraseScansRequest(user_id=user_id))
    elif deed == "deleted":
        await jobs.delete(job_id)
    else:
        assert (await jobs.cancel(job_id)).state == Job.STATE_CANCELLED
    await reached(peers.cancelled)
    assert await keys(bucket, job_id) == []
    if deed != "cancelled":
        assert await refusal(jobs.get(job_id)) == (grpc.StatusCode.NOT_FOUND, Reason.JOB_NOT_FOUND)


async def test_whoever_is_late_leaves_the_file_of_the_other(
    start_scan_service: StartScanService,
    peers: Peers,
    thumbnail: bytes,
    bucket: Bucket,
    connection: asyncpg.Connection,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A worker that was taken for dead finishes its file after somebody else: theirs stays, its own goes."""
    at_work, go, tidied = asyncio.Event(), asyncio.Event(), asyncio.Event()
    write, tidy, written = Bucket.write, JobFiles.tidy, list[str]()

    async def write_and_tell(self: Bucket, key: str, *about: Any) -> None:
        await write(self, key, *about)
        written.append(key)

    async def tidy_and_tell(self: JobFiles, *about: str) -> None:
        await tidy(self, *about)
        if go.is_set():
            tidied.set()

    monkeypatch.setattr(Bucket, "write", write_and_tell)
    monkeypatch.setattr(JobFiles, "tidy", tidy_and_tell)

    async def hang_once() -> None:
        if not at_work.is_set():
            at_work.set()
            await go.wait()

    async with start_scan_service() as client, grpc.aio.insecure_channel(client.target) as channel:
        jobs, user = JobsClient(client, channel), dict(client.metadata)["eco2-user-id"]
        await client.finished(await client.started())
        peers.before["MakeThumbnail"] = hang_once
        job_id = await begin(jobs, thumbnails=True)
        await reached(at_work)
        # As a rescue does; nobody tells the worker, which goes on.
        await connection.execute(
            "update scan.job set token = token + 1, worker_id = null, state = 'READY', run_at = now() where ref = $1",
            job_id,
        )
        async with start_scan_service(user, scan_role="worker"):
            job = await jobs.ended(job_id)
        (file,) = await keys(bucket, job_id)
        go.set()
        await reached(tidied)
        assert len(rows(await sheet(await jobs.get(job_id)))) == 1
    assert await keys(bucket, job_id) == [file] == written[:1]
    assert len(set(written)) == 2
    assert job.export_result.photos == 1


@asynccontextmanager
async def worker_process(settings: Mapping[str, str]) -> AsyncIterator[asyncio.subprocess.Process]:
    """A worker that can be killed."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "scan_svc", env={**os.environ, **settings}, stdout=asyncio.subprocess.DEVNULL
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def test_a_killed_worker_leaves_a_whole_file_to_the_next(
    start_scan_service: StartScanService,
    database_settings: Mapping[str, str],
    redis_url: str,
    s3: Storage,
    peer_target: str,
    peers: Peers,
    thumbnail: bytes,
    bucket: Bucket,
) -> None:
    """SIGKILL in the middle of a file: who comes next begins anew, and there is one file, whole."""
    at_work = asyncio.Event()

    async def hang() -> None:
        at_work.set()
        await asyncio.Event().wait()

    settings = {
        **database_settings, "redis_url": redis_url, "s3_endpoint": s3.endpoint, "s3_bucket": s3.bucket,
        "s3_access_key": s3.access_key, "s3_secret_key": s3.secret_key, "cdn_base_url": s3.cdn_base_url,
        "vision_target": peer_target, "rules_target": peer_target, "character_target": peer_target,
        "lease_seconds": "1", "scan_role": "worker", "listen": f"127.0.0.1:{free_port()}",
    }  # fmt: skip
    environment = {f"ECO2_{name.upper()}": str(value) for name, value in settings.items()}
    async with start_scan_service() as client:
        await client.finished(await client.started())
        user = dict(client.metadata)["eco2-user-id"]
    async with start_scan_service(user, scan_role="api") as client, grpc.aio.insecure_channel(client.target) as channel:
        jobs = JobsClient(client, channel)
        peers.before["MakeThumbnail"] = hang
        async with worker_process(environment) as process:
            job_id = await begin(jobs, thumbnails=True)
            await reached(at_work)
            process.kill()
            await process.wait()
        del peers.before["MakeThumbnail"]
        async with start_scan_service(user, scan_role="worker", lease_seconds=1):
            job = await jobs.ended(job_id)
        assert len(rows(await sheet(job))) == 1
        assert len(await keys(bucket, job_id)) == 1
