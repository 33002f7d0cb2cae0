"""A user's calendar: made, read at its address, ended."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby
from typing import Protocol

from mesh.errors import NotFound
from mesh.locale import Locale
from mesh.reasons import Reason
from scan_svc.mirrors.rules import CollectionDays
from scan_svc.reminders import calendars, ics, texts
from scan_svc.reminders.calendar_store import CalendarStore
from scan_svc.reminders.calendars import Calendar
from scan_svc.reminders.ics import CalendarEvent
from scan_svc.scans import EveningRequest
from scan_svc.schedule import EveningSchedule, Scheduled

_SECONDS = 5.0
_DOMAIN = "eco2.app"


class CollectionDaysSource(Protocol):
    """The rule book's days: `scan_svc.pipeline.clients.RulesPeer`."""

    async def collections(self, region: str, building: str, locale: Locale, deadline: float) -> CollectionDays:
        """What a region or a building collects on the evenings of two weeks."""


@dataclass(frozen=True, slots=True)
class Feed:
    """A calendar as it is sent.

    Attributes:
        content: iCalendar.
        tag: Changes with the content; in quotes, as HTTP wants it.
    """

    content: bytes
    tag: str


class CalendarFeed:
    """The calendars of users.

    Args:
        store: Which there are.
        schedule: When what was scanned goes out.
        days: What regions collect.
        demand_building: Raises NotFound if there is no building with a code.
        entropy: So many random bytes.
    """

    def __init__(
        self,
        store: CalendarStore,
        schedule: EveningSchedule,
        days: CollectionDaysSource,
        demand_building: Callable[[str, str], Awaitable[None]],
        entropy: Callable[[int], bytes],
    ) -> None:
        self._store = store
        self._schedule = schedule
        self._days = days
        self._demand_building = demand_building
        self._entropy = entropy

    async def create(self, user_id: str, region: str, building: str, locale: Locale) -> tuple[Calendar, str]:
        """Gives a user's calendar a new address, and ends the former one.

        Returns:
            The calendar, and the path with the secret, which isn't kept.

        Raises:
            NotFound: BUILDING_UNKNOWN.
        """
        if building:
            await self._demand_building(building, user_id)
        key = calendars.new_key(self._entropy(calendars.KEY_BYTES))
        calendar = await self._store.put(user_id, calendars.digest(key), region, building, locale)
        return calendar, calendars.path(key)

    async def end(self, user_id: str) -> None:
        """Ends a user's calendar."""
        await self._store.remove(user_id)

    async def read(self, key: str) -> Feed:
        """The calendar at an address.

        Raises:
            NotFound: There is none.
            Unavailable: The rule book is away: an empty calendar would delete what apps have.
        """
        calendar = await self._store.find(calendars.digest(key))
        if calendar is None:
            raise NotFound(Reason.CALENDAR_NOT_FOUND)
        asked = EveningRequest(calendar.user_id, calendar.region, calendar.building, None, calendar.locale)
        evening, days = await asyncio.gather(self._schedule.evening(asked), self._collected(calendar))
        events = [*_of_things(calendar, (*evening.tonight, *evening.later)), *_of_days(calendar, days)]
        name = texts.CALENDAR_NAME[calendar.locale]
        content = ics.written(events, name, calendar.locale, calendar.created_at)
        return Feed(content, f'"{hashlib.sha256(content).hexdigest()[:32]}"')

    async def _collected(self, calendar: Calendar) -> CollectionDays:
        if not calendar.region and not calendar.building:
            return CollectionDays()
        return await self._days.collections(calendar.region, calendar.building, calendar.locale, _SECONDS)


def _of_things(calendar: Calendar, things: Sequence[Scheduled]) -> Iterator[CalendarEvent]:
    """For each evening and its hours one event with all that goes out."""

    def span(one: Scheduled) -> tuple[str, str, str]:
        return (one.plan.date, _written(one.plan.open_time), _written(one.plan.close_time))

    for (day, opens, _), together in groupby(sorted(things, key=span), span):
        alike = list(together)
        names = list(dict.fromkeys(filter(None, map(_name, alike))))
        plan = alike[0].plan
        places = {one.plan.rule.place for one in alike if one.plan.rule and one.plan.rule.place}
        yield CalendarEvent(
            uid=_uid(calendar, "things", day, opens),
            day=date.fromisoformat(day),
            opens=plan.open_time,
            closes=plan.close_time,
            summary=texts.PUT_OUT[calendar.locale].format(things=", ".join(names)),
            description="\n".join(dict.fromkeys(map(_line, alike))),
            place=", ".join(sorted(places)),
            alarm=True,
        )


def _of_days(calendar: Calendar, days: CollectionDays) -> Iterator[CalendarEvent]:
    """For each evening one event for all that is collected together."""
    for one in days.collections:
        as_of = texts.AS_OF[calendar.locale].format(day=one.as_of) if one.as_of else texts.UNDATED[calendar.locale]
        for evening in one.evenings:
            yield CalendarEvent(
                uid=_uid(calendar, "collected", *one.streams, evening.date),
                day=date.fromisoformat(evening.date),
                opens=evening.open_time,
                closes=evening.close_time,
                summary=texts.COLLECTED[calendar.locale].format(things=one.display_name),
                description=as_of,
                place=days.display_name,
            )


def _name(one: Scheduled) -> str:
    return one.scan.results.vision.display_name if one.scan.results.vision else ""


def _line(one: Scheduled) -> str:
    """What it is, and into which bag or bin it goes."""
    container = one.plan.rule.container if one.plan.rule else ""
    return f"{_name(one)}: {container}" if container else _name(one)


def _written(moment: datetime | None) -> str:
    return moment.isoformat() if moment else ""


def _uid(calendar: Calendar, *about: str) -> str:
    """Of no more than what the event is about, so that it stays while names, containers and languages change."""
    return f"{hashlib.sha256('/'.join((calendar.calendar_id, *about)).encode()).hexdigest()[:32]}@{_DOMAIN}"
