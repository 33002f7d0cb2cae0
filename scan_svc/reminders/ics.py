"""Events as iCalendar (RFC 5545): text that calendar apps read.

The same events give the same bytes, so an entity tag of them tells whether anything has changed: DTSTAMP, which is
meant to tell when an event was written, is the moment its calendar was made.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import icalendar

SEOUL = ZoneInfo("Asia/Seoul")

_PRODUCT = "-//Eco2//Reminders//KO"
# How often apps should look again; most do as they like.
_REFRESH = timedelta(hours=6)
_NIGHT_ENDS = time(5)
# When an all-day event reminds, from midnight at its day's beginning.
_EVENING = timedelta(hours=19)
_KST = timedelta(hours=9)
# What RFC 5545 has no way to write in a text: controls, but for the line break, which is escaped.
_UNWRITABLE = dict.fromkeys([*range(0x20), 0x7F], None) | {ord("\n"): "\n", ord("\t"): " "}


@dataclass(frozen=True, slots=True)
class CalendarEvent:
    """An evening in a calendar.

    Attributes:
        uid: The same for the same event however often it is told.
        day: The day it begins on, in Korea.
        opens: From when; None if no hour is known.
        closes: Until when; None if no hour is known.
        summary: One line.
        description: More lines.
        place: Where; may be empty.
        alarm: Whether it reminds as it begins.
    """

    uid: str
    day: date
    opens: datetime | None
    closes: datetime | None
    summary: str
    description: str
    place: str = ""
    alarm: bool = False


def written(events: Iterable[CalendarEvent], name: str, locale: str, stamp: datetime) -> bytes:
    """A calendar of these events.

    Args:
        events: The events.
        name: What the calendar is called.
        locale: The language of its texts.
        stamp: When it was made.
    """
    calendar = icalendar.Calendar()
    for key, value in (
        *(("prodid", _PRODUCT), ("version", "2.0"), ("method", "PUBLISH")),
        *(("name", _text(name)), ("x-wr-calname", _text(name)), ("x-wr-timezone", str(SEOUL))),
    ):
        calendar.add(key, value)
    calendar.add("refresh-interval", _REFRESH, parameters={"value": "DURATION"})
    calendar.add("x-published-ttl", icalendar.vDuration(_REFRESH))
    calendar.add_component(_korean_time())
    for event in events:
        calendar.add_component(_component(event, locale, stamp))
    return bytes(calendar.to_ical())


def _component(event: CalendarEvent, locale: str, stamp: datetime) -> icalendar.Event:
    component = icalendar.Event()
    component.add("uid", event.uid)
    component.add("dtstamp", stamp.replace(microsecond=0))
    for key, value in zip(("dtstart", "dtend"), _span(event), strict=True):
        component.add(key, value)
    language = {"language": locale}
    component.add("summary", _text(event.summary), parameters=language)
    component.add("description", _text(event.description), parameters=language)
    if event.place:
        component.add("location", _text(event.place), parameters=language)
    component.add("transp", "TRANSPARENT")  # nobody is busy all evening
    if event.alarm:
        component.add_component(_alarm(event))
    return component


def _span(event: CalendarEvent) -> tuple[date, date]:
    """From when until when: an evening without an end ends when the night does, one without hours is all of its day."""
    if event.opens is None:
        return event.day, event.day + timedelta(days=1)
    closes = event.closes or datetime.combine(event.day + timedelta(days=1), _NIGHT_ENDS, SEOUL)
    return event.opens.astimezone(SEOUL), closes.astimezone(SEOUL)


def _alarm(event: CalendarEvent) -> icalendar.Alarm:
    alarm = icalendar.Alarm()
    alarm.add("action", "DISPLAY")
    alarm.add("description", _text(event.summary))
    alarm.add("trigger", timedelta() if event.opens else _EVENING)
    return alarm


def _korean_time() -> icalendar.Timezone:
    """Korea's time, as it has been since 1988: no summer time."""
    zone, standard = icalendar.Timezone(), icalendar.TimezoneStandard()
    zone.add("tzid", str(SEOUL))
    standard.add("dtstart", datetime(1988, 10, 9))  # local time, as RFC 5545 wants it here
    standard.add("tzoffsetfrom", _KST)
    standard.add("tzoffsetto", _KST)
    standard.add("tzname", "KST")
    zone.add_component(standard)
    return zone


def _text(said: str) -> icalendar.vText:
    """Escaped, also where the library knows no type."""
    return icalendar.vText(said.translate(_UNWRITABLE))
