"""How the columns of a public data set become places; one YAML file a format, in `data/imports/`.

A column is named by any of several headings, since each municipality words them a little differently. Headings are
compared without spaces.
"""

import hashlib
import math
from collections.abc import Mapping as Table
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from importlib.resources import files
from importlib.resources.abc import Traversable

import msgspec
import yaml

from mesh.locale import Text
from rules_svc.places.opening_hours import WeeklyHours
from rules_svc.places.opening_hours_text import from_korean, hours_text
from rules_svc.places.places import Location, PlaceKind

IMPORTS = files("rules_svc") / "data" / "imports"

# Korea with its islands. Coordinates outside are errors, most often latitude and longitude swapped.
_SOUTH, _NORTH, _WEST, _EAST = 32.9, 38.7, 124.5, 132.0
_LONGEST = 500


class RejectionReason(StrEnum):
    """Why a row is rejected."""

    COLUMN_COUNT = "column_count"
    NO_COORDINATES = "no_coordinates"
    BAD_COORDINATES = "bad_coordinates"
    OUTSIDE_KOREA = "outside_korea"
    UNKNOWN_KIND = "unknown_kind"
    BAD_TEXT = "bad_text"
    ID_USED_TWICE = "id_used_twice"


@dataclass(frozen=True, slots=True)
class RejectedRow:
    """A rejected row: why, and the value of which column."""

    reason: RejectionReason
    column: str = ""
    value: str = ""


@dataclass(frozen=True, slots=True)
class PlaceRow:
    """A row as a place.

    Attributes:
        key: What identifies it within its source.
        kind: What sort of place it is.
        name: What it is called.
        address: Postal address; the same in both languages.
        location: Where it is.
        materials: Categories it takes.
        opening_hours: As a person reads them.
        hours: The same for `hours.opening`; empty if they aren't understood.
        phone: Phone number.
    """

    key: str
    kind: PlaceKind
    name: Text
    address: str
    location: Location
    materials: tuple[str, ...]
    opening_hours: Text
    hours: str
    phone: str


class Columns(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Headings by what they hold, the preferred one first."""

    latitude: tuple[str, ...]
    longitude: tuple[str, ...]
    id: tuple[str, ...] = ()
    name: tuple[str, ...] = ()
    address: tuple[str, ...] = ()
    phone: tuple[str, ...] = ()
    hours: tuple[str, ...] = ()
    kind: tuple[str, ...] = ()


class KindMapping(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What sort of place a row is.

    Attributes:
        kind: Its sort.
        materials: What it takes.
        name: What it is called where the row doesn't say.
        when: Texts of the kind column that mean this; empty means any.
    """

    kind: PlaceKind
    materials: tuple[str, ...]
    name: Text
    when: tuple[str, ...] = ()


class Mapping(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A format."""

    title: Text
    columns: Columns
    places: tuple[KindMapping, ...]

    def reader(self, header: Sequence[str]) -> "RowReader":
        """Reads the rows below a header.

        Raises:
            ValueError: A column that is needed isn't there.
        """
        at = {_heading(name): number for number, name in reversed(list(enumerate(header)))}
        found = {
            field: tuple(at[_heading(name)] for name in getattr(self.columns, field) if _heading(name) in at)
            for field in self.columns.__struct_fields__
        }
        needed = ["latitude", "longitude", *(["kind"] if self.columns.kind else [])]
        if missing := [field for field in needed if not found[field]]:
            wanted = "; ".join(f"{field}: {' or '.join(getattr(self.columns, field))}" for field in missing)
            raise ValueError(f"no such column ({wanted}) among {', '.join(header)}")
        return RowReader(self, tuple(header), found)


class RowReader:
    """Turns rows into entries.

    Args:
        mapping: The format.
        header: The file's headings.
        columns: Numbers of the columns by what they hold.
    """

    def __init__(self, mapping: Mapping, header: tuple[str, ...], columns: Table[str, tuple[int, ...]]) -> None:
        self._mapping = mapping
        self._header = header
        self._columns = columns

    def read(self, row: Sequence[str]) -> PlaceRow | RejectedRow:
        """The row as a place, or why it is rejected."""
        if len(row) != len(self._header):
            return RejectedRow(RejectionReason.COLUMN_COUNT, value=str(len(row)))
        texts = {field: self._text(row, field) for field in self._columns}
        for field, text in texts.items():
            if "\0" in text or "\ufffd" in text or len(text) > _LONGEST:
                return RejectedRow(RejectionReason.BAD_TEXT, field, text[:40].replace("\0", ""))
        location = _location(texts["latitude"], texts["longitude"])
        if isinstance(location, RejectedRow):
            return location
        what = next((what for what in self._mapping.places if not what.when or texts["kind"] in what.when), None)
        if what is None:
            return RejectedRow(RejectionReason.UNKNOWN_KIND, self._heading("kind"), texts["kind"])
        return _entry(texts, location, what)

    def _text(self, row: Sequence[str], field: str) -> str:
        """The first of the columns that isn't empty."""
        return next((text for number in self._columns[field] if (text := row[number].strip())), "")

    def _heading(self, field: str) -> str:
        return self._header[self._columns[field][0]]


def load_mapping(name: str, folder: Traversable = IMPORTS) -> Mapping:
    """A format by its name.

    Raises:
        FileNotFoundError: There is none of this name.
        msgspec.ValidationError: The file doesn't have the right shape.
    """
    return msgspec.convert(yaml.safe_load((folder / f"{name}.yaml").read_text("utf-8")), Mapping)


def names(folder: Traversable = IMPORTS) -> list[str]:
    """Names of all formats."""
    return sorted(file.name.removesuffix(".yaml") for file in folder.iterdir() if file.name.endswith(".yaml"))


def _entry(texts: Table[str, str], location: Location, what: KindMapping) -> PlaceRow:
    hours = from_korean(texts["hours"])
    # Text that isn't understood is shown unchanged.
    read = hours_text(WeeklyHours.parse(hours)) if hours else Text(texts["hours"], texts["hours"])
    name = texts["name"]
    return PlaceRow(
        key=texts["id"] or _key(what.kind, location, name, texts["address"]),
        kind=what.kind,
        name=Text(name, f"{what.name.en} ({name})") if name else what.name,
        address=texts["address"],
        location=location,
        materials=what.materials,
        opening_hours=read,
        hours=hours,
        phone=texts["phone"],
    )


def _location(latitude: str, longitude: str) -> Location | RejectedRow:
    if not latitude or not longitude:
        return RejectedRow(RejectionReason.NO_COORDINATES)
    read: list[float] = []
    for field, text in (("latitude", latitude), ("longitude", longitude)):
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            return RejectedRow(RejectionReason.BAD_COORDINATES, field, text[:40])
        read.append(value)
    if read == [0.0, 0.0]:
        return RejectedRow(RejectionReason.NO_COORDINATES)
    if not (_SOUTH <= read[0] <= _NORTH and _WEST <= read[1] <= _EAST):
        return RejectedRow(RejectionReason.OUTSIDE_KOREA, value=f"{latitude}, {longitude}"[:40])
    return Location(*read)


def _key(*parts: object) -> str:
    """A key for rows without an id, made from their content."""
    return hashlib.sha256("\0".join(map(str, parts)).encode()).hexdigest()[:20]


def _heading(text: str) -> str:
    return "".join(text.split()).casefold()
