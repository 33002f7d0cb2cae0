"""What exports of ten thousand scans cost their worker: memory, CPU and time."""

import asyncio
import io
import sys
import time
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import asyncpg
import grpc
import psutil
import pytest
from PIL import Image

from eco2.jobs.v1 import jobs_service_pb2 as pb
from eco2.jobs.v1.export_pb2 import ExportSpec
from eco2.jobs.v1.job_pb2 import Job
from tests.integration.scan.client import Client, StartScanService
from tests.integration.scan.client_jobs.jobs_client import JobsClient
from tests.support.ports import free_port
from tests.support.scan.peer_servicers import Peers
from tests.support.storage import Storage
from tests.support.waiting import eventually

FEW, MANY = 100, 10_000
MEBIBYTE = 1 << 20
_SECONDS = 600.0


async def _multiplied(client: Client, connection: asyncpg.Connection, times: int) -> None:
    """So many more scans as the user's one is, with the same photo."""
    rows = await connection.fetch(
        "select column_name from information_schema.columns where table_schema = 'scan' and table_name = 'scan'"
    )
    listed = ", ".join(row["column_name"] for row in rows if row["column_name"] not in {"id", "request_id"})
    await connection.execute(
        f"insert into scan.scan (id, {listed}) select uuidv7(), {listed} from scan.scan, generate_series(1, $1)"
        " where id = (select min(id::text)::uuid from scan.scan)", times
    )  # fmt: skip


async def _made(jobs: JobsClient, kind: str) -> Job:
    """An export once it has ended."""
    spec = ExportSpec(thumbnails=kind == "thumbnails")
    created = await jobs.stub.CreateJob(pb.CreateJobRequest(export=spec), metadata=jobs.metadata)
    job_id = created.job.job_id

    async def ended() -> bool:
        return (await jobs.get(job_id)).HasField("finish_time")

    await eventually(ended, _SECONDS)
    return await jobs.get(job_id)


def _peak(process: psutil.Process) -> int:
    """The most memory that a process has had so far, in bytes; counted anew from now on."""
    status = Path(f"/proc/{process.pid}/status").read_text("utf-8")
    Path(f"/proc/{process.pid}/clear_refs").write_text("5", "utf-8")
    return int(status.partition("VmHWM:")[2].split()[0]) << 10


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize(("kind", "most"), [("history", 30), ("thumbnails", 70)])
async def test_ten_thousand_scans_take_hardly_more_memory_than_a_hundred(
    start_scan_service: StartScanService, database_url: str, database_settings: Mapping[str, str], redis_url: str,
    s3: Storage, peer_target: str, peers: Peers, kind: str, most: int,
) -> None:  # fmt: skip
    """A page is held at a time, and of a spreadsheet where its pictures are."""
    picture, number = io.BytesIO(), 0
    Image.effect_noise((96, 72), 40).convert("RGB").save(picture, "JPEG", quality=75)

    async def another() -> None:
        nonlocal number
        number += 1
        content = picture.getvalue()
        peers.thumbnail = content[:2] + b"\xff\xfe\x00\x0a%08d" % number + content[2:]

    peers.before["MakeThumbnail"] = another
    settings: dict[str, Any] = {
        **database_settings, "redis_url": redis_url, "s3_endpoint": s3.endpoint, "s3_bucket": s3.bucket,
        "s3_access_key": s3.access_key, "s3_secret_key": s3.secret_key, "cdn_base_url": s3.cdn_base_url,
        "vision_target": peer_target, "rules_target": peer_target, "character_target": peer_target,
        "scan_role": "worker", "listen": f"127.0.0.1:{free_port()}", "log_level": "error",
    }  # fmt: skip
    environment = {f"ECO2_{name.upper()}": str(value) for name, value in settings.items()}
    user, connection = f"user-{uuid.uuid4().hex}", await asyncpg.connect(database_url)
    async with start_scan_service(user) as client:
        await client.finished(await client.started())
    await _multiplied(client, connection, FEW - 1)
    async with start_scan_service(user, scan_role="api") as client, grpc.aio.insecure_channel(client.target) as channel:
        jobs = JobsClient(client, channel)
        process = await asyncio.create_subprocess_exec(sys.executable, "-m", "scan_svc", env=environment)
        try:
            worker = psutil.Process(process.pid)
            few, before = await _made(jobs, kind), _peak(worker)
            await _multiplied(client, connection, MANY - FEW)
            spent, began = sum(worker.cpu_times()[:2]), time.monotonic()
            many, seconds = await _made(jobs, kind), time.monotonic() - began
            grown, cpu = _peak(worker) - before, sum(worker.cpu_times()[:2]) - spent
        finally:
            process.kill()
            await process.wait()
            await connection.close()
    assert (few.state, few.export_result.scans) == (Job.STATE_SUCCEEDED, FEW)
    assert (many.state, many.export_result.scans) == (Job.STATE_SUCCEEDED, MANY)
    print(
        f"{kind}: {before / MEBIBYTE:.0f} MiB for {FEW} scans, {grown / MEBIBYTE:.0f} more for {MANY};"
        f" {seconds:.0f} s, CPU {cpu:.1f} s, {many.size_bytes / 1e6:.1f} MB"
    )
    assert grown < most * MEBIBYTE
