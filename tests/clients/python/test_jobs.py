"""Jobs by both clients, whatever breaks on their way."""

import hashlib
import json
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from eco2_client import (
    BatchSpec,
    ExportSpec,
    JobFailed,
    JobKind,
    JobState,
    NoFile,
    NotFound,
    Reason,
    ResourceExhausted,
    TimedOut,
)
from tests.clients.python.conftest import Caller
from tests.clients.python.fake_api import Connection, lost, proxy, refused, status, unavailable
from tests.clients.python.fake_jobs import FakeJobsApi

SHEET = "사진 주소\nhttps://photos.example/can.jpg\n".encode() * 50_000  # more than one piece


@pytest.fixture
def api() -> FakeJobsApi:
    """An API without faults."""
    return FakeJobsApi()


@pytest.fixture
def sheet(tmp_path: Path) -> Path:
    """A file of addresses."""
    file = tmp_path / "photos.csv"
    file.write_bytes(SHEET)
    return file


def created(caller: Caller, sheet: Any, **options: Any) -> Any:
    return caller(lambda client: client.jobs.create(BatchSpec(rows_per_minute=300), file=sheet, **options))


def test_a_job_with_a_file_is_announced_uploaded_and_started(caller: Caller, api: FakeJobsApi, sheet: Path) -> None:
    """From a path, piece by piece, with its length; its type is told by its name."""
    job = created(caller, sheet, locale="en")
    assert (job.state, job.kind, job.batch_result) == (JobState.QUEUED, JobKind.BATCH, None)
    assert api.photos == {job.job_id: SHEET}
    (upload,) = api.asked("upload")
    assert upload.headers["content-length"] == str(len(SHEET))
    assert "transfer-encoding" not in upload.headers
    body = json.loads(api.asked("create_job")[0].content)
    assert body.pop("request_id")
    announced = {"content_type": "text/csv", "size_bytes": len(SHEET), "sha256": hashlib.sha256(SHEET).hexdigest()}
    assert body == {"batch": {"rows_per_minute": 300}, "upload": announced, "locale": "en"}


def test_a_file_may_be_bytes_that_say_what_they_are(caller: Caller, api: FakeJobsApi) -> None:
    """Without that nothing is announced."""
    with pytest.raises(ValueError, match="content_type"):
        created(caller, SHEET)
    assert api.requests == []
    job = created(caller, SHEET, content_type="text/csv")
    assert api.photos == {job.job_id: SHEET}


def test_a_job_without_a_file_is_queued_at_once(caller: Caller, api: FakeJobsApi) -> None:
    """In one call."""
    job = caller(lambda client: client.jobs.create(ExportSpec(from_date="2026-11-01"), request_id="one"))
    assert job.state is JobState.QUEUED
    (call,) = api.asked("create_job")
    assert json.loads(call.content) == {"export": {"from_date": "2026-11-01"}, "locale": "ko", "request_id": "one"}


@pytest.mark.parametrize("step", ["create_job", "upload", "start_job"])
@pytest.mark.parametrize("fault", [refused, lost, unavailable, proxy], ids=lambda fault: fault.__name__)
def test_what_fails_for_the_moment_makes_nothing_twice(
    caller: Caller, api: FakeJobsApi, sheet: Path, step: str, fault: Any
) -> None:
    """The whole file is sent anew, to a fresh address of the same job."""
    api.faults[step] = deque(fault() for _ in range(3))
    api.lost_replies[step] = 1
    job = created(caller, sheet)
    assert list(api.jobs.values()) == [job.job_id]
    assert api.photos == {job.job_id: SHEET}


def test_one_may_have_so_many(caller: Caller, api: FakeJobsApi, sheet: Path) -> None:
    """What isn't for the moment is told at once."""
    api.faults["create_job"] = deque([status(429, 8, "JOB_LIMIT")])
    with pytest.raises(ResourceExhausted) as caught:
        created(caller, sheet)
    assert caught.value.reason is Reason.JOB_LIMIT


def test_a_watch_that_is_cut_is_resumed(caller: Caller, api: FakeJobsApi) -> None:
    """Every state once, in order."""
    api.cuts = deque([0, 2, 1])
    states = caller(lambda client: client.jobs.watch("job-0"))
    assert [(each.version, each.percent, each.done) for each in states] == [
        (1, None, 0), (2, 40, 2), (3, 80, 4), (4, 100, 5), (4, 100, 5),
    ]  # fmt: skip
    assert [each.headers.get("last-event-id") for each in api.asked("watch_job")] == [None, None, "2", "3"]


