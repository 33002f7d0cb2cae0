"""`eco2 export`: one's history as a spreadsheet, or all that is kept of one."""

import time
from datetime import date
from pathlib import Path
from uuid import uuid4

import click

from eco2.jobs.v1.export_pb2 import ExportSpec
from eco2.jobs.v1.job_pb2 import Job
from eco2.jobs.v1.jobs_service_pb2 import CreateJobRequest
from eco2.scan.v1.export_pb2 import Export
from local.cli.api.account import AccountClient
from local.cli.api.jobs import JobsClient
from local.cli.commands import command
from local.cli.display import progress, terminal
from local.cli.display.values import filesize
from local.cli.jobs.outcome import demand_success
from local.cli.options import Invocation, common
from local.errors import Disconnected
from mesh.locale import Text

_POLL_SECONDS = 1.0
_MADE = Text(ko="{file}: 스캔 {scans}건, {size}", en="{file}: {scans} scans, {size}")


def _day(_: click.Context, parameter: click.Parameter, value: str | None) -> str:
    """A day as it was typed, YYYY-MM-DD; empty if none was."""
    try:
        return date.fromisoformat(value).isoformat() if value else ""
    except ValueError:
        raise click.BadParameter("write it as 2026-11-30", param=parameter) from None


@command("export", "eco2 export", "eco2 export --thumbnails --from 2026-11-01 -o november.xlsx", "eco2 export --all")
@click.option("--thumbnails", is_flag=True, help="With a small picture of each photo.")
@click.option("--from", "from_date", metavar="DAY", callback=_day, help="The first day.  [default: the beginning]")
@click.option("--to", "to_date", metavar="DAY", callback=_day, help="The last day.  [default: today]")
@click.option("--time-zone", default="", help="Of the days and times, such as Europe/Berlin.  [default: Asia/Seoul]")
@click.option("--all", "everything", is_flag=True, help="All that is kept of you instead, as a zip.")
@click.option(
    "--output", "-o", type=click.Path(dir_okay=False, path_type=Path),
    help="Where to put it.  [default: eco2-history.xlsx; eco2-export.zip]",
)  # fmt: skip
@common
def export(
    invocation: Invocation,
    thumbnails: bool,
    from_date: str,
    to_date: str,
    time_zone: str,
    everything: bool,
    output: Path | None,
) -> None:
    """Fetch your history as a spreadsheet.

    A row for each scan, newest first. Nobody but you may read the file.
    """
    if everything and (thumbnails or from_date or to_date or time_zone):
        raise click.UsageError("--all is all: it takes no days and no --thumbnails.")
    file = output or Path("eco2-export.zip" if everything else "eco2-history.xlsx")
    if not file.parent.is_dir():
        raise click.BadParameter(f"there is no folder {file.parent}", param_hint="--output")
    if everything:
        _all(invocation, file)
    else:
        spec = ExportSpec(thumbnails=thumbnails, from_date=from_date, to_date=to_date, time_zone=time_zone)
        _history(invocation, spec, file)


def _history(invocation: Invocation, spec: ExportSpec, file: Path) -> None:
    session = invocation.session()
    request = CreateJobRequest(export=spec, locale=invocation.locale, request_id=str(uuid4()))
    with JobsClient(session.rest_url, session.token, invocation.locale) as client:
        job = client.create(request).job
        job = _followed(client, job, silent=invocation.as_json)
        demand_success(job, invocation.locale)
        client.fetch(job.download_url, file)
    if invocation.as_json:
        terminal.print_json({"job": terminal.document(job), "file": str(file), "size_bytes": job.size_bytes})
    else:
        told = _MADE[invocation.locale]
        print(told.format(file=file, scans=job.export_result.scans, size=filesize(job.size_bytes)))


def _followed(client: JobsClient, job: Job, *, silent: bool) -> Job:
    """The job once it has ended."""
    with progress.board(silent=silent) as board:
        for now in client.follow(job.job_id):
            board.update(now.job_id, now)
            job = now
    return job


def _all(invocation: Invocation, file: Path) -> None:
    session = invocation.session()
    with AccountClient(session.rest_url, session.token, invocation.locale) as client:
        made = client.begin_export()
        while made.state == Export.STATE_RUNNING:
            time.sleep(_POLL_SECONDS)
            made = client.export(made.export_id)
        if made.state != Export.STATE_SUCCEEDED:
            raise Disconnected("the export failed; try again later")
        client.fetch(made.download_url, file)
    if invocation.as_json:
        terminal.print_json({"export_id": made.export_id, "file": str(file), "size_bytes": made.size_bytes})
    else:
        print(f"{file}: {filesize(made.size_bytes)}")
