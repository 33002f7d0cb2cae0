"""`eco2 history`: one's scans; and those of them that are under way, for `eco2 jobs`."""

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
_NO_SCANS = Text(ko="아직 스캔이 없어요. 해 보세요: eco2 scan PHOTO", en="No scans yet. Make one: eco2 scan PHOTO")


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


def unfinished(invocation: Invocation, limit: int) -> Iterator[scan_pb2.Scan]:
    """Those of one's newest scans that haven't ended.

    Args:
        invocation: How the command was called.
        limit: Of how many newest.
    """
    return (scan for scan in _newest(invocation, limit) if scan.state in _UNFINISHED)


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
