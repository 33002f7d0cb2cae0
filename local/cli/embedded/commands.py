"""The commands of the embedded stack: up, demo, token, doctor, migrate."""

import asyncio
import os
from collections.abc import Sequence
from pathlib import Path

import click

from local.cli.api.rest import Question
from local.cli.commands import command
from local.cli.display import terminal
from local.cli.embedded import demo, doctor
from local.cli.options import Invocation, common, location, of_stack, question
from local.cli.scans.sources import check
from local.cli.session import NoStack, database_url
from local.errors import Misuse
from local.stack import preparation, services, stack
from local.stack import up as foreground
from local.stack.secrets import Secrets
from local.stack.stores import postgres, shapes
from local.stack.tokens import Tokens
from mesh.grpc import identity

_RED, _GREEN = "✗", "✓"

_port = click.option(
    "--port", type=click.IntRange(0, 65535), default=8080, envvar="PORT", show_envvar=True, show_default=True,
    help="REST and gRPC port; 0: any free.",
)  # fmt: skip


def _subject(_: click.Context, __: click.Parameter, user: str) -> str:
    if not identity.usable(user):
        raise click.BadParameter("a name has 1 to 128 printable characters, no blank at either end")
    return user


def _shapes(_: click.Context, __: click.Parameter, names: str) -> list[str]:
    chosen = [name.strip() for name in names.split(",") if name.strip()]
    try:
        shapes.check(chosen)
    except Misuse as misuse:
        raise click.BadParameter(str(misuse)) from None
    return chosen


@command("up", "eco2 up", "eco2 up --var var/second --port 8081", "eco2 up --only stores", "eco2 up --split --tls")
@_port
@click.option(
    "--only", type=click.Choice([part.value for part in stack.StackPart]), default=stack.StackPart.ALL.value,
    show_default=True, help="How much of the stack to run.",
)  # fmt: skip
@click.option("--tied", is_flag=True, help="Also stop when the process that started this one ends.")
@click.option(
    "--processes", type=click.IntRange(1), default=services.cores,
    help="How many processes serve the mesh, each all services.  [default: one a core]",
)  # fmt: skip
@click.option("--split", is_flag=True, help="A process for each service instead.")
@click.option(
    "--stores", default="", metavar="NAME,…", callback=_shapes,
    help=f"Stores in the shapes of large systems: {', '.join(shapes.SHAPES)}.",
)  # fmt: skip
@click.option("--tls", is_flag=True, help="Mutual TLS between edge, services and operators.")
@click.option(
    "--demo-user/--no-demo-user", default=True,
    help="Let `eco2 login` sign in a demo user, unless ECO2_AUTH_CLIENTS names providers.",
)  # fmt: skip
@of_stack
def up(
    invocation: Invocation,
    port: int,
    only: str,
    tied: bool,
    processes: int,
    split: bool,
    stores: Sequence[str],
    tls: bool,
    demo_user: bool,
) -> None:
    """Run the whole stack in the foreground until Ctrl-C.

    Other commands find it by its folder, VAR.
    """

    def say(line: str) -> None:
        if invocation.as_json:
            terminal.print_json({"message": line})
        else:
            print(line, flush=True)

    shape = None if split else processes
    part = stack.StackPart(only)
    foreground.run_foreground(
        invocation.var, port, part, say, tied=tied, processes=shape, tls=tls, demo=demo_user, stores=stores
    )


@command("demo", "eco2 demo", "eco2 demo --photo cup.jpg --locale ko", "eco2 demo --json")
@click.option("--photo", type=click.Path(path_type=Path), help="Your own photo.  [default: a note, drawn]")
@question(demo.MAPO, demo.MAPO_REGION)
@common
def show(
    invocation: Invocation,
    photo: Path | None,
    text: str,
    latitude: float | None,
    longitude: float | None,
    region: str,
) -> int:
    """Scan one photo on a stack of its own, then stop everything.

    As a mobile client would. A second demo in the same folder starts quicker.
    """
    if photo:
        check(photo)
    asked = Question(text, location(latitude, longitude), region)
    succeeded = demo.run(invocation.var / "demo", photo, asked, invocation.locale, as_json=invocation.as_json)
    return 0 if succeeded else 1


@command("token", "eco2 token", "eco2 token --user mina", "eco2 token --operator", "eco2 token --user mina --json")
@click.option("--user", default=stack.USER, show_default=True, callback=_subject, help="Whose token: any name.")
@click.option("--operator", is_flag=True, help="One that opens the operators' page.")
@of_stack
def token(invocation: Invocation, user: str, operator: bool) -> None:
    """Print a bearer token of the stack in VAR, good for 24 hours."""
    try:
        secrets = Secrets.load(invocation.var / "secrets")
    except FileNotFoundError:
        raise NoStack(f"no stack ever ran in {invocation.var}. Start one: eco2 up") from None
    scope = identity.OPERATOR_SCOPE if operator else ""
    issued = Tokens(secrets.signing_key).issue(user, scope=scope)
    if invocation.as_json:
        terminal.print_json({"user": user, "token": issued})
    else:
        print(issued)


@command("doctor", "eco2 doctor", "eco2 doctor --json | jq '.findings[].trouble'")
@_port
@of_stack
def examine(invocation: Invocation, port: int) -> int:
    """Say what is missing or unreachable, and what to do."""
    findings = asyncio.run(doctor.examine(invocation.var, port))
    if invocation.as_json:
        terminal.print_json({"findings": [finding.document() for finding in findings]})
    else:
        for finding in findings:
            mark = terminal.bold(_RED) if finding.trouble else _GREEN
            remedy = f"\n    → {finding.remedy}" if finding.trouble else ""
            print(f"{mark} {finding.name:<22} {finding.trouble or finding.note}{remedy}")
    return 1 if any(finding.trouble for finding in findings) else 0


@command("migrate", "eco2 migrate", "ECO2_DATABASE_URL=postgresql://eco2@db/eco2 eco2 migrate")
@of_stack
def migrate(invocation: Invocation) -> None:
    """Bring the database's schemas up to date.

    That of the stack in VAR, or of ECO2_DATABASE_URL.
    """
    url = database_url(invocation.var, os.environ)
    # The command itself waits for a database that is starting, silently; so check first that it answers.
    asyncio.run(postgres.reach(url))
    done = asyncio.run(preparation.migrate({"ECO2_DATABASE_URL": url})).strip()
    if invocation.as_json:
        terminal.print_json({"applied": done.splitlines()})
    else:
        print(done or "Nothing to do: the schemas are up to date.")
