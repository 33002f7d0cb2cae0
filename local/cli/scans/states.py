"""`eco2 watch`, `eco2 show`: a scan as it gets on, and as it is."""

import click

from eco2.scan.v1 import scan_pb2
from local.cli.api.rest import ScanClient
from local.cli.commands import command
from local.cli.display import progress, terminal
from local.cli.options import Invocation, common
from local.cli.scans import results
from local.cli.scans.history import state_name
from local.errors import Disconnected

_ENDS = ("STATE_SUCCEEDED", "STATE_FAILED", "STATE_CANCELLED", "STATE_EXPIRED")


@command("watch", "eco2 watch SCAN_ID", "eco2 watch SCAN_ID --json | jq .progress.percent")
@click.argument("scan_id")
@common
def watch(invocation: Invocation, scan_id: str) -> int:
    """Follow a scan to its end.

    Through lost connections, too. With --json every state is a line, the last one its end.
    """
    session, last = invocation.session(), None
    with (
        ScanClient(session.rest_url, session.token, invocation.locale) as client,
        progress.board(silent=invocation.as_json) as board,
    ):
        for last in client.follow(scan_id):
            board.update(scan_id, last)
            if invocation.as_json:
                terminal.print_json(last)
    if last is None:
        raise Disconnected("the watch ended without a state")
    if not invocation.as_json:
        results.show(session, last)
    return 0 if last.state == results.SUCCEEDED else 1


@command("show", "eco2 show SCAN_ID", "eco2 show SCAN_ID --json")
@click.argument("scan_id")
@common
def show(invocation: Invocation, scan_id: str) -> None:
    """Show a scan as it is now.

    Its card if it has ended, else how far it is.
    """
    session = invocation.session()
    with ScanClient(session.rest_url, session.token, invocation.locale) as client:
        found = client.get(scan_id)
    if invocation.as_json:
        terminal.print_json(found)
    elif has_ended(found):
        results.show(session, found)
    else:
        parts = (state_name(found.state, invocation.locale), f"{found.progress.percent} %", found.progress.message)
        print(" · ".join(filter(None, parts)))


def has_ended(scan: scan_pb2.Scan) -> bool:
    """Whether a scan is in a terminal state."""
    return scan.state in {scan_pb2.Scan.State.Value(name) for name in _ENDS}
