"""Calendars as text, read again by another library that takes nothing but RFC 5545."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from ical.calendar import Calendar
from ical.calendar_stream import IcsCalendarStream

from scan_svc.reminders.ics import SEOUL, CalendarEvent, written

STAMP = datetime(2026, 11, 30, 3, 0, 0, 123456, tzinfo=UTC)
EVENING = CalendarEvent(
    uid="a@eco2.app",
    day=date(2026, 12, 31),
    opens=datetime(2026, 12, 31, 11, 0, tzinfo=UTC),
    closes=datetime(2026, 12, 31, 20, 0, tzinfo=UTC),
    summary="내놓을 것: 비닐류",
    description="비닐류: 비닐 수거함",
    place="집 앞",
    alarm=True,
)


def text(*events: CalendarEvent, name: str = "Eco² 분리배출") -> str:
    return written(events, name, "ko", STAMP).decode("utf-8")


def read(content: str) -> Calendar:
    return IcsCalendarStream.calendar_from_ics(content)


def test_an_evening_comes_back_as_it_was() -> None:
    """In Korean time, over the year's end; it reminds as it begins."""
    content = text(EVENING)
    (event,) = read(content).events
    assert (event.uid, event.summary, event.description, event.location) == (
        *("a@eco2.app", "내놓을 것: 비닐류", "비닐류: 비닐 수거함", "집 앞"),
    )
    assert event.dtstart == datetime(2026, 12, 31, 20, 0, tzinfo=SEOUL)
    assert event.dtend == datetime(2027, 1, 1, 5, 0, tzinfo=SEOUL)
    assert "DTSTART;TZID=Asia/Seoul:20261231T200000\r\n" in content
    (alarm,) = event.alarm
    assert alarm.trigger == timedelta()


@pytest.mark.parametrize(
    ("day", "ends"),
    [
        (date(2026, 12, 31), date(2027, 1, 1)),
        (date(2027, 2, 28), date(2027, 3, 1)),
        (date(2028, 2, 28), date(2028, 2, 29)),
        (date(2028, 2, 29), date(2028, 3, 1)),
    ],
    ids=str,
)
def test_an_evening_without_hours_is_all_of_its_day(day: date, ends: date) -> None:
    """It ends on the next one, exclusively, and reminds at seven in the evening."""
    (event,) = read(text(replace(EVENING, day=day, opens=None, closes=None))).events
    assert (event.dtstart, event.dtend) == (day, ends)
    assert event.alarm[0].trigger == timedelta(hours=19)


def test_an_evening_without_an_end_ends_with_the_night() -> None:
    """Not at once, as RFC 5545 would read an event without an end."""
    (event,) = read(text(replace(EVENING, closes=None))).events
    assert event.dtend == datetime(2027, 1, 1, 5, 0, tzinfo=SEOUL)


def test_midnight_is_the_next_day_in_korea() -> None:
    """Hours that end at 24:00, and begin on a day that is still yesterday's in UTC."""
    until = replace(
        EVENING,
        day=date(2027, 3, 1),
        opens=datetime(2027, 2, 28, 15, 0, tzinfo=UTC),
        closes=datetime(2027, 3, 1, 15, 0, tzinfo=UTC),
    )
    (event,) = read(text(until)).events
    assert (event.dtstart, event.dtend) == (
        datetime(2027, 3, 1, 0, 0, tzinfo=SEOUL),
        datetime(2027, 3, 2, 0, 0, tzinfo=SEOUL),
    )


@pytest.mark.parametrize("month", range(1, 13), ids=str)
def test_korea_has_no_summer_time(month: int) -> None:
    """The zone that is sent along says so: the same hour in every month, for apps that don't know Asia/Seoul."""
    opens = datetime(2027, month, 15, 20, 0, tzinfo=SEOUL)
    content = text(replace(EVENING, opens=opens, closes=None))
    assert f"DTSTART;TZID=Asia/Seoul:2027{month:02}15T200000\r\n" in content
    zone = content[content.index("BEGIN:VTIMEZONE") : content.index("END:VTIMEZONE")]
    assert zone.count("BEGIN:STANDARD") == 1
    assert "DAYLIGHT" not in zone
    assert {line for line in zone.split("\r\n") if "OFFSET" in line} == {"TZOFFSETFROM:+0900", "TZOFFSETTO:+0900"}


HOSTILE = 'a;b,c\\d"e:f\nBEGIN:VEVENT\nUID:forged\r\nATTENDEE:mailto:x@example.com\x00\x07\x1b\x7f {things}'


def test_what_people_write_is_text_and_nothing_else() -> None:
    """A house's name may hold what would be a line of its own; what can't be written is left out."""
    event = replace(EVENING, summary=HOSTILE, description=HOSTILE, place=HOSTILE)
    calendar = read(text(event, name=HOSTILE))
    (only,) = calendar.events
    said = 'a;b,c\\d"e:f\nBEGIN:VEVENT\nUID:forged\nATTENDEE:mailto:x@example.com {things}'
    assert (only.summary, only.description, only.location) == (said, said, said)
    assert (only.uid, only.attendees) == ("a@eco2.app", [])


@pytest.mark.parametrize("letter", ["a", "é", "가", "🗑"])
def test_lines_are_folded_at_75_octets(letter: str) -> None:
    """Between characters, never within one, whatever their length."""
    content = written([replace(EVENING, summary=letter * 500)], letter * 200, "ko", STAMP)
    lines = content.split(b"\r\n")
    assert max(map(len, lines)) <= 75
    assert [line.decode("utf-8") for line in lines]
    assert b"\n" not in b"".join(lines)
    (event,) = read(content.decode("utf-8")).events
    assert event.summary == letter * 500


def test_the_same_events_are_the_same_bytes() -> None:
    """An entity tag is made of them."""
    assert text(EVENING) == text(EVENING)
    assert text(EVENING) != text(replace(EVENING, summary="내놓을 것: 종이류"))


def test_a_calendar_may_be_empty() -> None:
    """Nothing scanned, nothing known: an app must still take it."""
    assert read(text()).events == []
