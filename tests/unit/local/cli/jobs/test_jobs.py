"""One's jobs, and one's history as a file."""

import json
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from google.rpc import status_pb2

from eco2.jobs.v1.job_pb2 import Job
from eco2.jobs.v1.jobs_service_pb2 import CreateJobResponse, ListJobsResponse
from mesh.errors import InvalidArgument, NotFound
from mesh.grpc.status import to_status
from mesh.locale import Locale
from mesh.reasons import Reason
from tests.support.cli.command import Run
from tests.support.cli.fake_edge import FakeEdge, Request, refused
from tests.support.cli.replies import JOB_ID, SCAN_ID, Scans, job

GONE = "01980000-0000-7000-8000-00000000000f"


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch, scans: Scans) -> None:
    monkeypatch.setattr("local.cli.api.jobs._POLL_SECONDS", 0)


def answering(edge: FakeEdge, *states: Job) -> None:
    """Has a job be in these states, one after another; the last one stays."""
    left: Iterator[Job] = iter(states)
    edge.answers[f"GET /v1/jobs/{JOB_ID}"] = lambda _: next(left, states[-1])


def failed() -> status_pb2.Status:
    return to_status(NotFound(Reason.EXPORT_NOT_FOUND, export_id=JOB_ID), *Locale)


def test_jobs_are_listed_with_the_scans_that_havent_ended(eco2: Run) -> None:
    """Without a command, too; a scan's own columns are the same."""
    listed = eco2("jobs").out
    assert listed == eco2("jobs", "list").out
    assert f"{JOB_ID}\texport\t" in listed
    assert f"{SCAN_ID}\tscan\t" in listed
    (document,) = eco2("jobs", "--json").documents
    assert [one["job_id"] for one in document["jobs"]] == [JOB_ID]
    assert [one["scan_id"] for one in document["scans"]] == [SCAN_ID]


def test_many_jobs_are_read_page_by_page(eco2: Run, edge: FakeEdge) -> None:
    """The API gives a hundred at a time."""

    def page(request: Request) -> ListJobsResponse:
        begin, size = int(request.query.get("page_token", ["0"])[0]), int(request.query["page_size"][0])
        end = min(begin + size, 250)
        found = [Job(job_id=f"{number:032x}") for number in range(begin, end)]
        return ListJobsResponse(jobs=found, next_page_token=str(end) if end < 250 else "")

    edge.answers["GET /v1/jobs"] = page
    (document,) = eco2("jobs", "--limit", "230", "--json").documents
    assert [int(one["job_id"], 16) for one in document["jobs"]] == [*range(230)]


def test_a_job_tells_how_far_it_is_and_where_its_file_is(eco2: Run, edge: FakeEdge) -> None:
    """No file before it has ended."""
    edge.answers[f"GET /v1/jobs/{JOB_ID}"] = job(edge, Job.STATE_RUNNING)
    assert eco2("jobs", "show", JOB_ID).out == "export · running · 40 % · Adding photos\n"
    edge.answers[f"GET /v1/jobs/{JOB_ID}"] = job(edge)
    assert eco2("jobs", "show", JOB_ID).out == f"export · succeeded · Done\nFile: 3 bytes, {edge.url}/export\n"


@pytest.mark.parametrize(
    ("state", "reason"), [(Job.STATE_FAILED, "EXPORT_NOT_FOUND"), (Job.STATE_CANCELLED, "JOB_CANCELLED")]
)
def test_a_job_that_ends_badly_ends_a_watch_so(
    eco2: Run, edge: FakeEdge, state: "Job.State.ValueType", reason: str
) -> None:
    """With its own error, after what was shown of it."""
    error = {"error": failed()} if state == Job.STATE_FAILED else {}
    answering(edge, job(edge, Job.STATE_RUNNING, version=1), job(edge, state, version=2, **error))
    ended = eco2("jobs", "watch", JOB_ID, "--json")
    assert ended.status == 1
    assert [one["version"] for one in ended.documents] == [1, 2]
    assert ended.error["reason"] == reason


def test_of_several_each_is_cancelled(eco2: Run, edge: FakeEdge) -> None:
    """One that is gone already keeps no other."""
    edge.answers[f"POST /v1/jobs/{GONE}:cancel"] = refused(NotFound(Reason.JOB_NOT_FOUND, job_id=GONE), 404)
    ended = eco2("jobs", "cancel", GONE, JOB_ID, "--json")
    assert ended.status == 11
    assert ended.documents[0]["job_id"] == JOB_ID
    assert (ended.error["job_id"], ended.error["reason"]) == (GONE, "JOB_NOT_FOUND")


def test_an_export_asks_for_what_was_said_and_keeps_the_file_to_oneself(
    eco2: Run, edge: FakeEdge, tmp_path: Path
) -> None:
    """Days, zone and pictures; readable by nobody else."""
    asked: list[Any] = []

    def create(request: Request) -> CreateJobResponse:
        asked.append(json.loads(request.body))
        return CreateJobResponse(job=job(edge, Job.STATE_QUEUED))

    edge.answers["POST /v1/jobs"] = create
    answering(edge, job(edge, Job.STATE_RUNNING, version=1), job(edge, version=2))
    days = ("--from", "2026-11-01", "--to", "2026-11-30", "--time-zone", "Europe/Berlin")
    ended = eco2("export", "--thumbnails", *days, "-o", "mine.xlsx")
    assert (ended.status, ended.out) == (0, "mine.xlsx: 2 scans, 3 bytes\n")
    (request,) = asked
    assert request.pop("request_id")
    assert request["export"] == {
        "thumbnails": True, "from_date": "2026-11-01", "to_date": "2026-11-30", "time_zone": "Europe/Berlin"
    }  # fmt: skip
    assert (tmp_path / "mine.xlsx").read_bytes() == b"zip"
    assert stat.S_IMODE((tmp_path / "mine.xlsx").stat().st_mode) == 0o600


def test_an_export_that_fails_leaves_no_file(eco2: Run, edge: FakeEdge, tmp_path: Path) -> None:
    """And says why."""
    answering(edge, job(edge, Job.STATE_FAILED, error=failed()))
    ended = eco2("export", "--json")
    assert (ended.status, ended.error["reason"]) == (1, "EXPORT_NOT_FOUND")
    assert not (tmp_path / "eco2-history.xlsx").exists()


@pytest.mark.parametrize(
    "options",
    [["--from", "2026-02-30"], ["--to", "yesterday"], ["--all", "--thumbnails"], ["--all", "--from", "2026-11-01"]],
    ids=" ".join,
)
def test_what_makes_no_sense_is_told_before_anything_is_asked(eco2: Run, edge: FakeEdge, options: list[str]) -> None:
    """In a line."""
    edge.answers["POST /v1/jobs"] = refused(InvalidArgument(Reason.INVALID_FIELD), 400)
    assert eco2("export", *options).status == 2
