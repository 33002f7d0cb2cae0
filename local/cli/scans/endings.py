"""`eco2 cancel`, `eco2 delete`: scans that are stopped or removed."""

from collections.abc import Callable
from typing import Any

import click

from local.cli import exit_status
from local.cli.api.rest import ScanClient
from local.cli.commands import command
from local.cli.display import terminal
from local.cli.options import Invocation, common
from mesh.locale import Text

_CANCELLED = Text(ko="취소했어요: {scan_id}", en="Cancelled: {scan_id}")
_DELETED = Text(ko="지웠어요: {scan_id}", en="Deleted: {scan_id}")

_scans = click.argument("scan_ids", nargs=-1, required=True, metavar="SCAN_ID...")


@command("cancel", "eco2 cancel SCAN_ID", "eco2 cancel SCAN_ID SCAN_ID --json")
@_scans
@common
def cancel(invocation: Invocation, scan_ids: tuple[str, ...]) -> int:
    """Stop scans.

    A queued one never starts, a running one stops at once.
    """

    def stop(client: ScanClient, scan_id: str) -> dict[str, Any]:
        return terminal.document(client.cancel(scan_id))

    return _each(invocation, scan_ids, stop, _CANCELLED)


@command("delete", "eco2 delete SCAN_ID", "eco2 delete SCAN_ID SCAN_ID --json")
@_scans
@common
def delete(invocation: Invocation, scan_ids: tuple[str, ...]) -> int:
    """Remove scans with their photos and results.

    Running ones are cancelled first. What they earned stays yours; nobody can bring them back.
    """

    def remove(client: ScanClient, scan_id: str) -> dict[str, Any]:
        client.delete(scan_id)
        return {"scan_id": scan_id, "deleted": True}

    return _each(invocation, scan_ids, remove, _DELETED)


def _each(
    invocation: Invocation, scan_ids: tuple[str, ...], act: Callable[[ScanClient, str], dict[str, Any]], done: Text
) -> int:
    """Does the same to each, whatever became of the others; the exit status is as of several photos."""
    session, failed = invocation.session(), 0
    with ScanClient(session.rest_url, session.token, invocation.locale) as client:
        for scan_id in scan_ids:
            try:
                document = act(client, scan_id)
            except Exception as error:
                if len(scan_ids) == 1:
                    raise
                exit_status.complain(scan_id, error, as_json=invocation.as_json, scan_id=scan_id)
                failed += 1
                continue
            if invocation.as_json:
                terminal.print_json(document)
            else:
                print(done[invocation.locale].format(scan_id=scan_id), flush=True)
    return exit_status.of_several(failed)
