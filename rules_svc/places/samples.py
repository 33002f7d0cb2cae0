"""The sample places that come with the service, in `data/places_sample.csv`: invented, and marked so in their names."""

import csv
from collections.abc import Iterator
from importlib.resources import files
from importlib.resources.abc import Traversable

from mesh.locale import Text
from rules_svc.places.opening_hours import WeeklyHours
from rules_svc.places.opening_hours_text import hours_text
from rules_svc.places.places import SAMPLE, Location, Place, PlaceKind

SAMPLES = files("rules_svc") / "data" / "places_sample.csv"


def sample_places(file: Traversable = SAMPLES) -> Iterator[Place]:
    """The invented places.

    Raises:
        ValueError: A row has an unknown kind, hours that can't be parsed, or text instead of a number.
        KeyError: A column is missing.
    """
    for row in csv.DictReader(file.read_text("utf-8").splitlines()):
        yield Place(
            place_id=row["place_id"],
            kind=PlaceKind(row["kind"]),
            name=Text(row["name_ko"], row["name_en"]),
            address=Text(row["address_ko"], row["address_en"]),
            location=Location(float(row["latitude"]), float(row["longitude"])),
            materials=tuple(row["materials"].split("|")),
            opening_hours=hours_text(WeeklyHours.parse(row["hours"])),
            is_sample=True,
            source=SAMPLE,
            hours=row["hours"],
        )
