"""Weekly opening hours, in a subset of OpenStreetMap's `opening_hours`, and whether a place is open at a moment.

    24/7
    Mo-Fr 09:00-18:00; Sa 09:00-13:00; PH off
    Tu,Th 10:00-12:00,14:00-02:00

A later rule replaces an earlier one for its days; times past midnight belong to the day they start on. `PH` are public
holidays; hours without it say nothing about them.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Self, TypeAlias
from zoneinfo import ZoneInfo

from opening_hours import OpeningHours

from rules_svc.collection.public_holidays import is_public_holiday, spelled_out

# Minutes after midnight: from, to. An end over 1440 is on the next day.
Span: TypeAlias = tuple[int, int]

SEOUL = ZoneInfo("Asia/Seoul")
DAYS = ("Mo", "Tu", "We", "Th", "Fr", "Sa", "Su")
WHOLE_DAY: Span = (0, 1440)

_ALWAYS = "24/7"

_TIME = re.compile(r"(\d{2}):(\d{2})-(\d{2}):(\d{2})")
_HORIZON_DAYS = 8


@dataclass(frozen=True, slots=True)
class WeeklyHours:
    """Hours of an ordinary week.

    Attributes:
        days: Spans from Monday to Sunday; none on a day that is closed.
        holidays: Spans on public holidays; None if the hours don't mention them.
    """

    days: tuple[tuple[Span, ...], ...]
    holidays: tuple[Span, ...] | None = None

    @classmethod
    def parse(cls, text: str) -> Self:
        """Hours as written above.

        Raises:
            ValueError: It isn't the subset, or a time doesn't exist.
        """
        days: list[tuple[Span, ...]] = [()] * 7
        holidays: tuple[Span, ...] | None = None
        if text.strip() == _ALWAYS:
            return cls((((WHOLE_DAY),),) * 7, (WHOLE_DAY,))
        for rule in text.split(";"):
            selector, _, times = rule.strip().partition(" ")
            spans = _spans(times)
            for day in _days(selector):
                if day == "PH":
                    holidays = spans
                else:
                    days[DAYS.index(day)] = spans
        return cls(tuple(days), holidays)

    @property
    def always(self) -> bool:
        """Whether it never closes."""
        return all(spans == (WHOLE_DAY,) for spans in self.days)


class OpeningState(StrEnum):
    """Whether a place is open."""

    OPEN = "OPEN"
    CLOSED = "CLOSED"
    UNKNOWN = "UNKNOWN"


@dataclass(frozen=True, slots=True)
class Opening:
    """Whether a place is open at a moment.

    Attributes:
        state: Open, closed, unknown.
        checked_at: The moment.
        changes_at: When the state changes next, in Korean time; None if never within a week, or unknown.
        may_differ_on_holidays: Whether it isn't known what happens on public holidays.
    """

    state: OpeningState
    checked_at: datetime
    changes_at: datetime | None = None
    may_differ_on_holidays: bool = False


def opening(hours: str, moment: datetime) -> Opening:
    """Whether a place with these hours is open at a moment; UNKNOWN for empty hours.

    Args:
        hours: As `WeeklyHours.parse` reads them, or empty.
        moment: Aware, in any zone.

    Raises:
        ValueError: The hours can't be read.
    """
    if not hours:
        return Opening(OpeningState.UNKNOWN, moment)
    now = moment.astimezone(SEOUL).replace(tzinfo=None)
    silent = hours != _ALWAYS and "PH" not in hours
    if silent and is_public_holiday(now.date()):
        return Opening(OpeningState.UNKNOWN, moment, may_differ_on_holidays=True)
    evaluated = _evaluated(hours, now.year)
    changes = evaluated.next_change(now)
    near = changes is not None and changes - now <= timedelta(days=_HORIZON_DAYS)
    state = OpeningState.OPEN if evaluated.is_open(now) else OpeningState.CLOSED
    return Opening(state, moment, changes.replace(tzinfo=SEOUL) if changes and near else None, silent)


@lru_cache(maxsize=4096)
def _evaluated(hours: str, year: int) -> OpeningHours:
    """Hours ready to be evaluated, cached: a city's boxes have few different ones.

    Raises:
        ValueError: They aren't the subset.
    """
    week = WeeklyHours.parse(hours)
    # Whether a place that doesn't speak of holidays opens then isn't known: no opening is promised for one.
    known = hours if hours == _ALWAYS or week.holidays is not None else f"{hours}; PH off"
    return OpeningHours(spelled_out(known, year))


def _days(selector: str) -> Iterator[str]:
    for part in selector.split(","):
        first, dash, last = part.partition("-")
        if first == "PH" and not dash:
            yield first
            continue
        if first not in DAYS or (dash and last not in DAYS):
            raise ValueError(f"no such day: {part}")
        start = DAYS.index(first)
        length = (DAYS.index(last) - start) % 7 if dash else 0
        yield from (DAYS[(start + offset) % 7] for offset in range(length + 1))


def _spans(times: str) -> tuple[Span, ...]:
    if times == "off":
        return ()
    return tuple(sorted(map(_span, times.split(","))))


def _span(text: str) -> Span:
    found = _TIME.fullmatch(text)
    if found is None:
        raise ValueError(f"no such time: {text!r}")
    hour, minute, to_hour, to_minute = map(int, found.groups())
    start, end = hour * 60 + minute, to_hour * 60 + to_minute
    if minute > 59 or to_minute > 59 or start >= 1440 or end > 1440 or start == end:
        raise ValueError(f"no such time: {text!r}")
    return start, end if end > start else end + 1440


def written(week: WeeklyHours) -> str:
    """Hours as OpenStreetMap writes them; what `parse` reads."""
    if week.always and week.holidays in (None, (WHOLE_DAY,)):
        return _ALWAYS
    rules = [f"{_range(run)} {_times(spans)}" for run, spans in runs(week) if spans]
    if week.holidays is not None:
        rules.append(f"PH {_times(week.holidays) or 'off'}")
    return "; ".join(rules)


def runs(week: WeeklyHours) -> Iterable[tuple[Sequence[int], tuple[Span, ...]]]:
    """Days in a row with the same hours, Monday first."""
    found: list[tuple[list[int], tuple[Span, ...]]] = []
    for day, spans in enumerate(week.days):
        if found and found[-1][1] == spans:
            found[-1][0].append(day)
        else:
            found.append(([day], spans))
    return found


def _range(run: Sequence[int]) -> str:
    return DAYS[run[0]] if len(run) == 1 else f"{DAYS[run[0]]}-{DAYS[run[-1]]}"


def _times(spans: Sequence[Span]) -> str:
    return ",".join(f"{clock(start)}-{clock(end)}" for start, end in spans)


def clock(minutes: int) -> str:
    """Minutes after midnight as 09:30; midnight at the end of a day is 24:00."""
    at = minutes if minutes <= 1440 else minutes - 1440
    return f"{at // 60:02}:{at % 60:02}"
