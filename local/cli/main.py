"""The `eco2` command line."""

import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import Annotated

import grpc
import typer
from rich.console import Console
from rich.table import Column

from eco2.scan.v1 import scan_pb2
from local.cli import demo, doctor, exit_status, operations, places, rulebook
from local.cli.api.grpc import WatchClient
from local.cli.api.rest import Question, ScanClient
from local.cli.display import card, progress, tables, terminal
from local.cli.options import VAR, Language, Var
from local.cli.session import NoStack, Session, database_url
from local.stack import postgres, stack
from local.stack import up as foreground
from local.stack.secrets import Secrets
from local.stack.tokens import Tokens
from mesh.grpc import identity

app = typer.Typer(
    help="Eco²: scan a photo of waste, from the command line.", no_args_is_help=True, pretty_exceptions_enable=False
)
app.add_typer(rulebook.rules, name="rules")
app.add_typer(operations.letters, name="dead-letters")
app.add_typer(operations.webhooks, name="webhooks")
app.add_typer(places.commands, name="places")
app.command()(operations.queue)

_out = Console()
_err = Console(stderr=True)


def _photo(path: Path | None) -> Path | None:
    if path and path.suffix.lower() not in demo.CONTENT_TYPES:
        raise typer.BadParameter(f"{path.name} isn't a JPEG, PNG, WebP or HEIC photo by its name")
    return path


def _subject(user: str) -> str:
    if not identity.usable(user):
        raise typer.BadParameter("a name has 1 to 128 printable characters, no blank at either end")
    return user


Port = Annotated[int, typer.Option("--port", envvar="PORT", min=0, max=65535, help="REST and gRPC port; 0: any free.")]
Text = Annotated[str, typer.Option("--user-input", help="What you ask or say about it.")]
Latitude = Annotated[float | None, typer.Option("--lat", min=-90, max=90, help="Where you are: latitude.")]
Longitude = Annotated[float | None, typer.Option("--lon", min=-180, max=180, help="Where you are: longitude.")]
Region = Annotated[str, typer.Option("--region", help="Your region, such as 서울특별시/마포구.")]
Json = Annotated[bool, typer.Option("--json", help="Print the scan as JSON instead of a card.")]


@app.command()
def up(
    var: Var = VAR,
    port: Port = 8080,
    only: Annotated[stack.StackPart, typer.Option(help="How much of the stack to run.")] = stack.StackPart.ALL,
    tied: Annotated[
        bool, typer.Option("--tied", help="Also stop when the process that started this one ends.")
    ] = False,
) -> None:
    """Runs the whole stack in the foreground until Ctrl-C."""
    foreground.run_foreground(var, port, only, _say, tied=tied)


@app.command("demo")
def show(
    language: Language,
    var: Var = VAR,
    photo: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, callback=_photo, help="Your own photo.")
    ] = None,
    text: Text = "",
    latitude: Latitude = demo.MAPO[0],
    longitude: Longitude = demo.MAPO[1],
    region: Region = demo.MAPO_REGION,
) -> None:
    """Starts a stack of its own, scans one photo as a mobile client would, shows the result, stops everything."""
    question = _question(text, latitude, longitude, region)
    if not demo.run(var / "demo", photo, question, language, _out):
        raise typer.Exit(1)


@app.command()
def scan(
    photo: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, callback=_photo, help="JPEG, PNG, WebP or HEIC.")
    ],
    language: Language,
    var: Var = VAR,
    text: Text = "",
    latitude: Latitude = None,
    longitude: Longitude = None,
    region: Region = "",
    as_json: Json = False,
) -> None:
    """Scans a photo on the running stack, over REST."""
    console = Console(stderr=True) if as_json else _out
    question = _question(text, latitude, longitude, region)
    _finish(demo.scan(Session.find(var, os.environ), photo, question, language, console), as_json)


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
def token(
    var: Var = VAR,
    user: Annotated[str, typer.Option("--user", callback=_subject, help="Whose token: any name.")] = stack.USER,
) -> None:
    """Prints a bearer token of the stack in VAR, valid for 24 hours."""
    try:
        secrets = Secrets.load(var / "secrets")
    except FileNotFoundError:
        raise NoStack(f"no stack ever ran in {var}. Start one: eco2 up") from None
    print(Tokens(secrets.signing_key).issue(user))


@app.command("doctor")
def examine(var: Var = VAR, port: Port = 8080) -> None:
    """Says what is missing or unreachable, and what to do."""
    findings = asyncio.run(doctor.examine(var, port))
    for finding in findings:
        mark = "[red]✗[/]" if finding.trouble else "[green]✓[/]"
        remedy = f"\n    → {finding.remedy}" if finding.trouble else ""
        _out.print(
            f"{mark} {finding.name:<22} {finding.trouble or finding.note}{remedy}", highlight=False, soft_wrap=True
        )
    if any(finding.trouble for finding in findings):
        raise typer.Exit(1)


@app.command()
def migrate(var: Var = VAR) -> None:
    """Brings the database's schemas up to date."""
    url = database_url(var, os.environ)
    # The command itself waits for a database that is starting, silently; so check first that it answers.
    asyncio.run(postgres.reach(url))
    _out.print(asyncio.run(stack.migrate(url)).strip() or "Nothing to do: the schemas are up to date.")


def _say(line: str) -> None:
    print(line, flush=True)


def _question(text: str, latitude: float | None, longitude: float | None, region: str) -> Question:
    if (latitude is None) != (longitude is None):
        raise typer.BadParameter("--lat and --lon go together")
    here = None if latitude is None or longitude is None else (latitude, longitude)
    return Question(text, here, region)


def _line(scan: scan_pb2.Scan) -> tuple[str, ...]:
    created = scan.create_time.ToDatetime().isoformat(" ", "minutes")
    state = scan_pb2.Scan.State.Name(scan.state).removeprefix("STATE_")
    return scan.scan_id, created, state, scan.classification.display_name


def _finish(last: scan_pb2.Scan, as_json: bool) -> None:
    if as_json:
        print(terminal.as_json(last))
    else:
        _out.print(card.render(last))
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
