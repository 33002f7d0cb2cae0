"""All that is kept of a user as one file: asked for as Auth does, made by a worker, fetched by its user alone."""

import asyncio
import csv
import io
import json
import uuid
import zipfile
from collections.abc import AsyncIterator, Awaitable
from datetime import UTC, datetime

import asyncpg
import grpc
import httpx2
import pytest

from eco2.jobs.v1.export_pb2 import ExportSpec
from eco2.jobs.v1.job_pb2 import Job
from eco2.scan.v1 import scan_service_pb2
from eco2.scan.v1.export_pb2 import Export
from mesh.errors import Internal, Unavailable
from mesh.grpc.identity import USER_HEADER
from mesh.reasons import Reason
from scan_svc.exports.archive import Entry, zipped
from tests.integration.scan.client import Client, StartScanService, reason
from tests.integration.scan.client_jobs.jobs_client import JobsClient
from tests.support.http import http_client
from tests.support.scan.peer_servicers import Peers
from tests.support.storage import Storage
from tests.support.waiting import eventually

ACCOUNT = json.dumps({"account": {"name": "미나"}, "sessions": []})


@pytest.fixture
async def connection(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    """The test's own look into the database."""
    connection = await asyncpg.connect(database_url)
    yield connection
    await connection.close()


def user_of(client: Client) -> str:
    return dict(client.metadata)[USER_HEADER]


async def begin(client: Client) -> Export:
    request = scan_service_pb2.CreateExportRequest(user_id=user_of(client), account=ACCOUNT)
    return await client.stub.CreateExport(request)


async def get(client: Client, export_id: str) -> Export:
    return await client.stub.GetExport(scan_service_pb2.GetExportRequest(export_id=export_id), metadata=client.metadata)


async def ended(client: Client, export_id: str) -> Export:
    """The export once it isn't running."""

    async def over() -> bool:
        return (await get(client, export_id)).state != Export.STATE_RUNNING

    await eventually(over)
    return await get(client, export_id)


async def fetched(export: Export) -> zipfile.ZipFile:
    async with http_client() as http:
        response = await http.get(export.download_url)
    assert response.status_code == 200, response.text
    assert len(response.content) == export.size_bytes
    return zipfile.ZipFile(io.BytesIO(response.content))


async def refusal(call: Awaitable[object]) -> str:
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await call
    return reason(refused.value)


async def test_a_file_has_all_of_ones_own_and_nothing_else(client: Client, peers: Peers) -> None:
    """Scans as JSON and as a table, the stored photo, replies, characters, account; no secret of a webhook."""
    scan_id = await client.started(user_input='=HYPERLINK("x")', callback_url="https://hooks.example.com/eco2")
    await client.finished(scan_id)
    await client.reply(scan_id, "맞아요")
    waiting = (await client.create()).scan.scan_id
    export = await ended(client, (await begin(client)).export_id)
    assert export.state == Export.STATE_SUCCEEDED
    assert 0 < export.download_expire_time.seconds - datetime.now(UTC).timestamp() <= 301
    assert export.expire_time.seconds - export.finish_time.seconds == 24 * 3600
    with await fetched(export) as file:
        assert file.testzip() is None
        read = {name: file.read(name) for name in file.namelist()}
    assert read["account.json"].decode() == ACCOUNT
    scans = json.loads(read["scans.json"])
    assert [scan["scan_id"] for scan in scans] == [waiting, scan_id]
    assert scans[1]["answer"]["text"]
    rows = list(csv.DictReader(io.StringIO(read["scans.csv"].decode("utf-8-sig"))))
    assert [row["scan_id"] for row in rows] == [waiting, scan_id]
    assert (rows[1]["middle"], rows[1]["user_input"]) == ("금속류", '\'=HYPERLINK("x")')
    assert [(one["scan_id"], one["reply"]) for one in json.loads(read["replies.json"])] == [(scan_id, "맞아요")]
    assert [one["url"] for one in json.loads(read["webhooks.json"])] == ["https://hooks.example.com/eco2"]
    assert json.loads(read["characters.json"])["characters"][0]["character"]["character_id"] == "metally"
    assert read[f"photos/{scan_id}.jpg"]
    assert b"whsec_" not in b"".join(read.values())


async def test_one_is_made_at_a_time(client: Client, peers: Peers) -> None:
    """A repetition gets the one that is running; whoever asks later gets a newer one."""
    go = asyncio.Event()
    peers.before["ListOwnedCharacters"] = go.wait
    ids = {(await begin(client)).export_id for _ in range(3)}
    assert len(ids) == 1
    go.set()
    await ended(client, ids.pop())
    assert (await begin(client)).state == Export.STATE_RUNNING


async def test_what_the_release_before_has_begun_ends(client: Client, connection: asyncpg.Connection) -> None:
    """During an upgrade jobs of both kinds are there; a file is made of each, and GetExport tells of both."""
    export_id, user_id = str(uuid.uuid4()), user_of(client)
    await connection.execute(
        "insert into scan.export (id, user_id, account, object_key) values ($1, $2, $3, $4)",
        export_id, user_id, ACCOUNT, f"exports/{uuid.uuid4().hex}.zip",
    )  # fmt: skip
    assert (await begin(client)).export_id == export_id  # one at a time, whoever makes it
    await connection.execute(
        "insert into scan.job (kind, ref, state, stage) values ('export', $1, 'READY', 'export')", export_id
    )
    for export in (await ended(client, export_id), await ended(client, (await begin(client)).export_id)):
        assert export.state == Export.STATE_SUCCEEDED
        with await fetched(export) as file:
            assert file.read("account.json").decode() == ACCOUNT
    assert await connection.fetchval("select count(*) from scan.export where account <> ''") == 0


async def test_it_is_a_job_too(client: Client) -> None:
    """With percent, message and file; and whoever deletes the job deletes the export with it."""
    await client.finished(await client.started())
    export = await ended(client, (await begin(client)).export_id)
    async with grpc.aio.insecure_channel(client.target) as channel:
        jobs = JobsClient(client, channel)
        (job,) = (await jobs.page()).jobs
        assert (job.job_id, job.kind, job.state) == (export.export_id, Job.KIND_EXPORT, Job.STATE_SUCCEEDED)
        assert (job.percent, job.message, job.size_bytes) == (100, "완료했어요", export.size_bytes)
        assert (job.export.format, job.export_result.photos) == (ExportSpec.FORMAT_ARCHIVE, 1)
        async with http_client() as http:
            assert (await http.get((await jobs.get(job.job_id)).download_url)).status_code == 200
        with await fetched(export) as file:
            (kept,) = json.loads(file.read("jobs.json"))
        assert (kept["job_id"], kept["spec"]["format"]) == (export.export_id, "ARCHIVE")
        await jobs.delete(job.job_id)
    assert await refusal(get(client, export.export_id)) == Reason.EXPORT_NOT_FOUND


async def test_a_cancelled_one_makes_room_for_another(client: Client, peers: Peers) -> None:
    """What Auth has told goes with it."""
    reached = asyncio.Event()

    async def hang() -> None:
        reached.set()
        await asyncio.Event().wait()

    peers.before["ListOwnedCharacters"] = hang
    export_id = (await begin(client)).export_id
    await reached.wait()
    async with grpc.aio.insecure_channel(client.target) as channel:
        await JobsClient(client, channel).cancel(export_id)
    del peers.before["ListOwnedCharacters"]
    assert (await get(client, export_id)).state == Export.STATE_FAILED
    assert (await ended(client, (await begin(client)).export_id)).state == Export.STATE_SUCCEEDED


async def test_nobody_else_sees_it(client: Client, s3: Storage) -> None:
    """Neither the export nor, whoever may read photos, its file without the signature."""
    export = await ended(client, (await begin(client)).export_id)
    assert export.download_url
    stranger = object.__new__(Client)
    stranger.__dict__.update(client.__dict__, metadata=((USER_HEADER, f"user-{uuid.uuid4().hex}"),))
    assert await refusal(get(stranger, export.export_id)) == Reason.EXPORT_NOT_FOUND
    assert await refusal(get(client, str(uuid.uuid4()))) == Reason.EXPORT_NOT_FOUND
    bare = httpx2.URL(export.download_url).copy_with(query=None)
    async with http_client() as http:
        assert (await http.get(bare)).status_code in (401, 403)


async def test_it_is_tried_again(client: Client, peers: Peers) -> None:
    """Character is away for one try."""
    failures = 1

    async def fail() -> None:
        nonlocal failures
        failures -= 1
        if failures >= 0:
            raise Unavailable(Reason.UNAVAILABLE, peer="postgres")

    peers.before["ListOwnedCharacters"] = fail
    assert (await ended(client, (await begin(client)).export_id)).state == Export.STATE_SUCCEEDED


async def test_it_fails_after_its_last_try(client: Client, peers: Peers, connection: asyncpg.Connection) -> None:
    """There is no file then, and another export may be asked for."""

    async def fail() -> None:
        raise Internal(Reason.INTERNAL, trace_id="")

    async def put_back() -> bool:
        waits = (
            "update scan.job set attempt = 4, run_at = now()"
            " where kind = 'client_export' and state = 'READY' and attempt = 1"
        )
        return await connection.execute(waits) == "UPDATE 1"

    peers.before["ListOwnedCharacters"] = fail
    export_id = (await begin(client)).export_id
    await eventually(put_back)
    failed = await ended(client, export_id)
    assert (failed.state, failed.download_url) == (Export.STATE_FAILED, "")
    del peers.before["ListOwnedCharacters"]
    assert (await ended(client, (await begin(client)).export_id)).state == Export.STATE_SUCCEEDED


async def test_a_worker_that_ends_leaves_it_to_the_next(start_scan_service: StartScanService, peers: Peers) -> None:
    """It stands in the table of jobs: the file is made once somebody is there again."""
    reached = asyncio.Event()

    async def hang() -> None:
        reached.set()
        await asyncio.Event().wait()

    peers.before["ListOwnedCharacters"] = hang
    async with start_scan_service(grace_seconds=0) as client:
        export_id = (await begin(client)).export_id
        await reached.wait()
    del peers.before["ListOwnedCharacters"]
    async with start_scan_service(user_of(client)) as client:
        assert (await ended(client, export_id)).state == Export.STATE_SUCCEEDED


@pytest.mark.parametrize("running", [True, False], ids=["running", "ended"])
async def test_what_is_erased_leaves_no_file(
    client: Client, peers: Peers, connection: asyncpg.Connection, *, running: bool
) -> None:
    """Nor does what a guest had asked for; whoever makes one at this moment stops."""
    reached = asyncio.Event()

    async def hang() -> None:
        reached.set()
        await asyncio.Event().wait()

    if running:
        peers.before["ListOwnedCharacters"] = hang
    export_id = (await begin(client)).export_id
    url = "" if running else (await ended(client, export_id)).download_url
    if running:
        await reached.wait()
    await client.stub.EraseScans(scan_service_pb2.EraseScansRequest(user_id=user_of(client)))
    assert await refusal(get(client, export_id)) == Reason.EXPORT_NOT_FOUND
    assert await connection.fetchval("select count(*) from scan.job where kind = 'client_export'") == 0
    if running:
        await peers.cancelled.wait()
    else:
        async with http_client() as http:
            assert (await http.get(url)).status_code == 404


async def test_files_go_within_a_day(start_scan_service: StartScanService, connection: asyncpg.Connection) -> None:
    """By whoever keeps house next."""
    async with start_scan_service() as client:
        export = await ended(client, (await begin(client)).export_id)
        kept = await ended(client, (await begin(client)).export_id)
        await connection.execute(
            "update scan.export set finished_at = now() - interval '21 hours' where id = $1", export.export_id
        )
        await connection.execute("update scan.periodic set next_at = now()")

    async def removed() -> bool:
        return await connection.fetchval("select count(*) from scan.export") == 1

    async with start_scan_service() as again:
        await eventually(removed)
        async with http_client() as http:
            assert (await http.get(export.download_url)).status_code == 404
            assert (await http.get(kept.download_url)).status_code == 200
        assert again


async def test_a_zip_holds_a_piece_at_a_time() -> None:
    """However long a file is: what was given is taken before the next piece is asked for."""
    most = held = 0

    async def pieces() -> AsyncIterator[bytes]:
        nonlocal held, most
        for _ in range(200):
            held += 100_000
            most = max(most, held)
            yield bytes(100_000)

    async def entries() -> AsyncIterator[Entry]:
        yield Entry("photos/one.jpg", pieces(), compressed=False)

    async for written in zipped(entries(), datetime(2026, 11, 29, tzinfo=UTC)):
        held -= min(held, len(written))
    assert most <= 200_000
