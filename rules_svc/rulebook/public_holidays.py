"""Public holidays of Korea, those of the lunar calendar, substitute ones and election days included."""

import re
from collections.abc import Mapping
from datetime import date, timedelta
from functools import lru_cache

import holidays

# `PH` in opening hours, perhaps moved by a day: PH -1 day.
_SELECTOR = re.compile(r"\bPH\b(?: ?([+-]\d+) days?)?")
_LONG = re.compile("설날|추석")
_DAY = timedelta(days=1)


def is_public_holiday(day: date) -> bool:
    """Whether it is one."""
    return day in _of_year(day.year)


def in_long_holiday(day: date) -> bool:
    """Whether an evening belongs to Seollal or Chuseok, their eves included, when districts announce other days."""
    return any(_LONG.search(_names(one.year).get(one, "")) is not None for one in (day, day + _DAY))


def spelled_out(hours: str, year: int) -> str:
    """Opening hours with the dates of this year and the next in place of `PH`.

    The evaluator's own calendar lacks holidays on weekends and some substitute ones.
    """
    return _SELECTOR.sub(lambda found: _dates(year, int(found[1] or 0)), hours)


@lru_cache(maxsize=64)
def _dates(year: int, moved_by: int) -> str:
    days = [day + moved_by * _DAY for one in (year, year + 1) for day in sorted(_of_year(one))]
    return ",".join(f"{day:%Y %b %d}" for day in days)


def _of_year(year: int) -> frozenset[date]:
    return frozenset(_names(year))


@lru_cache(maxsize=16)
def _names(year: int) -> Mapping[date, str]:
    return dict(holidays.country_holidays("KR", years=year, language="ko"))
