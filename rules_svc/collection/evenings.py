"""Evenings on which waste may be put out, from a region's hours as OpenStreetMap writes opening hours.

    Mo-Fr 20:00-05:00                                       from Monday to Friday, each till the next morning
    Nov-Mar Su-Th 18:00-24:00; Apr-Oct Su-Th 19:00-24:00    by season
    Su-Fr; PH -1 day off                                    no hours known; not on the eve of a public holiday
    Mo,We 20:00+                                            no end known

Public holidays are Korea's, those of the lunar calendar and substitute ones included. What is put out after midnight
belongs to the evening before.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache

from opening_hours import OpeningHours, ParserError, State  # type: ignore[attr-defined]  # its stubs lack the error

from rules_svc.collection.freshness import SEOUL
from rules_svc.collection.public_holidays import spelled_out

# Hours that never end.
ALWAYS = "24/7"
_NOON, _DUSK, _NIGHT_ENDS = time(12), time(17), time(5)
_DAY = timedelta(days=1)
# An evening further off than this is no use to anybody.
_HORIZON_DAYS = 14


@dataclass(frozen=True, slots=True)
class Evening:
    """An evening on which something may be put out.

    Attributes:
        day: The day it begins on.
        opens: From when, in Korean time; None if no hour is known.
        closes: Until when, in Korean time, perhaps on the next day; None if no hour is known.
    """

    day: date
    opens: datetime | None = None
    closes: datetime | None = None

    def over(self, moment: datetime) -> bool:
        """Whether it is too late."""
        return moment >= (self.closes or datetime.combine(self.day + _DAY, _NIGHT_ENDS, SEOUL))


def evening_of(moment: datetime) -> date:
    """The day whose evening a moment belongs to: until five in the morning it is still the one before."""
    local = moment.astimezone(SEOUL)
    return local.date() - _DAY if local.time() < _NIGHT_ENDS else local.date()


# Evaluating takes up to 60 us; some sixty regions' hours over two weeks make up all that is asked.
@lru_cache(maxsize=2048)
def evening_on(hours: str, day: date) -> Evening | None:
    """The evening of a day; None if nothing is put out then.

    Raises:
        ValueError: The hours can't be read.
    """
    dusk, midnight = datetime.combine(day, _DUSK), datetime.combine(day + _DAY, time())
    first, last = datetime.combine(day, _NOON), datetime.combine(day + _DAY, _NOON)
    for start, end, state, _ in _evaluated(hours, day.year).intervals(first, last):
        if state == State.OPEN and start < midnight and end > dusk:
            opens = start.replace(tzinfo=SEOUL) if start > first else None
            # Days without hours are open from midnight to midnight.
            ends = end < last and not (end == midnight and ("+" in hours or opens is None))
            return Evening(day, opens, end.replace(tzinfo=SEOUL) if ends else None)
    return None


def evenings(hours: str, day: date) -> Iterator[Evening]:
    """The evenings from a day on, for two weeks.

    Raises:
        ValueError: The hours can't be read.
    """
    for offset in range(_HORIZON_DAYS):
        if evening := evening_on(hours, day + offset * _DAY):
            yield evening


def read(hours: str) -> OpeningHours:
    """Hours as they are written above.

    Raises:
        ValueError: They can't be read.
    """
    try:
        return OpeningHours(hours, country="KR")
    except ParserError as error:
        raise ValueError(f"no such hours: {hours!r}") from error


@lru_cache(maxsize=1024)
def _evaluated(hours: str, year: int) -> OpeningHours:
    """The hours in a year, with its public holidays. Raises as `read` does."""
    return read(spelled_out(hours, year))
