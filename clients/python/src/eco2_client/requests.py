"""A call as data: what is sent, what comes back, and what may be done when nothing does."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar
from urllib.parse import quote

T = TypeVar("T")

Location = tuple[float, float]  # latitude and longitude, WGS 84
Value = str | int | float | Sequence[str]


@dataclass(frozen=True, slots=True)
class Request(Generic[T]):
    """One call.

    Attributes:
        method: Of HTTP.
        path: Without the query.
        reply: What comes back.
        query: Parameters; a list is sent as several.
        body: JSON; None for no body.
        repeatable: Whether it may be sent again when it may have arrived: the API does it once, or it does no harm.
        removes: Whether it removes something: when it is sent again, NOT_FOUND says that it is done.
    """

    method: str
    path: str
    reply: type[T]
    query: Mapping[str, Value] = field(default_factory=dict)
    body: Mapping[str, Any] | None = None
    repeatable: bool = True
    removes: bool = False


def given(**fields: Any) -> dict[str, Any]:
    """Those of the fields that say something: the API takes what is absent for its default."""
    return {name: value for name, value in fields.items() if value is not None and value != "" and value != ()}


def segment(text: str) -> str:
    """Text as a part of a path."""
    return quote(text, safe="")


def latlng(location: Location | None) -> dict[str, float] | None:
    """A location as the API takes it in a body."""
    return None if location is None else {"latitude": location[0], "longitude": location[1]}
