"""`eco2 building`: a house's own days and place, kept by its manager and joined by a code."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import grpc
import typer
from google.protobuf import json_format
from google.type.dayofweek_pb2 import DayOfWeek
from rich.console import Console
from rich.table import Column

from eco2.rules.v1 import building_pb2
from local.cli.api.grpc import BuildingClient
from local.cli.display import tables, terminal
from local.cli.options import VAR, Language, Var
from local.cli.session import Session
from local.errors import Misuse
from local.files import write_private
from mesh.locale import Locale

commands = typer.Typer(help="Your building: its own days and place.", no_args_is_help=True)

_out = Console()
_STATE = "building"  # the code that was joined, in the stack's folder

File = Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="JSON, as `show --json` prints it.")]
Code = Annotated[str, typer.Argument(help="The building's code.")]


def chosen(building: str, region: str, var: Path) -> str:
    """The code that goes with a request: the one given, or the one joined unless a region is named. May be empty."""
    if building or region:
        return building
    try:
        return (var / _STATE).read_text("utf-8").strip()
    except FileNotFoundError:
        return ""


@contextmanager
def _client(var: Path, language: Locale) -> Iterator[BuildingClient]:
    session = Session.find(var, os.environ)
    with grpc.insecure_channel(session.grpc_target) as channel:
        yield BuildingClient(channel, session.token, language)


@commands.command()
def create(file: File, language: Language, var: Var = VAR) -> None:
    """Registers a building, and prints the code by which its people join."""
    with _client(var, language) as client:
        made = client.create(_read(file))
    _out.print(f"{made.name}: {_spoken(made.code)}", markup=False, highlight=False)


@commands.command()
def show(
    language: Language,
    var: Var = VAR,
    code: Annotated[str, typer.Argument(help="Which; by default all that you manage.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,
) -> None:
    """Shows a building, or lists those that you manage."""
    with _client(var, language) as client:
        found = [client.get(code)] if code else client.managed()
    if as_json:
        for one in found:
            print(terminal.as_json(one))
    elif code:
        for line in _lines(found[0], language):
            _out.print(line, markup=False, highlight=False, soft_wrap=True)
    else:
        tables.show(_out, [*map(Column, ("code", "name", "region"))], map(_row, found))


@commands.command()
def update(file: File, language: Language, var: Var = VAR) -> None:
    """Replaces what your building says; code and etag stand in the file, so that nobody's change is lost."""
    with _client(var, language) as client:
        changed = client.update(_read(file))
    _out.print(f"{changed.name}: {_spoken(changed.code)}", markup=False, highlight=False)


@commands.command()
def delete(code: Code, language: Language, var: Var = VAR) -> None:
    """Deletes your building; who joined it is told the days of its district from then on."""
    with _client(var, language) as client:
        client.delete(code)


@commands.command()
def join(code: Code, language: Language, var: Var = VAR) -> None:
    """Goes by a building's days from now on, in scans, rules and schedules."""
    with _client(var, language) as client:
        found = client.get(code)
    write_private(var / _STATE, found.code)
    for line in _lines(found, language):
        _out.print(line, markup=False, highlight=False, soft_wrap=True)


@commands.command()
def leave(var: Var = VAR) -> None:
    """Goes by the district's days again."""
    (var / _STATE).unlink(missing_ok=True)


def _read(file: Path) -> building_pb2.Building:
    try:
        return json_format.Parse(file.read_text("utf-8"), building_pb2.Building())
    except (json_format.ParseError, UnicodeDecodeError) as error:
        raise Misuse(f"{file} isn't a building: {error}") from None


def _row(building: building_pb2.Building) -> tuple[str, ...]:
    return _spoken(building.code), building.name, building.region_name


def _lines(building: building_pb2.Building, locale: Locale) -> Iterator[str]:
    """A building as text; a kind is told by its name in the API."""
    yield f"{building.name} · {building.region_name} · {_spoken(building.code)}"
    if place := _said(building.place, locale):
        yield place
    for one in building.collections:
        kind = building_pb2.BuildingCollection.Kind.Name(one.kind).removeprefix("KIND_").lower()
        days = ", ".join(DayOfWeek.Name(day).capitalize() for day in one.days)
        hours = "-".join(filter(None, (one.open_time, one.close_time)))
        yield " · ".join(filter(None, (kind, days, hours, _said(one.place, locale))))
    for bin_ in building.bins:
        kind = building_pb2.BuildingBin.Kind.Name(bin_.kind).removeprefix("KIND_").lower()
        yield " · ".join(filter(None, (kind, _said(bin_.place, locale))))
    if notice := _said(building.notice, locale):
        yield notice


def _said(text: building_pb2.BuildingText, locale: Locale) -> str:
    first, second = (text.ko, text.en) if locale is Locale.KO else (text.en, text.ko)
    return first or second


def _spoken(code: str) -> str:
    """In two halves, which are easier to read out."""
    return f"{code[:4]}-{code[4:]}"
