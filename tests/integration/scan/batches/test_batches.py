"""Batches as their users see them: a sheet or a zip becomes a sheet with results, whatever happens meanwhile."""

import asyncio
import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import grpc
import pytest
import python_calamine

from eco2.jobs.v1.job_pb2 import Job
from eco2.scan.v1 import scan_service_pb2
from mesh.postgres import open_pool
from mesh.reasons import Reason
from scan_svc.hidden_scans.cancellation import HiddenCancellation
from scan_svc.hidden_scans.store import HiddenScanStore
from scan_svc.store import ScanStore
from tests.integration.scan.batches.batch_client import BatchClient, addresses, quick
from tests.integration.scan.client import StartScanService
from tests.integration.scan.client_jobs.jobs_client import refusal
from tests.support.sample_photos import note
from tests.support.scan.peer_servicers import Peers
from tests.support.scan.sheets import csv_sheet, photo_zip, workbook

_USAGE = {"model": "m", "input_tokens": 1, "output_tokens": 1, "cost_micro_usd": 5, "calls": 1}


@asynccontextmanager
async def _serving(start: StartScanService, user: str | None = None, **overrides: Any) -> AsyncIterator[BatchClient]:
    async with start(user, job_types=quick, **overrides) as client, grpc.aio.insecure_channel(client.target) as channel:
        yield BatchClient(client, channel)


@pytest.fixture
async def batches(start_scan_service: StartScanService) -> AsyncIterator[BatchClient]:
    """A user of a service that does batches."""
    async with _serving(start_scan_service) as batches:
        yield batches


async def test_a_sheet_comes_back_with_what_each_photo_shows(batches: BatchClient, peers: Peers) -> None:
    """Rows that can't be scanned say why; the same row twice is scanned, and paid, once."""
    peers.usage = _USAGE
    rows = [[addresses(number=1)], [""], ["http://10.0.0.1/a.jpg"], [addresses(number=1)], ["x" * 3000]]
    sheet = csv_sheet([["번호", "photo_url"], *([str(n), *row] for n, row in enumerate(rows, 1))])
    job = await batches.ended(await batches.begin(sheet))
    assert job.state == Job.STATE_SUCCEEDED
    result = job.batch_result
    assert (result.rows, result.succeeded, result.failed, result.repeated) == (5, 2, 3, 1)
    assert (job.done, job.total, job.unit, job.percent, job.cost_micro_usd) == (5, 5, "rows", 100, 10)
    scanned, empty, private, same, long = await batches.sheet(job)
    assert (scanned["번호"], scanned["Item"], scanned["Category"]) == ("1", "금속류", "재활용폐기물 › 금속류")
    assert (scanned["How to put it out"], scanned["Confidence"]) == ("1. 비워요", "0.9")
    assert (scanned["Cost (USD)"], same["Cost (USD)"], same["Item"]) == ("0.00001", "0", "금속류")
    assert (empty["Reason"], same["Reason"]) == ("This row has no photo address.", "Same as row 1")
    assert private["Reason"]
    assert long["Reason"]
    assert peers.calls["Classify"] == 1


async def test_its_scans_are_in_no_list(batches: BatchClient, peers: Peers) -> None:
    """Ten thousand of them would bury what their user has photographed."""
    await batches.ended(await batches.begin(csv_sheet([["url"], [addresses(number=1)]])))
    assert peers.calls["Classify"] == 1
    assert peers.batch == [True]  # and Vision lets photos that somebody waits for go first
    listed = await batches.scans.ListScans(scan_service_pb2.ListScansRequest(), metadata=batches.metadata)
    assert not listed.scans


