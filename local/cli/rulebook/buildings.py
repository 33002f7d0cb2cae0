"""`eco2 building`: a house's own days and place, kept by its manager and joined by a code."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import click
from google.protobuf import json_format

from eco2.rules.v1 import building_pb2
from local.cli.api.rules import RulesClient
from local.cli.commands import Group, command
from local.cli.display import tables, terminal
from local.cli.options import Invocation, common
from local.cli.rulebook import joined
from local.errors import Misuse
from mesh.locale import Locale, Text

_HEADINGS = {Locale.KO: ("코드", "이름", "지역"), Locale.EN: ("code", "name", "region")}
_NONE = Text(ko="관리하는 건물이 없어요.", en="You manage no building.")
_DELETED = Text(ko="건물을 지웠어요.", en="The building is deleted.")
_LEFT = Text(ko="이제 구의 배출일을 따라요.", en="From now on the district's days count.")
_Collection, _Bin = building_pb2.BuildingCollection, building_pb2.BuildingBin
_COLLECTIONS: Mapping[int, Text] = {
    _Collection.KIND_GENERAL: Text(ko="일반쓰레기", en="general waste"),
    _Collection.KIND_NONBURNABLE: Text(ko="불연성 쓰레기", en="non-burnable waste"),
    _Collection.KIND_FOOD: Text(ko="음식물쓰레기", en="food waste"),
    _Collection.KIND_RECYCLABLE: Text(ko="재활용품", en="recyclables"),
    _Collection.KIND_PAPER: Text(ko="종이·종이팩", en="paper and cartons"),
    _Collection.KIND_CLEAR_PET: Text(ko="투명 페트병", en="clear PET bottles"),
    _Collection.KIND_PLASTIC: Text(ko="플라스틱", en="plastics"),
    _Collection.KIND_FILM: Text(ko="비닐", en="film and bags"),
    _Collection.KIND_FOAM: Text(ko="스티로폼", en="foam"),
    _Collection.KIND_GLASS: Text(ko="유리병", en="glass bottles"),
    _Collection.KIND_METAL: Text(ko="캔·고철", en="cans and metal"),
}
_BINS: Mapping[int, Text] = {
    _Bin.KIND_FOOD_SCALE: Text(ko="음식물 종량기", en="food waste scale"),
    _Bin.KIND_BATTERY: Text(ko="건전지함", en="batteries"),
    _Bin.KIND_SMALL_APPLIANCE: Text(ko="소형가전 수거함", en="small appliances"),
    _Bin.KIND_LAMP: Text(ko="형광등 수거함", en="lamps"),
    _Bin.KIND_CLOTHING: Text(ko="의류 수거함", en="clothes"),
    _Bin.KIND_COOKING_OIL: Text(ko="폐식용유 수거함", en="cooking oil"),
    _Bin.KIND_MEDICINE: Text(ko="폐의약품 수거함", en="medicine"),
}
_UNKNOWN = Text(ko="그 밖의 것", en="something else")  # of a newer server
_DAYS = {
    Locale.KO: ("월", "화", "수", "목", "금", "토", "일"),
    Locale.EN: ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
}  # as google.type.DayOfWeek counts them, from 1

_file = click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))


@click.group("building", cls=Group, no_args_is_help=True)
def building() -> None:
    """Your building: its own days and place."""


@contextmanager
def _client(invocation: Invocation) -> Iterator[RulesClient]:
    session = invocation.session()
    with RulesClient(session.rest_url, session.token, invocation.locale) as client:
        yield client


@command("create", "eco2 building create house.json")
@_file
@common
def create(invocation: Invocation, file: Path) -> None:
    """Register a building, and print the code by which its people join.

    FILE is JSON, as `eco2 building show CODE --json` prints it, or `building` of the example in docs/api.md.
    """
    with _client(invocation) as client:
        made = client.create_building(_read(file))
    _name(made, invocation)


@command(
    "show", "eco2 building show", "eco2 building show K7PD-2MTX", "eco2 building show K7PD-2MTX --json > house.json"
)
@click.argument("code", default="")
@common
def show(invocation: Invocation, code: str) -> None:
    """Show a building, or list those that you manage.

    CODE says which; by default all that you manage.
    """
    with _client(invocation) as client:
        if code:
            _describe(client.building(code), invocation)
            return
        found = client.buildings()
    if invocation.as_json:
        terminal.print_json(found)
    elif found.buildings:
        rows = ((_spoken(one.code), one.name, one.region_name) for one in found.buildings)
        tables.show(tables.columns(*_HEADINGS[invocation.locale]), rows)
    else:
        print(_NONE[invocation.locale])


@command("update", "eco2 building update house.json")
@_file
@common
def update(invocation: Invocation, file: Path) -> None:
    """Replace what your building says.

    FILE is JSON, as `eco2 building show CODE --json` prints it. Code and etag stand in it, so that nobody's change is
    lost.
    """
    with _client(invocation) as client:
        changed = client.update_building(_read(file))
    _name(changed, invocation)


@command("delete", "eco2 building delete K7PD-2MTX")
@click.argument("code")
@common
def delete(invocation: Invocation, code: str) -> None:
    """Delete your building.

    Who joined it is told the days of its district from then on.
    """
    with _client(invocation) as client:
        client.delete_building(code)
    if invocation.as_json:
        terminal.print_json({"code": code, "deleted": True})
    else:
        print(_DELETED[invocation.locale])


@command("join", "eco2 building join K7PD-2MTX")
@click.argument("code")
@common
def join(invocation: Invocation, code: str) -> None:
    """Go by a building's days from now on.

    In scans, rules and schedules, until `eco2 building leave`.
    """
    with _client(invocation) as client:
        found = client.building(code)
    joined.keep(invocation.var, found.code)
    _describe(found, invocation)


@command("leave", "eco2 building leave")
@common
def leave(invocation: Invocation) -> None:
    """Go by the district's days again."""
    joined.forget(invocation.var)
    if invocation.as_json:
        terminal.print_json({"left": True})
    else:
        print(_LEFT[invocation.locale])


