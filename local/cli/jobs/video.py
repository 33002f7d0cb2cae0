"""`eco2 video`: a clip, which becomes one scan."""

from pathlib import Path
from secrets import token_hex

import click
from google.type import latlng_pb2

from eco2.jobs.v1.job_pb2 import Job
from eco2.jobs.v1.jobs_service_pb2 import CreateJobRequest
from eco2.jobs.v1.video_pb2 import VideoSpec
from eco2.scan.v1 import scan_pb2
from local.cli.api.jobs import JobsClient
from local.cli.api.rest import ScanClient
from local.cli.commands import command
from local.cli.display import progress, terminal
from local.cli.jobs.outcome import demand_success
from local.cli.jobs.uploaded import begin, check, followed, left_running
from local.cli.options import Invocation, common, location, question
from local.cli.scans import results
from local.cli.scans.sources import CLIP_TYPES
from local.cli.session import Session
from local.errors import Disconnected, Misuse

_LARGEST = 100 << 20  # bytes, as CreateJob allows


@command(
    "video", "eco2 video recycling.mp4", "eco2 video recycling.mov --region 서울특별시/마포구 --json",
    "eco2 video --job 0197c5e4-…",
)  # fmt: skip
@click.argument("file", required=False, type=click.Path(path_type=Path))
@click.option("--job", "job_id", default="", help="Follow this clip instead of beginning one.")
@question()
@common
def video(
    invocation: Invocation,
    file: Path | None,
    job_id: str,
    text: str,
    latitude: float | None,
    longitude: float | None,
    region: str,
) -> int:
    """Scan a clip: what one photo can't show.

    FILE is an MP4, MOV, WebM or MKV file of at most 60 seconds and 100 MiB. Its sharpest frames that differ are looked
    at, and become one scan, which comes back as a card. It goes on when this command is ended, and --job follows it
    again.
    """
    if bool(file) == bool(job_id):
        raise click.UsageError("Name a FILE to begin with, or a --job to follow.")
    spec = _spec(text, location(latitude, longitude), region)
    if file:
        check(file, CLIP_TYPES, "an MP4, MOV, WebM or MKV clip", _LARGEST)
    session = invocation.session()
    with JobsClient(session.rest_url, session.token, invocation.locale) as client:
        if file:
            request = CreateJobRequest(video=spec, locale=invocation.locale, request_id=token_hex(16))
            job_id = begin(client, file, CLIP_TYPES[file.suffix.lower()], request)
        elif client.get(job_id).kind != Job.KIND_VIDEO:
            raise Misuse(f"{job_id} is no clip's job. What it is: eco2 jobs show {job_id}")
        with left_running("video", job_id, invocation):
            last = _scan(session, client, job_id, file.name if file else job_id, invocation)
    if invocation.as_json:
        terminal.print_json({"job_id": job_id, **terminal.document(last)})
    else:
        results.show(session, last)
    return 0 if last.state == results.SUCCEEDED else 1


def _spec(text: str, place: tuple[float, float] | None, region: str) -> VideoSpec:
    spec = VideoSpec(user_input=text, region=region)
    if place:
        latitude, longitude = place
        spec.location.CopyFrom(latlng_pb2.LatLng(latitude=latitude, longitude=longitude))
    return spec


def _scan(session: Session, jobs: JobsClient, job_id: str, name: str, invocation: Invocation) -> scan_pb2.Scan:
    """The scan that a clip became, once it has ended: first the clip is shown as it gets on, then the scan."""
    last = None
    with progress.board(silent=invocation.as_json) as board:
        job = followed(jobs, job_id, name, board)
        demand_success(job, invocation.locale)
        with ScanClient(session.rest_url, session.token, invocation.locale) as scans:
            for last in scans.follow(job.video_result.scan_id):
                board.update(job.video_result.scan_id, last)
    if last is None:
        raise Disconnected("the watch ended without a state")
    return last
