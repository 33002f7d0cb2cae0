"""`eco2 places`: lists places nearby, and imports public data sets."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Annotated

import grpc
import typer
from google.type import latlng_pb2
from rich.console import Console
from rich.table import Column

from eco2.rules.v1 import disposal_pb2, rules_service_pb2
from local.cli.api.grpc import RulesClient
from local.cli.display import tables, terminal
from local.cli.options import VAR, Language, Var
from local.cli.session import Session, database_url

commands = typer.Typer(help="Places that take waste.", no_args_is_help=True)
_out = Console()
_AT = re.compile(r"\s*(-?\d+(?:\.\d+)?)\s*,\s*(-?\d+(?:\.\d+)?)\s*")


def _location(text: str) -> latlng_pb2.LatLng:
    found = _AT.fullmatch(text)
    if found is None:
        raise typer.BadParameter("write it as latitude,longitude: 37.55,126.92")
    return latlng_pb2.LatLng(latitude=float(found[1]), longitude=float(found[2]))


@commands.command(context_settings={"ignore_unknown_options": True})
def near(
    location: Annotated[latlng_pb2.LatLng, typer.Argument(parser=_location, metavar="LAT,LON", help="Where you are.")],
    language: Language,
    var: Var = VAR,
    material: Annotated[list[str] | None, typer.Option("--material", help="What it must take, such as 전지.")] = None,
    radius: Annotated[int, typer.Option(min=1, max=50_000, help="How far, in metres.")] = 3000,
    limit: Annotated[int, typer.Option(min=1, max=50, help="How many.")] = 5,
    as_json: Annotated[bool, typer.Option("--json", help="A JSON object a line.")] = False,
) -> None:
    """Lists the nearest places, nearest first, over gRPC."""
    session = Session.find(var, os.environ)
    request = rules_service_pb2.FindPlacesRequest(
        location=location, materials=material or (), radius_meters=radius, limit=limit
    )
    with grpc.insecure_channel(session.grpc_target) as channel:
        found = RulesClient(channel, session.token, language).places(request)
    if as_json:
        for place in found:
            print(terminal.as_json(place))
        return
    if not found:
        _out.print(f"No such place within {radius} m.")
        return
    columns = [Column("m", justify="right"), Column("min", justify="right"), *map(Column, ("place", "address"))]
    tables.show(_out, [*columns, Column("open"), Column("source")], map(_line, found))


@commands.command("import", context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def take(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A CSV file of a public data portal.")],
    mapping: Annotated[str, typer.Option("--mapping", help="Its format; a wrong one lists those there are.")],
    var: Var = VAR,
) -> None:
    """Imports a data set of places; --source, --report and --may-shrink as in python -m rules_svc.imports."""
    url = database_url(var, os.environ)
    # The command that production runs, in a process of its own: this one imports no service.
    command = (sys.executable, "-m", "rules_svc.imports", str(file), "--mapping", mapping, *context.args)
    ended = subprocess.run(command, env={**os.environ, "ECO2_DATABASE_URL": url}, check=False)
    if ended.returncode:
        raise typer.Exit(ended.returncode)


def _line(place: disposal_pb2.Place) -> tuple[str, ...]:
    return (
        str(place.distance_meters),
        str(place.walking_minutes),
        place.name,
        place.address,
        place.opening.text,
        place.source,
    )
