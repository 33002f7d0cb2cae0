"""When a reminder is due. Evenings are Korea's, which has no summer time."""

from datetime import date, datetime, time, timedelta

from scan_svc.mirrors.rules import EveningPlan, Outlook
from scan_svc.reminders.ics import SEOUL

# When people are at home; and until when nobody is woken.
_SEVEN, _LATEST, _QUIET, _MORNING = time(19), time(21, 30), time(22), time(8)
_NIGHT_ENDS = time(5)
_DAY = timedelta(days=1)
MOST_AHEAD = timedelta(days=14)


def evening_of(moment: datetime) -> date:
    """The day whose evening a moment belongs to: until five in the morning it is still the one before."""
    local = moment.astimezone(SEOUL)
    return local.date() - _DAY if local.time() < _NIGHT_ENDS else local.date()


def is_quiet(moment: datetime) -> bool:
    """Whether people sleep."""
    local = moment.astimezone(SEOUL).time()
    return local >= _QUIET or local < _MORNING


def due(plan: EveningPlan, now: datetime) -> datetime | None:
    """When to remind of a thing by the evening that its plan names.

    At seven, or as soon as it may be put out if that is later, but by half past nine; at once if that is past, as long
    as nobody sleeps yet and the thing may still go out.

    Returns:
        None if the evening is over, or too far gone, or there is none.
    """
    if plan.outlook not in (Outlook.TONIGHT, Outlook.LATER) or not plan.date:
        return None
    day = date.fromisoformat(plan.date)
    planned = _planned(plan, day)
    if now <= planned:
        return planned
    ends = plan.close_time or datetime.combine(day + _DAY, _NIGHT_ENDS, SEOUL)
    return now if evening_of(now) == day and now < ends and not is_quiet(now) else None


def _planned(plan: EveningPlan, day: date) -> datetime:
    seven, latest = datetime.combine(day, _SEVEN, SEOUL), datetime.combine(day, _LATEST, SEOUL)
    opens = plan.open_time or seven
    planned = min(max(opens, seven), latest)
    # What is taken in before seven is told of when it may be put out.
    return opens if plan.close_time and plan.close_time <= planned else planned
