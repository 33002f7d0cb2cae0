"""When a reminder is due: by evenings, in Korea, over midnight and the ends of months."""

from datetime import date, datetime, timedelta

import pytest

from scan_svc.mirrors.rules import EveningPlan, Outlook
from scan_svc.reminders.due import due, evening_of, is_quiet
from scan_svc.reminders.ics import SEOUL


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SEOUL)


def plan(day: str, opens: str = "", closes: str = "") -> EveningPlan:
    return EveningPlan(
        Outlook.TONIGHT, date=day, open_time=at(opens) if opens else None, close_time=at(closes) if closes else None
    )


@pytest.mark.parametrize(
    ("moment", "day"),
    [
        ("2026-12-31T23:59", date(2026, 12, 31)),
        ("2027-01-01T00:00", date(2026, 12, 31)),
        ("2027-01-01T04:59", date(2026, 12, 31)),
        ("2027-01-01T05:00", date(2027, 1, 1)),
        ("2028-03-01T01:00", date(2028, 2, 29)),
        ("2027-03-01T01:00", date(2027, 2, 28)),
    ],
)
def test_until_five_it_is_the_evening_before(moment: str, day: date) -> None:
    """As the rule book counts evenings."""
    assert evening_of(at(moment)) == day


@pytest.mark.parametrize(
    ("opens", "closes", "told"),
    [
        ("", "", "2026-12-31T19:00"),
        ("2026-12-31T18:00", "2027-01-01T00:00", "2026-12-31T19:00"),
        ("2026-12-31T20:00", "2027-01-01T05:00", "2026-12-31T20:00"),
        ("2026-12-31T21:30", "", "2026-12-31T21:30"),
        ("2026-12-31T23:00", "2027-01-01T05:00", "2026-12-31T21:30"),
        ("2026-12-31T15:00", "2026-12-31T18:30", "2026-12-31T15:00"),
    ],
    ids=["no hours", "six", "eight", "half past nine", "eleven", "afternoon"],
)
def test_at_seven_or_when_it_may_go_out(opens: str, closes: str, told: str) -> None:
    """But never when people sleep, nor after it was taken in."""
    assert due(plan("2026-12-31", opens, closes), at("2026-12-31T09:00")) == at(told)


@pytest.mark.parametrize(
    ("now", "told"),
    [
        ("2026-12-31T18:59", "2026-12-31T19:00"),
        ("2026-12-31T19:00", "2026-12-31T19:00"),
        ("2026-12-31T19:01", "2026-12-31T19:01"),
        ("2026-12-31T21:59", "2026-12-31T21:59"),
        ("2026-12-31T22:00", None),
        ("2026-12-31T23:59", None),
        ("2027-01-01T00:00", None),
        ("2027-01-01T08:30", None),
    ],
)
def test_who_asks_late_is_told_at_once_until_ten(now: str, told: str | None) -> None:
    """Then that evening is over, though it might still go out."""
    assert due(plan("2026-12-31"), at(now)) == (at(told) if told else None)


def test_what_was_taken_in_is_too_late() -> None:
    """By the minute."""
    early = plan("2026-12-31", "2026-12-31T18:00", "2026-12-31T20:00")
    assert due(early, at("2026-12-31T19:59")) == at("2026-12-31T19:59")
    assert due(early, at("2026-12-31T20:00")) is None


@pytest.mark.parametrize("outlook", [Outlook.UNKNOWN, Outlook.UNSPECIFIED])
def test_without_an_evening_nothing_is_due(outlook: Outlook) -> None:
    """Days are never made up."""
    assert due(EveningPlan(outlook), at("2026-12-31T09:00")) is None


@pytest.mark.parametrize("month", range(1, 13), ids=str)
def test_the_hours_are_the_same_all_year(month: int) -> None:
    """Korea has no summer time."""
    day = date(2027, month, 28)
    told = due(EveningPlan(Outlook.LATER, date=day.isoformat()), at(f"{day}T09:00"))
    assert told is not None
    assert told.utcoffset() == timedelta(hours=9)
    assert [is_quiet(at(f"{day}T{hour:02}:00")) for hour in (0, 7, 8, 21, 22, 23)] == [
        *(True, True, False, False, True, True),
    ]
