"""`eco2 history`, `eco2 jobs`: one's scans, and those that are under way."""

from collections.abc import Iterator, Mapping

import click

from eco2.scan.v1 import scan_pb2
from local.cli.api.rest import ScanClient
from local.cli.commands import command
from local.cli.display import tables, terminal
from local.cli.display.tables import Column
from local.cli.display.values import local_time
from local.cli.options import Invocation, common
from mesh.locale import Locale, Text

_PAGE = 100
_State = scan_pb2.Scan.State
_STATES: Mapping[int, Text] = {
    _State.STATE_AWAITING_UPLOAD: Text(ko="사진 기다림", en="awaiting upload"),
    _State.STATE_QUEUED: Text(ko="대기 중", en="queued"),
    _State.STATE_RUNNING: Text(ko="진행 중", en="running"),
    _State.STATE_SUCCEEDED: Text(ko="완료", en="succeeded"),
    _State.STATE_FAILED: Text(ko="실패", en="failed"),
    _State.STATE_CANCELLED: Text(ko="취소", en="cancelled"),
    _State.STATE_EXPIRED: Text(ko="만료", en="expired"),
}
_UNKNOWN = Text(ko="알 수 없음", en="unknown")  # of a newer server
_UNFINISHED = (_State.STATE_AWAITING_UPLOAD, _State.STATE_QUEUED, _State.STATE_RUNNING)
_SCANS = {Locale.KO: ("스캔", "만든 때", "상태", "무엇"), Locale.EN: ("scan", "created", "state", "what it is")}
_JOBS = {
    Locale.KO: ("스캔", "만든 때", "상태", "%", "지금"),
    Locale.EN: ("scan", "created", "state", "%", "now"),
}
_NO_SCANS = Text(ko="아직 스캔이 없어요. 해 보세요: eco2 scan PHOTO", en="No scans yet. Make one: eco2 scan PHOTO")
_NO_JOBS = Text(ko="진행 중인 스캔이 없어요.", en="None of your scans is under way.")


def state_name(state: int, locale: Locale) -> str:
    """What a state is called."""
    return _STATES.get(state, _UNKNOWN)[locale]


@command("history", "eco2 history", "eco2 history --limit 500 --json | jq -r '.scans[].scan_id'")
@click.option("--limit", type=click.IntRange(1, 10_000), default=20, show_default=True, help="How many.")
@common
def history(invocation: Invocation, limit: int) -> None:
    """List your scans, newest first."""
    found = [*_newest(invocation, limit)]
    if invocation.as_json:
        terminal.print_json({"scans": [terminal.document(scan) for scan in found]})
    elif found:
        scan_id, *others = _SCANS[invocation.locale]
        rows = (
            (
                scan.scan_id,
                local_time(scan.create_time),
                state_name(scan.state, invocation.locale),
                scan.classification.display_name,
            )
            for scan in found
        )
        tables.show([Column(scan_id, whole=True), *tables.columns(*others)], rows)
    else:
        print(_NO_SCANS[invocation.locale])


@command("jobs", "eco2 jobs", "eco2 jobs --json | jq -r '.scans[].scan_id' | xargs -r eco2 cancel")
@click.option("--limit", type=click.IntRange(1, 10_000), default=100, show_default=True, help="Of how many newest.")
@common
def jobs(invocation: Invocation, limit: int) -> None:
    """List your scans that haven't ended; operators see the queue by `queue`.

    Those that wait for their photo, for a worker, or are being worked on, newest first. Everybody's scans together are
    operators' business: `eco2 queue`.
    """
    found = [scan for scan in _newest(invocation, limit) if scan.state in _UNFINISHED]
    if invocation.as_json:
        terminal.print_json({"scans": [terminal.document(scan) for scan in found]})
    elif found:
        scan_id, created, state, percent, now = _JOBS[invocation.locale]
        shape = [
            Column(scan_id, whole=True),
            *tables.columns(created, state),
            Column(percent, number=True),
            Column(now),
        ]
        rows = (
            (
                scan.scan_id,
                local_time(scan.create_time),
                state_name(scan.state, invocation.locale),
                str(scan.progress.percent),
                scan.progress.message,
            )
            for scan in found
        )
        tables.show(shape, rows)
    else:
        print(_NO_JOBS[invocation.locale])


def _newest(invocation: Invocation, limit: int) -> Iterator[scan_pb2.Scan]:
    """One's newest scans, page by page."""
    session, token = invocation.session(), ""
    with ScanClient(session.rest_url, session.token, invocation.locale) as client:
        while limit:
            page = client.page(min(limit, _PAGE), token)
            yield from page.scans
            limit, token = limit - len(page.scans), page.next_page_token
            if not token:
                return
