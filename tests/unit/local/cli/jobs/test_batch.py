"""`eco2 batch`: a file goes up, its results come down, and who leaves in between is told how to go on."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from eco2.jobs.v1.job_pb2 import Job
from eco2.jobs.v1.jobs_service_pb2 import CreateJobResponse
from mesh.errors import InvalidArgument, Unavailable
from mesh.grpc.status import to_status
from mesh.locale import Locale
from mesh.reasons import Reason
from tests.support.cli.command import Run
from tests.support.cli.fake_edge import FakeEdge, Reply, Request, refused

JOB_ID = "01980000-0000-7000-8000-00000000000b"
SHEET = b"photo_url\nhttps://photos.example.com/1.jpg\n"


def state(edge: FakeEdge, now: "Job.State.ValueType" = Job.STATE_SUCCEEDED, **fields: Any) -> Job:
    """A batch of three rows, one of which failed."""
    ended = {
        "download_url": f"{edge.url}/results.csv?signed", "size_bytes": 3, "cost_micro_usd": 1200,
        "batch_result": {"rows": 3, "succeeded": 2, "failed": 1},
    }  # fmt: skip
    about = ended if now == Job.STATE_SUCCEEDED else {"percent": 33, "message": "1 of 3 rows are done"}
    return Job(job_id=JOB_ID, kind=Job.KIND_BATCH, state=now, **about, **fields)


@pytest.fixture
def asked(edge: FakeEdge, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[Request]:
    """An edge that does a batch, and a sheet in the folder; what was asked of CreateJob and of storage."""
    monkeypatch.setattr("local.cli.api.jobs._POLL_SECONDS", 0)
    monkeypatch.setattr("local.cli.jobs.uploaded._CUT_SECONDS", 0)
    (tmp_path / "photos.csv").write_bytes(SHEET)
    asked: list[Request] = []

    def create(request: Request) -> CreateJobResponse:
        asked.append(request)
        signed = {"x-signed": "1", "Content-Length": str(len(SHEET))}
        upload = {"url": f"{edge.url}/upload", "method": "PUT", "headers": signed}
        return CreateJobResponse(job=state(edge, Job.STATE_AWAITING_UPLOAD), upload=upload)

    def store(request: Request) -> Reply:
        asked.append(request)
        return Reply()

    edge.answers["POST /v1/jobs"] = create
    edge.answers["PUT /upload"] = store
    edge.answers[f"POST /v1/jobs/{JOB_ID}:start"] = state(edge, Job.STATE_QUEUED)
    edge.answers["GET /results.csv"] = Reply(body=b"a,b")
    answering(edge, state(edge, Job.STATE_RUNNING, version=1), state(edge, version=2))
    return asked


def answering(edge: FakeEdge, *states: Job | Reply) -> None:
    """Has the batch be in these states, one after another; the last one stays."""
    left: Iterator[Job | Reply] = iter(states)
    edge.answers[f"GET /v1/jobs/{JOB_ID}"] = lambda _: next(left, states[-1])


def test_a_file_goes_up_and_its_results_come_down(eco2: Run, asked: list[Request], tmp_path: Path) -> None:
    """With what was asked for; the file itself goes to storage alone, which never sees the token."""
    ended = eco2("batch", "photos.csv", "--pace", "300", "--region", "11440")
    assert (ended.status, ended.out) == (
        0, "photos-results.csv: 3 bytes, 3 rows: 2 succeeded, 1 failed, $0.0012\n"
    )  # fmt: skip
    assert "1 of 3 rows are done" in ended.err
    assert (tmp_path / "photos-results.csv").read_bytes() == b"a,b"
    created, stored = asked
    request = json.loads(created.body)
    assert request["batch"] == {"rows_per_minute": 300, "region": "11440"}
    digest = hashlib.sha256(SHEET).hexdigest()
    assert request["upload"] == {"content_type": "text/csv", "size_bytes": len(SHEET), "sha256": digest}
    assert stored.body == SHEET
    assert stored.headers["x-signed"] == "1"
    assert "authorization" not in stored.headers


@pytest.mark.usefixtures("asked")
def test_a_batch_is_followed_again_by_its_id(eco2: Run, edge: FakeEdge, tmp_path: Path) -> None:
    """Nothing is created; what cuts the way to the edge for a while ends nothing."""
    away = refused(Unavailable(Reason.UNAVAILABLE, peer="scan"), 503)
    answering(edge, away, state(edge, Job.STATE_RUNNING, version=1), state(edge, version=2))
    ended = eco2("batch", "--job", JOB_ID, "--output", "out.csv", "--json")
    assert ended.status == 0, ended
    (document,) = ended.documents
    assert (document["job_id"], document["file"], document["succeeded"]) == (JOB_ID, "out.csv", 2)
    assert (tmp_path / "out.csv").read_bytes() == b"a,b"
    assert not edge.asked("POST /v1/jobs")


@pytest.mark.usefixtures("asked")
def test_who_interrupts_is_told_how_to_go_on(eco2: Run) -> None:
    """The batch itself goes on."""

    def interrupted(*_: object) -> Iterator[Job]:
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("local.cli.api.jobs.JobsClient.follow", interrupted)
        ended = eco2("batch", "photos.csv")
    assert ended.status == 130
    assert f"eco2 batch --job {JOB_ID}" in ended.err


@pytest.mark.usefixtures("asked")
def test_a_batch_that_fails_says_why(eco2: Run, edge: FakeEdge, tmp_path: Path) -> None:
    """And leaves no file."""
    error = to_status(InvalidArgument(Reason.SHEET_NO_ADDRESSES, columns="url"), *Locale)
    answering(edge, state(edge, Job.STATE_FAILED, error=error))
    ended = eco2("batch", "photos.csv", "--json")
    assert (ended.status, ended.error["reason"]) == (1, "SHEET_NO_ADDRESSES")
    assert not (tmp_path / "photos-results.csv").exists()


@pytest.mark.parametrize(
    "arguments",
    [
        [], ["photos.csv", "--job", JOB_ID], ["nothing.csv"], ["photo.jpg"], ["empty.csv"],
        ["photos.csv", "--pace", "0"], ["photos.csv", "--output", "no/such/folder.csv"],
    ],
    ids=["nothing", "both", "missing", "photo", "empty", "pace", "folder"],
)  # fmt: skip
def test_what_makes_no_sense_is_told_before_anything_is_asked(
    eco2: Run, asked: list[Request], tmp_path: Path, arguments: list[str]
) -> None:
    """In a line."""
    (tmp_path / "photo.jpg").write_bytes(b"x")
    (tmp_path / "empty.csv").write_bytes(b"")
    ended = eco2("batch", *arguments)
    assert ended.status == 2
    assert not asked
