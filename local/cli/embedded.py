"""The commands of the embedded stack: up, demo, token, doctor, migrate. They take the extra `local`."""

import asyncio
import os
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from local.cli import demo, doctor
from local.cli.options import VAR, Language, Latitude, Longitude, Region, Text, Var, photo_by_name, question
from local.cli.session import NoStack, database_url
from local.stack import postgres, preparation, services, stack
from local.stack import up as foreground
from local.stack.secrets import Secrets
from local.stack.tokens import Tokens
from mesh.grpc import identity

commands = typer.Typer()

_out = Console()


def _subject(user: str) -> str:
    if not identity.usable(user):
        raise typer.BadParameter("a name has 1 to 128 printable characters, no blank at either end")
    return user


Port = Annotated[int, typer.Option("--port", envvar="PORT", min=0, max=65535, help="REST and gRPC port; 0: any free.")]


@commands.command()
def up(
    var: Var = VAR,
    port: Port = 8080,
    only: Annotated[stack.StackPart, typer.Option(help="How much of the stack to run.")] = stack.StackPart.ALL,
    tied: Annotated[
        bool, typer.Option("--tied", help="Also stop when the process that started this one ends.")
    ] = False,
    processes: Annotated[
        int, typer.Option(min=1, help="How many processes serve the mesh, each all services; by default one a core.")
    ] = services.cores(),
    split: Annotated[bool, typer.Option("--split", help="A process for each service instead.")] = False,
    tls: Annotated[bool, typer.Option("--tls", help="Mutual TLS between edge, services and operators.")] = False,
    demo_user: Annotated[
        bool, typer.Option(help="Let `eco2 login` sign in a demo user, unless ECO2_AUTH_CLIENTS names providers.")
    ] = True,
) -> None:
    """Runs the whole stack in the foreground until Ctrl-C."""
    shape = None if split else processes
    foreground.run_foreground(var, port, only, _say, tied=tied, processes=shape, tls=tls, demo=demo_user)


@commands.command("demo")
def show(
    language: Language,
    var: Var = VAR,
    photo: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, callback=photo_by_name, help="Your own photo.")
    ] = None,
    text: Text = "",
    latitude: Latitude = demo.MAPO[0],
    longitude: Longitude = demo.MAPO[1],
    region: Region = demo.MAPO_REGION,
) -> None:
    """Starts a stack of its own, scans one photo as a mobile client would, shows the result, stops everything."""
    asked = question(text, latitude, longitude, region)
    if not demo.run(var / "demo", photo, asked, language, _out):
        raise typer.Exit(1)


@commands.command()
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


@commands.command("doctor")
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


@commands.command()
def migrate(var: Var = VAR) -> None:
    """Brings the database's schemas up to date."""
    url = database_url(var, os.environ)
    # The command itself waits for a database that is starting, silently; so check first that it answers.
    asyncio.run(postgres.reach(url))
    _out.print(asyncio.run(preparation.migrate(url)).strip() or "Nothing to do: the schemas are up to date.")


def _say(line: str) -> None:
    print(line, flush=True)
