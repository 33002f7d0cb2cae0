"""`eco2 video`: a clip goes up, the scan that it becomes comes back, and who leaves in between is told how to go on."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from eco2.jobs.v1.job_pb2 import Job
from eco2.jobs.v1.jobs_service_pb2 import CreateJobResponse
from mesh.errors import InvalidArgument
from mesh.grpc.status import to_status
from mesh.locale import Locale
from mesh.reasons import Reason
from tests.support.cli.command import Run
from tests.support.cli.fake_edge import FakeEdge, Reply, Request, streamed
from tests.support.cli.replies import CLIP_ID, JOB_ID, SCAN_ID, Event, Scans, State, scan

CLIP = b"a clip"


def state(now: "Job.State.ValueType", **fields: Any) -> Job:
    """A clip."""
    return Job(job_id=CLIP_ID, kind=Job.KIND_VIDEO, state=now, **fields)


DONE = state(Job.STATE_SUCCEEDED, version=2, percent=100, video_result={"scan_id": SCAN_ID})


@pytest.fixture
def asked(edge: FakeEdge, scans: Scans, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[Request]:
    """An edge that takes clips, and one in the folder; what was asked of CreateJob and of storage."""
    monkeypatch.setattr("local.cli.api.jobs._POLL_SECONDS", 0)
    (tmp_path / "can.mov").write_bytes(CLIP)
    asked: list[Request] = []

    def create(request: Request) -> CreateJobResponse:
        asked.append(request)
        signed = {"x-signed": "1", "Content-Length": str(len(CLIP))}
        upload = {"url": f"{edge.url}/upload", "method": "PUT", "headers": signed}
        return CreateJobResponse(job=state(Job.STATE_AWAITING_UPLOAD), upload=upload)

    def store(request: Request) -> Reply:
        asked.append(request)
        return Reply()

    edge.answers["POST /v1/jobs"] = create
    edge.answers["PUT /upload"] = store
    edge.answers[f"POST /v1/jobs/{CLIP_ID}:start"] = state(Job.STATE_QUEUED)
    running = state(Job.STATE_RUNNING, version=1, percent=40, message="Looking at frame 2 of 3")
    left: Iterator[Job] = iter([running])
    edge.answers[f"GET /v1/jobs/{CLIP_ID}"] = lambda _: next(left, DONE)
    return asked


def test_a_clip_goes_up_and_its_scan_comes_back(eco2: Run, asked: list[Request]) -> None:
    """As a card, with what was asked about it; how far its frames and then the scan are is told meanwhile."""
    ended = eco2(
        "video", "can.mov", "--user-input", "both?", "--lat", "37.5", "--lon", "126.9", "--region", "11440"
    )  # fmt: skip
    assert ended.status == 0, ended
    assert "Metal can" in ended.out
    assert "Can bin" in ended.out
    assert "Looking at frame 2 of 3" in ended.err
    assert "Looking at it" in ended.err
    created, stored = asked
    request = json.loads(created.body)
    place = {"latitude": 37.5, "longitude": 126.9}
    assert request["video"] == {"user_input": "both?", "location": place, "region": "11440"}
    digest = hashlib.sha256(CLIP).hexdigest()
    assert request["upload"] == {"content_type": "video/quicktime", "size_bytes": len(CLIP), "sha256": digest}
    assert stored.body == CLIP
    assert "authorization" not in stored.headers


@pytest.mark.usefixtures("asked")
def test_a_program_gets_the_scan(eco2: Run) -> None:
    """In one document, and nothing else anywhere."""
    ended = eco2("video", "can.mov", "--json")
    (document,) = ended.documents
    assert (ended.status, ended.err, document["job_id"], document["scan_id"]) == (0, "", CLIP_ID, SCAN_ID)


@pytest.mark.usefixtures("asked")
def test_a_clip_is_followed_again_by_its_id(eco2: Run, edge: FakeEdge) -> None:
    """Nothing is created."""
    ended = eco2("video", "--job", CLIP_ID)
    assert ended.status == 0, ended
    assert "Metal can" in ended.out
    assert not edge.asked("POST /v1/jobs")


@pytest.mark.usefixtures("asked")
def test_another_job_is_no_clip(eco2: Run) -> None:
    """It has no scan to show."""
    ended = eco2("video", "--job", JOB_ID)
    assert (ended.status, ended.out) == (2, "")
    assert f"eco2 jobs show {JOB_ID}" in ended.err


@pytest.mark.usefixtures("asked")
@pytest.mark.parametrize("client", ["jobs.JobsClient", "rest.ScanClient"], ids=["frames", "scan"])
def test_who_interrupts_is_told_how_to_go_on(eco2: Run, monkeypatch: pytest.MonkeyPatch, client: str) -> None:
    """While its frames are looked at, and later."""

    def interrupted(*_: object) -> Iterator[Job]:
        raise KeyboardInterrupt

    monkeypatch.setattr(f"local.cli.api.{client}.follow", interrupted)
    ended = eco2("video", "can.mov")
    assert ended.status == 130
    assert f"eco2 video --job {CLIP_ID}" in ended.err


@pytest.mark.usefixtures("asked")
def test_a_clip_that_is_refused_says_why(eco2: Run, edge: FakeEdge) -> None:
    """With the reason that programs decide by."""
    error = to_status(InvalidArgument(Reason.VIDEO_TOO_LONG, seconds="75", limit="60"), *Locale)
    edge.answers[f"GET /v1/jobs/{CLIP_ID}"] = state(Job.STATE_FAILED, error=error)
    ended = eco2("video", "can.mov", "--json")
    assert (ended.status, ended.error["reason"]) == (1, "VIDEO_TOO_LONG")


@pytest.mark.usefixtures("asked")
def test_a_scan_that_fails_fails_the_command(eco2: Run, edge: FakeEdge) -> None:
    """The frames alone are no answer."""
    failed = Event(type=Event.TYPE_TERMINAL, scan=scan(State.STATE_FAILED))
    edge.answers[f"GET /v1/scans/{SCAN_ID}:watch"] = lambda _: streamed([failed])
    assert eco2("video", "can.mov").status == 1


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["video"], "Name a FILE"),
        (["video", "can.mov", "--job", CLIP_ID], "Name a FILE"),
        (["video", "nothing.mp4"], "There is no file nothing.mp4"),
        (["video", "."], "is a folder"),
        (["video", "can.avi"], "can.avi isn't an MP4, MOV, WebM or MKV clip"),
        (["video", "empty.mp4"], "empty.mp4 is empty"),
        (["video", "huge.webm"], "huge.webm is too large"),
        (["video", "can.mov", "--lat", "37.5"], "--lat and --lon go together"),
        (["scan", "can.mov"], "eco2 video can.mov"),
    ],
    ids=["nothing", "both", "missing", "folder", "AVI", "empty", "huge", "half a place", "as a photo"],
)
def test_what_makes_no_sense_is_told_before_anything_is_asked(
    eco2: Run, asked: list[Request], tmp_path: Path, arguments: list[str], told: str
) -> None:
    """In a line."""
    (tmp_path / "can.avi").write_bytes(b"x")
    (tmp_path / "empty.mp4").write_bytes(b"")
    with (tmp_path / "huge.webm").open("wb") as huge:
        huge.truncate((100 << 20) + 1)
    ended = eco2(*arguments)
    assert (ended.status, ended.out) == (2, "")
    assert told in ended.err
    assert not asked
