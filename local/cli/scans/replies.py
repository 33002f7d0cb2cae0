"""`eco2 answer`, `eco2 correct`: what a user says to an answer."""

import click

from eco2.scan.v1 import scan_service_pb2
from local.cli.api.rest import ScanClient
from local.cli.commands import command
from local.cli.display import terminal
from local.cli.options import Invocation, common
from local.cli.scans import results
from mesh.locale import Text

# As people say it, which is how the rule book reads it.
_NO = Text(ko="아니요, {what}", en="No, it's {what}")

_may_learn = click.option(
    "--may-learn",
    is_flag=True,
    help="Let Eco² keep it as a label of the photo, to learn from; else it is only counted.",
)


@command("answer", "eco2 answer SCAN_ID '안은 깨끗해요'", "eco2 answer SCAN_ID 'It is empty' --json")
@click.argument("scan_id")
@click.argument("reply", nargs=-1, required=True)
@_may_learn
@common
def answer(invocation: Invocation, scan_id: str, reply: tuple[str, ...], may_learn: bool) -> int:
    """Reply to what a scan's answer left open.

    In your own words, or in one of those that the card offers. The photo isn't looked at again. A reply that settles
    nothing ends with status 1.
    """
    return _say(invocation, scan_id, " ".join(reply), may_learn)


@command("correct", "eco2 correct SCAN_ID 건전지", "eco2 correct SCAN_ID battery --may-learn")
@click.argument("scan_id")
@click.argument("what", nargs=-1, required=True)
@_may_learn
@common
def correct(invocation: Invocation, scan_id: str, what: tuple[str, ...], may_learn: bool) -> int:
    """Say what a photo really shows.

    WHAT is its name, such as 건전지 or battery. Rules and answer are made again, and the photo isn't looked at again.
    """
    return _say(invocation, scan_id, _NO[invocation.locale].format(what=" ".join(what)), may_learn)


def _say(invocation: Invocation, scan_id: str, reply: str, may_learn: bool) -> int:
    session = invocation.session()
    with ScanClient(session.rest_url, session.token, invocation.locale) as client:
        said = client.answer(scan_id, reply, may_learn=may_learn)
    if invocation.as_json:
        terminal.print_json(said)
        if not said.understood:
            terminal.complain(said.message, "NOT_UNDERSTOOD", as_json=True)
    else:
        _show(said)
        results.show(session, said.scan)
    return 0 if said.understood else 1


def _show(said: scan_service_pb2.AnswerQuestionResponse) -> None:
    print(terminal.bold(said.message), flush=True)