def test_one_waits_for_the_result(caller: Caller, api: FakeJobsApi) -> None:
    """Which is the job when it has succeeded; what has failed raises why."""
    assert caller(lambda client: client.jobs.wait("job-0")).batch_result.succeeded == 5
    info = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "SHEET_EMPTY", "domain": "eco2.app"}
    text = {"@type": "type.googleapis.com/google.rpc.LocalizedMessage", "locale": "ko", "message": "비어 있어요."}
    api.job_story.append({"state": "STATE_FAILED", "error": {"code": 3, "details": [info, text]}})
    with pytest.raises(JobFailed) as failed:
        caller(lambda client: client.jobs.wait("job-0"))
    assert (failed.value.reason, failed.value.message) == (Reason.SHEET_EMPTY, "비어 있어요.")
    api.job_story.append({"state": "STATE_CANCELLED", "error": None, "message": "취소했어요."})
    with pytest.raises(JobFailed) as failed:
        caller(lambda client: client.jobs.wait("job-0"))
    assert (failed.value.reason, failed.value.message) == (None, "취소했어요.")


def test_who_cant_wait_is_told_which_job_it_was(
    caller: Caller, api: FakeJobsApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It goes on."""

    def silent(request: httpx2.Request) -> httpx2.Response:
        def beats() -> Iterator[bytes]:
            while True:
                caller.clock.time += 15
                yield b": heartbeat\n\n"

        return httpx2.Response(200, stream=Connection(beats()))

    monkeypatch.setattr(api, "_watch_job", silent, raising=False)
    with pytest.raises(TimedOut) as late:
        caller(lambda client: client.jobs.wait("job-7", timeout=60))
    assert (late.value.job_id, late.value.scan_id) == ("job-7", "")


def test_as_many_watches_as_one_may_have_are_polled(caller: Caller, api: FakeJobsApi) -> None:
    """Whose state says that it has ended."""
    api.faults["watch_job"] = deque([status(429, 8, "WATCH_LIMIT", retry=5)])
    assert caller(lambda client: client.jobs.wait("job-0")).state is JobState.SUCCEEDED
    assert api.done["get_job"] == 1


def test_a_file_is_fetched_as_a_whole_or_not_at_all(caller: Caller, api: FakeJobsApi, tmp_path: Path) -> None:
    """Each try with an address of its own; what was there stays until then."""
    target = tmp_path / "result.csv"
    target.write_bytes(b"older")
    api.cuts = deque([0, 3])
    assert caller(lambda client: client.jobs.download("job-0", target)).job_id == "job-0"
    assert target.read_bytes() == b"a sheet"
    assert len({str(each.url) for each in api.asked("fetch")}) == 3
    api.cuts = deque([2] * 1000)
    with pytest.raises(ConnectionError):
        caller(lambda client: client.jobs.download("job-0", tmp_path / "other.csv", timeout=30))
    assert [each.name for each in tmp_path.iterdir()] == ["result.csv"]


def test_a_job_without_a_file_has_none_to_fetch(caller: Caller, api: FakeJobsApi, tmp_path: Path) -> None:
    """Nor is anything written."""
    api.file = None
    with pytest.raises(NoFile):
        caller(lambda client: client.jobs.download("job-0", tmp_path / "result.csv"))
    assert list(tmp_path.iterdir()) == []


def test_the_list_goes_through_its_pages(caller: Caller, api: FakeJobsApi) -> None:
    """Of one kind."""
    jobs = caller(lambda client: client.jobs.list(kind=JobKind.EXPORT, page_size=2))
    assert [job.job_id for job in jobs] == [f"job-{page}-{each}" for page in range(3) for each in range(2)]
    assert {job.kind for job in jobs} == {JobKind.EXPORT}
    assert [str(each.url.query, "ascii") for each in api.asked("page_jobs")] == [
        "kind=KIND_EXPORT&page_size=2",
        "page_token=1&kind=KIND_EXPORT&page_size=2",
        "page_token=2&kind=KIND_EXPORT&page_size=2",
    ]


def test_a_job_is_stopped_and_removed(caller: Caller, api: FakeJobsApi) -> None:
    """A reply that is lost is no error; a second removal is."""
    assert caller(lambda client: client.jobs.cancel("job-0")).state is JobState.CANCELLED
    api.lost_replies["delete"] = 1
    caller(lambda client: client.jobs.delete("job-0"))
    with pytest.raises(NotFound):
        caller(lambda client: client.jobs.delete("job-0"))


def test_secrets_dont_show(caller: Caller, api: FakeJobsApi, sheet: Path) -> None:
    """In logs."""
    told = caller(lambda client: client.jobs.announce(BatchSpec(), content_type="text/csv", size_bytes=9))
    assert told.upload.url
    assert "signature" not in repr(told)
    assert "signature" not in repr(told.upload)
    assert "signature" not in repr(caller(lambda client: client.jobs.get("job-0")))