async def test_a_zip_becomes_a_workbook_with_its_photos_names(batches: BatchClient, peers: Peers) -> None:
    """Each photo is uploaded for its scan; one that is broken or none stops no other."""
    photo = note()
    zipped = bytearray(
        photo_zip({"가.jpg": photo, "나.jpg": b"x" * 5000, "다.txt": b"no photo", "라.png": b""}, stored=True)
    )
    place = zipped.index(b"x" * 5000)
    zipped[place] ^= 1  # its checksum tells
    job = await batches.ended(await batches.begin(bytes(zipped), "application/zip", locale="ko"))
    assert (job.state, job.batch_result.succeeded, job.batch_result.failed) == (Job.STATE_SUCCEEDED, 1, 3)
    book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(await batches.file(job)))
    header, first, *others = book.get_sheet_by_index(0).to_python()
    assert header[:3] == ["파일", "결과", "품목"]
    assert first[:3] == ["가.jpg", "완료했어요", "금속류"]
    assert [row[0] for row in others] == ["나.jpg", "다.txt", "라.png"]
    assert all(row[1] == "스캔하지 못했어요" and row[-1] for row in others)
    assert peers.calls["Classify"] == 1


async def test_a_workbook_comes_back_as_one(batches: BatchClient) -> None:
    """With the results beside what was there."""
    sheet = workbook([["url", "수"], [addresses(number=1), 2.5]])
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    job = await batches.ended(await batches.begin(sheet, kind))
    book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(await batches.file(job)))
    header, row = book.get_sheet_by_index(0).to_python()
    assert header[:4] == ["url", "수", "Result", "Item"]
    assert row[:4] == [addresses(number=1), 2.5, "Done", "금속류"]


@pytest.mark.parametrize(
    ("content", "reason"),
    [(csv_sheet([["이름"], ["가"]]), Reason.SHEET_NO_ADDRESSES), (b"PK\x03\x04", Reason.SHEET_UNREADABLE)],
    ids=["no-addresses", "no-sheet"],
)
async def test_a_file_that_cant_be_used_fails_the_batch_with_a_reason(
    batches: BatchClient, content: bytes, reason: Reason
) -> None:
    """At once: another try would read the same."""
    job = await batches.ended(await batches.begin(content))
    assert job.state == Job.STATE_FAILED
    assert reason in str(job.error.details[0].value)


async def test_a_pace_beyond_the_limit_is_refused(batches: BatchClient) -> None:
    """When the batch is created, with the field."""
    call = batches.begin(csv_sheet([["url"]]), rows_per_minute=601)
    assert await refusal(call) == (grpc.StatusCode.INVALID_ARGUMENT, Reason.INVALID_FIELD)


async def test_a_batch_goes_on_where_it_was_and_pays_no_row_twice(
    start_scan_service: StartScanService, peers: Peers
) -> None:
    """Its worker is gone in the middle, without a word."""
    held, reached = asyncio.Event(), asyncio.Event()

    async def hold() -> None:
        if peers.calls["Classify"] > 3:
            reached.set()
            await held.wait()

    peers.before["Classify"] = hold
    sheet = csv_sheet([["url"], *([addresses(number=number)] for number in range(8))])
    async with _serving(start_scan_service, "user-1") as batches:
        job_id = await batches.begin(sheet)
        async with asyncio.timeout(60):
            await reached.wait()
    paid = peers.calls["Classify"]
    held.set()
    async with _serving(start_scan_service, "user-1") as batches:
        job = await batches.ended(job_id)
        assert (job.batch_result.succeeded, job.batch_result.rows) == (8, 8)
    # Those that were held when their worker left were asked once more; none that had ended was.
    assert peers.calls["Classify"] <= paid + 8


async def test_a_cancelled_batch_ends_its_scans(batches: BatchClient, peers: Peers, database_url: str) -> None:
    """Nobody wants them any more, and they would cost; the service looks for them every few seconds."""
    reached = asyncio.Event()

    async def hold() -> None:
        reached.set()
        await asyncio.Event().wait()

    peers.before["Classify"] = hold
    job_id = await batches.begin(csv_sheet([["url"], *([addresses(number=number)] for number in range(4))]))
    async with asyncio.timeout(60):
        await reached.wait()
    await batches.cancel(job_id)
    async with open_pool(database_url) as pool:
        await HiddenCancellation(HiddenScanStore(pool), ScanStore(pool)).run()
        states = await pool.fetch("select state from scan.scan where hidden")
    assert {row["state"] for row in states} == {"CANCELLED"}
