"""Weekly opening hours, in a subset of OpenStreetMap's `opening_hours`, and whether a place is open at a moment.

    24/7
    Mo-Fr 09:00-18:00; Sa 09:00-13:00; PH off
    Tu,Th 10:00-12:00,14:00-02:00

A later rule replaces an earlier one for its days; times past midnight belong to the day they start on. `PH` are public
holidays; hours without it say nothing about them. Only holidays with a fixed date are known here: those of the lunar
calendar and substitute ones are not, which is why answers say that hours may differ.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Self, TypeAlias
from zoneinfo import ZoneInfo

# Minutes after midnight: from, to. An end over 1440 is on the next day.
Span: TypeAlias = tuple[int, int]

SEOUL = ZoneInfo("Asia/Seoul")
DAYS = ("Mo", "Tu", "We", "Th", "Fr", "Sa", "Su")
WHOLE_DAY: Span = (0, 1440)

# Month and day; act on public holidays, article 2. Seollal, Chuseok and Buddha's birthday follow the lunar calendar.
FIXED_HOLIDAYS = frozenset({(1, 1), (3, 1), (5, 5), (6, 6), (8, 15), (10, 3), (10, 9), (12, 25)})

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
        if text.strip() == "24/7":
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

    @property
    def may_differ_on_holidays(self) -> bool:
        """Whether a public holiday changes something, or might."""
        return not self.always or self.holidays not in (None, (WHOLE_DAY,))

    def on(self, day: date) -> tuple[Span, ...] | None:
        """The spans that start on a date; None if unknown."""
        if (day.month, day.day) in FIXED_HOLIDAYS and not (self.always and self.holidays is None):
            return self.holidays
        return self.days[day.weekday()]


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
        may_differ_on_holidays: Whether a public holiday might change it.
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
    week, now = weekly(hours), moment.astimezone(SEOUL)
    if week.on(now.date()) is None:
        return Opening(OpeningState.UNKNOWN, moment, may_differ_on_holidays=True)
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    spans = list(_around(week, midnight))
    at = next((span for span in spans if span[0] <= now < span[1]), None)
    if at is not None:
        changes = at[1] if at[1] < midnight + timedelta(days=_HORIZON_DAYS) else None
        return Opening(OpeningState.OPEN, moment, changes, week.may_differ_on_holidays)
    changes = next((start for start, _ in spans if start > now), None)
    return Opening(OpeningState.CLOSED, moment, changes, week.may_differ_on_holidays)


@lru_cache(maxsize=4096)
def weekly(hours: str) -> WeeklyHours:
    """`WeeklyHours.parse`, cached: a city's boxes have few different hours."""
    return WeeklyHours.parse(hours)


def _around(week: WeeklyHours, midnight: datetime) -> Iterator[tuple[datetime, datetime]]:
    """Times it is open from yesterday on, spans that touch joined into one; unknown days count as closed."""
    joined: tuple[datetime, datetime] | None = None
    for offset in range(-1, _HORIZON_DAYS + 1):
        day = midnight + timedelta(days=offset)
        for start, end in week.on(day.date()) or ():
            span = day + timedelta(minutes=start), day + timedelta(minutes=end)
            if joined and span[0] <= joined[1]:
                joined = joined[0], max(joined[1], span[1])
                continue
            if joined:
                yield joined
            joined = span
    if joined:
        yield joined


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
        return "24/7"
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
