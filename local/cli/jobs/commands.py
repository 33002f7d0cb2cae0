"""`eco2 jobs`: work that takes longer than a call: what there is, how far it is, and how to stop it."""

from collections.abc import Iterator, Mapping

import click
from google.protobuf.timestamp_pb2 import Timestamp

from eco2.jobs.v1.job_pb2 import Job
from eco2.scan.v1 import scan_pb2
from local.cli import exit_status
from local.cli.api.jobs import JobsClient, has_ended
from local.cli.commands import Group, command
from local.cli.display import progress, tables, terminal
from local.cli.display.tables import Column
from local.cli.display.values import filesize, local_time
from local.cli.jobs.outcome import demand_success
from local.cli.options import Invocation, common
from local.cli.scans.history import state_name, unfinished
from local.errors import Disconnected
from mesh.locale import Locale, Text

_PAGE = 100
_KINDS: Mapping[int, Text] = {
    Job.KIND_SCAN: Text(ko="스캔", en="scan"),
    Job.KIND_BATCH: Text(ko="사진 여러 장", en="batch"),
    Job.KIND_EXPORT: Text(ko="내보내기", en="export"),
    Job.KIND_VIDEO: Text(ko="동영상", en="video"),
    Job.KIND_MESSAGE: Text(ko="알림", en="reminder"),
    Job.KIND_COMPARISON: Text(ko="비교", en="comparison"),
}
_UNKNOWN = Text(ko="알 수 없음", en="unknown")  # of a newer server
_HEADINGS = {
    Locale.KO: ("작업", "종류", "만든 때", "상태", "%", "지금"),
    Locale.EN: ("job", "kind", "created", "state", "%", "now"),
}
_NONE = Text(ko="맡긴 작업이 없어요.", en="You have no jobs.")
_CANCELLED = Text(ko="취소했어요: {job_id}", en="Cancelled: {job_id}")
_FILE = Text(ko="파일: {size}, {url}", en="File: {size}, {url}")


class _Listing(Group):
    """Lists when no command is named: `eco2 jobs --json` is `eco2 jobs list --json`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """As click calls it."""
        named = args and (not args[0].startswith("-") or args[0] in ctx.help_option_names)
        return super().parse_args(ctx, args if named or ctx.resilient_parsing else ["list", *args])


@click.group("jobs", cls=_Listing)
def jobs() -> None:
    """Your jobs, and scans that haven't ended; operators see the queue by `queue`.

    Batches, exports, clips, reminders. Without a command they are listed.
    """


@command("list", "eco2 jobs list", "eco2 jobs list --json | jq -r '.jobs[].job_id'")
@click.option("--limit", type=click.IntRange(1, 10_000), default=20, show_default=True, help="How many of each.")
@common
def list_jobs(invocation: Invocation, limit: int) -> None:
    """List your jobs, newest first, and scans that haven't ended."""
    found = [*_newest(invocation, limit)]
    scans = [*unfinished(invocation, limit)]
    if invocation.as_json:
        terminal.print_json({"jobs": [*map(terminal.document, found)], "scans": [*map(terminal.document, scans)]})
    elif found or scans:
        job, kind, created, state, percent, now = _HEADINGS[invocation.locale]
        named = [Column(job, whole=True), *tables.columns(kind, created, state)]
        shape = [*named, Column(percent, number=True), Column(now)]
        rows = [_job_row(one, invocation.locale) for one in found]
        rows += [_scan_row(one, invocation.locale) for one in scans]
        tables.show(shape, [row for _, row in sorted(rows, key=lambda one: one[0].ToNanoseconds(), reverse=True)])
    else:
        print(_NONE[invocation.locale])


@command("show", "eco2 jobs show JOB_ID", "eco2 jobs show JOB_ID --json | jq -r .download_url")
@click.argument("job_id")
@common
def show_job(invocation: Invocation, job_id: str) -> None:
    """Show a job as it is now, and where its file is."""
    session = invocation.session()
    with JobsClient(session.rest_url, session.token, invocation.locale) as client:
        found = client.get(job_id)
    if invocation.as_json:
        terminal.print_json(found)
    else:
        _tell(found, invocation.locale)


@command("watch", "eco2 jobs watch JOB_ID", "eco2 jobs watch JOB_ID --json | jq .percent")
@click.argument("job_id")
@common
def watch_job(invocation: Invocation, job_id: str) -> None:
    """Follow a job to its end.

    With --json every state is a line, the last one its end.
    """
    session, last = invocation.session(), None
    with (
        JobsClient(session.rest_url, session.token, invocation.locale) as client,
        progress.board(silent=invocation.as_json) as board,
    ):
        for last in client.follow(job_id):
            board.update(job_id, last)
            if invocation.as_json:
                terminal.print_json(last)
    if last is None:
        raise Disconnected("the watch ended without a state")
    if not invocation.as_json:
        _tell(last, invocation.locale)
    demand_success(last, invocation.locale)


@command("cancel", "eco2 jobs cancel JOB_ID", "eco2 jobs cancel JOB_ID JOB_ID --json")
@click.argument("job_ids", nargs=-1, required=True, metavar="JOB_ID...")
@common
def cancel_jobs(invocation: Invocation, job_ids: tuple[str, ...]) -> int:
    """Stop jobs.

    A queued one never starts, a running one stops at once and keeps what it has done.
    """
    session, failed = invocation.session(), 0
    with JobsClient(session.rest_url, session.token, invocation.locale) as client:
        for job_id in job_ids:
            try:
                job = client.cancel(job_id)
            except Exception as error:
                if len(job_ids) == 1:
                    raise
                exit_status.complain(job_id, error, as_json=invocation.as_json, job_id=job_id)
                failed += 1
                continue
            if invocation.as_json:
                terminal.print_json(job)
            else:
                print(_CANCELLED[invocation.locale].format(job_id=job_id), flush=True)
    return exit_status.of_several(failed)


for one in (list_jobs, show_job, watch_job, cancel_jobs):
    jobs.add_command(one)


def _tell(job: Job, locale: Locale) -> None:
    """Prints how far a job is; what it has made if it has ended."""
    kind, state = _KINDS.get(job.kind, _UNKNOWN)[locale], state_name(job.state, locale)
    percent = "" if has_ended(job) else f"{job.percent} %"
    print(" · ".join(filter(None, (kind, state, percent, job.message))))
    if job.download_url:
        print(_FILE[locale].format(size=filesize(job.size_bytes), url=job.download_url))


def _newest(invocation: Invocation, limit: int) -> Iterator[Job]:
    """One's newest jobs, page by page."""
    session, token = invocation.session(), ""
    with JobsClient(session.rest_url, session.token, invocation.locale) as client:
        while limit:
            page = client.page(min(limit, _PAGE), token)
            yield from page.jobs
            limit, token = limit - len(page.jobs), page.next_page_token
            if not token:
                return


def _job_row(job: Job, locale: Locale) -> tuple[Timestamp, tuple[str, ...]]:
    kind, state = _KINDS.get(job.kind, _UNKNOWN)[locale], state_name(job.state, locale)
    return job.create_time, (job.job_id, kind, local_time(job.create_time), state, str(job.percent), job.message)


def _scan_row(scan: scan_pb2.Scan, locale: Locale) -> tuple[Timestamp, tuple[str, ...]]:
    kind, state, now = _KINDS[Job.KIND_SCAN][locale], state_name(scan.state, locale), scan.progress
    return scan.create_time, (
        scan.scan_id, kind, local_time(scan.create_time), state, str(now.percent), now.message
    )  # fmt: skip