for _command in (create, show, update, delete, join, leave):
    building.add_command(_command)


def _read(file: Path) -> building_pb2.Building:
    try:
        return json_format.Parse(file.read_text("utf-8"), building_pb2.Building())
    except (json_format.ParseError, UnicodeDecodeError) as error:
        raise Misuse(f"{file} isn't a building: {error}") from None


def _name(building: building_pb2.Building, invocation: Invocation) -> None:
    if invocation.as_json:
        terminal.print_json(building)
    else:
        print(f"{building.name}: {_spoken(building.code)}")


def _describe(building: building_pb2.Building, invocation: Invocation) -> None:
    if invocation.as_json:
        terminal.print_json(building)
        return
    for line in lines(building, invocation.locale):
        print(line)


def lines(building: building_pb2.Building, locale: Locale) -> Iterator[str]:
    """A building as text."""
    yield " · ".join(filter(None, (building.name, building.region_name, _spoken(building.code))))
    if place := _said(building.place, locale):
        yield place
    for one in building.collections:
        kind = _COLLECTIONS.get(one.kind, _UNKNOWN)[locale]
        days = ", ".join(_DAYS[locale][day - 1] for day in one.days)
        hours = "-".join(filter(None, (one.open_time, one.close_time)))
        yield " · ".join(filter(None, (kind, days, hours, _said(one.place, locale))))
    for bin_ in building.bins:
        kind = _BINS.get(bin_.kind, _UNKNOWN)[locale]
        yield " · ".join(filter(None, (kind, _said(bin_.place, locale))))
    if notice := _said(building.notice, locale):
        yield notice


def _said(text: building_pb2.BuildingText, locale: Locale) -> str:
    first, second = (text.ko, text.en) if locale is Locale.KO else (text.en, text.ko)
    return first or second


def _spoken(code: str) -> str:
    """In two halves, which are easier to read out."""
    return f"{code[:4]}-{code[4:]}"
