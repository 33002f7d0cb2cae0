"""`eco2 places`: lists places nearby, and imports public data sets."""

import os
import re
import subprocess
import sys
from pathlib import Path

import click

from eco2.rules.v1 import disposal_pb2
from local.cli.api.rules import RulesClient
from local.cli.commands import Group, command
from local.cli.display import tables, terminal
from local.cli.display.tables import Column
from local.cli.options import Invocation, common, of_stack
from local.cli.session import database_url
from mesh.locale import Locale, Text

_AT = re.compile(r"\s*(-?\d+(?:\.\d+)?)\s*,\s*(-?\d+(?:\.\d+)?)\s*")
_HEADINGS = {
    Locale.KO: ("m", "분", "장소", "주소", "영업", "출처"),
    Locale.EN: ("m", "min", "place", "address", "open", "source"),
}
_NONE = Text(ko="{radius} m 안에는 그런 곳이 없어요.", en="No such place within {radius} m.")
_SAMPLE = Text(ko="예시 자료", en="sample data")


class Location(click.ParamType[tuple[float, float]]):
    """Latitude and longitude, with a comma between."""

    name = "LAT,LON"

    def convert(
        self, value: str | tuple[float, float], param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[float, float]:
        """As click calls it."""
        if isinstance(value, tuple):
            return value
        found = _AT.fullmatch(value)
        if found is None:
            self.fail("write it as latitude,longitude: 37.55,126.92", param, ctx)
        return float(found[1]), float(found[2])


@click.group("places", cls=Group, no_args_is_help=True)
def places() -> None:
    """Places that take waste."""


@command(
    "near", "eco2 places near 37.55,126.92", "eco2 places near 37.55,126.92 --material 전지 --radius 1000",
    "eco2 places near 37.55,126.92 --json", context_settings={"ignore_unknown_options": True},
)  # fmt: skip
@click.argument("location", type=Location(), metavar="LAT,LON")
@click.option("--material", "materials", multiple=True, help="What it must take, such as 전지; may be repeated.")
@click.option("--radius", type=click.IntRange(1, 50_000), default=3000, show_default=True, help="How far, in metres.")
@click.option("--limit", type=click.IntRange(1, 50), default=5, show_default=True, help="How many.")
@common
def near(
    invocation: Invocation, location: tuple[float, float], materials: tuple[str, ...], radius: int, limit: int
) -> None:
    """List the nearest places, nearest first.

    LAT,LON is where you are.
    """
    session, locale = invocation.session(), invocation.locale
    with RulesClient(session.rest_url, session.token, locale) as client:
        found = client.places(location, materials, radius, limit)
    if invocation.as_json:
        terminal.print_json(found)
    elif found.places:
        metres, minutes, *texts = _HEADINGS[locale]
        shape = [Column(metres, number=True), Column(minutes, number=True), *tables.columns(*texts)]
        tables.show(shape, (_line(place, locale) for place in found.places))
    else:
        print(_NONE[locale].format(radius=radius))


@command(
    "import", "eco2 places import bins.csv --mapping clothing_bins",
    "eco2 places import bins.csv --mapping clothing_bins --source clothing_bins.mapo --report rejected.jsonl",
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
)  # fmt: skip
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--mapping", required=True, help="Its format; a wrong one lists those there are.")
@of_stack
def take(invocation: Invocation, file: Path, mapping: str) -> int:
    """Import a data set of places: for operators.

    FILE is a CSV file of a public data portal. --source, --report and --may-shrink are as in python -m
    rules_svc.imports. What was done is printed as JSON in any case.
    """
    url = database_url(invocation.var, os.environ)
    # The command that production runs, in a process of its own: this one imports no service.
    called = (
        sys.executable,
        "-m",
        "rules_svc.imports",
        str(file),
        "--mapping",
        mapping,
        *click.get_current_context().args,
    )
    sys.stdout.flush()
    return subprocess.run(called, env={**os.environ, "ECO2_DATABASE_URL": url}, check=False).returncode


places.add_command(near)
places.add_command(take)


def _line(place: disposal_pb2.Place, locale: Locale) -> tuple[str, ...]:
    return (
        str(place.distance_meters),
        str(place.walking_minutes),
        place.name,
        place.address,
        place.opening.text,
        _SAMPLE[locale] if place.is_sample else place.source,
    )
