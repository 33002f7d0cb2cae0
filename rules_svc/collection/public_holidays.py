"""Public holidays of Korea, those of the lunar calendar, substitute ones and election days included."""

import re
from collections.abc import Mapping
from datetime import date, timedelta
from functools import lru_cache
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import holidays

# `PH` in opening hours, perhaps moved by a day: PH -1 day.
_SELECTOR = re.compile(r"\bPH\b(?: ?([+-]\d+) days?)?")
_LONG = re.compile("설날|추석")
_DAY = timedelta(days=1)


def _korea() -> Any:
    """The library's calendar of Korea, from its file.

    By its name the calendars of 250 other countries would come too: 0.6 s, and 10 MiB.
    """
    spec = spec_from_file_location(f"{__name__}.korea", Path(holidays.__file__).parent / "countries" / "south_korea.py")
    assert spec
    assert spec.loader
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.SouthKorea


# Here, not with the first question: reading it would block the event loop for 40 ms.
_KOREA = _korea()


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
    return dict(_KOREA(years=year, language="ko"))
