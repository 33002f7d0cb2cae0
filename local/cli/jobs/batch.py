"""`eco2 batch`: many photos at once, by a sheet of their addresses or a zip of them."""

from pathlib import Path, PurePosixPath
from secrets import token_hex
from types import MappingProxyType
from urllib.parse import urlsplit

import click

from eco2.jobs.v1 import batch_pb2, jobs_service_pb2
from eco2.jobs.v1.job_pb2 import Job
from local.cli.api.jobs import JobsClient
from local.cli.commands import command
from local.cli.display import progress, terminal
from local.cli.display.values import filesize
from local.cli.jobs.outcome import demand_success
from local.cli.jobs.uploaded import begin, check, followed, left_running
from local.cli.options import Invocation, building, common, region
from local.cli.rulebook.joined import chosen
from local.errors import Misuse
from mesh.locale import Text

_TYPES = MappingProxyType(
    {
        ".csv": "text/csv",
        ".tsv": "text/tab-separated-values",
        ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        ".zip": "application/zip",
    }
)
_LARGEST = 1 << 30
_DONE = Text(
    ko="{file}: {size}, {rows}줄 가운데 {succeeded}줄 성공, {failed}줄 실패, ${cost:.4f}",
    en="{file}: {size}, {rows} rows: {succeeded} succeeded, {failed} failed, ${cost:.4f}",
)


@command(
    "batch", "eco2 batch photos.csv", "eco2 batch photos.xlsx --pace 300 --output results.xlsx",
    "eco2 batch photos.zip", "eco2 batch --job 0197c5e4-… --output results.xlsx",
)  # fmt: skip
@click.argument("file", required=False, type=click.Path(path_type=Path))
@click.option("--job", "job_id", default="", help="Follow this batch instead of beginning one.")
@click.option("--pace", type=click.IntRange(min=1), help="Rows begun in a minute.  [default: the server's]")
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where the sheet with the results goes.  [default: beside FILE]",
)
@region
@building
@common
def batch(
    invocation: Invocation,
    file: Path | None,
    job_id: str,
    pace: int | None,
    output: Path | None,
    region: str,
    building: str,
) -> None:
    """Scan many photos, by a sheet of their addresses or a zip of them.

    FILE is a CSV or XLSX file with a column "photo_url" or "사진 주소", or a zip of photos. It comes back as a sheet
    with what each photo shows and how it is put out. The batch goes on when this command is ended, and --job follows
    it again.
    """
    if bool(file) == bool(job_id):
        raise click.UsageError("Name a FILE to begin a batch, or a --job to follow one.")
    if file:
        check(file, _TYPES, "a CSV, XLSX or ZIP file", _LARGEST)
    if output and not output.parent.is_dir():
        raise click.BadParameter(f"there is no folder {output.parent}", param_hint="--output")
    session = invocation.session()
    with JobsClient(session.rest_url, session.token, invocation.locale) as client:
        if file:
            home = chosen(building, region, invocation.var)
            spec = batch_pb2.BatchSpec(rows_per_minute=pace or 0, region=region, building=home)
            request = jobs_service_pb2.CreateJobRequest(batch=spec, locale=invocation.locale, request_id=token_hex(16))
            job_id = begin(client, file, _TYPES[file.suffix.lower()], request)
        with left_running("batch", job_id, invocation), progress.board(silent=invocation.as_json) as board:
            last = followed(client, job_id, file.name if file else job_id, board)
        _save(client, last, _place(last, file, output), invocation)


def _place(job: Job, file: Path | None, output: Path | None) -> Path:
    """Where the results go: where they were asked for, else beside the file, under another name."""
    if output:
        return output
    stem = file.with_suffix("") if file else Path(f"batch-{job.job_id}")
    return stem.with_name(f"{stem.name}-results{PurePosixPath(urlsplit(job.download_url).path).suffix}")


def _save(client: JobsClient, job: Job, output: Path, invocation: Invocation) -> None:
    demand_success(job, invocation.locale)
    if not job.download_url:
        raise Misuse(f"The results of {job.job_id} aren't kept any more")
    client.fetch(job.download_url, output)
    result = job.batch_result
    if invocation.as_json:
        terminal.print_json({"job_id": job.job_id, "file": str(output), **terminal.document(result)})
    else:
        line = _DONE[invocation.locale].format(
            file=output, size=filesize(job.size_bytes), rows=result.rows, succeeded=result.succeeded,
            failed=result.failed, cost=job.cost_micro_usd / 1e6,
        )  # fmt: skip
        print(line)
