"""Plans for an evening: whether something can be put out where somebody lives, and if not, when."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from mesh.locale import Text
from rules_svc.rulebook.evenings import Evening, evenings
from rules_svc.rulebook.freshness import is_old
from rules_svc.rulebook.regions import ResolvedRegion
from rules_svc.rulebook.rulebook import MatchedRules, Rulebook
from rules_svc.rulebook.rules import Rule
from rules_svc.rulebook.taxonomy import Path, lineage

UNKNOWN: Path = ("미분류",)

_WEEKDAYS = tuple(
    Text(ko, en)
    for ko, en in (
        ("월요일", "Monday"), ("화요일", "Tuesday"), ("수요일", "Wednesday"), ("목요일", "Thursday"),
        ("금요일", "Friday"), ("토요일", "Saturday"), ("일요일", "Sunday"),
    )
)  # fmt: skip
_UNKNOWN = Text("언제 내놓는지 요일을 알 수 없어요.", "The days aren't known.")


@dataclass(frozen=True, slots=True)
class AskedEvening:
    """The evening somebody asks about.

    Attributes:
        day: The day it begins on.
        moment: The time now, if it is this very evening, of which only what is left counts; else None.
    """

    day: date
    moment: datetime | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """When something can be put out.

    Attributes:
        rule: The rule to follow.
        matched: The rules that apply, and whose they are.
        evening: The next evening on which it goes out; None if that isn't known.
        tonight: Whether that is the one asked about.
        text: One sentence to the user.
    """

    rule: Rule
    matched: MatchedRules
    evening: Evening | None
    tonight: bool
    text: Text


def plan(book: Rulebook, path: Path, tags: Sequence[str], where: ResolvedRegion, asked: AskedEvening) -> Plan:
    """When something can be put out, from the evening asked about on.

    Args:
        book: The rules.
        path: What it is.
        tags: Its situation.
        where: Where it is.
        asked: The evening.

    A category or a tag that an earlier edition of the rule book had counts as the wider one, or as none.
    """
    known = next((one for one in lineage(path) if one in book.taxonomy), UNKNOWN)
    matched = book.match_in(known, [tag for tag in tags if tag in book.tags], where, asked.day)
    rule = matched.rules[0]
    coming = evenings(rule.hours, asked.day) if rule.hours else iter(())
    evening = next((one for one in coming if asked.moment is None or not one.over(asked.moment)), None)
    tonight = evening is not None and evening.day == asked.day
    text = _UNKNOWN if evening is None else _sentence(evening, asked, rule.hours_as_of)
    return Plan(rule, matched, evening, tonight, text)


def _sentence(evening: Evening, asked: AskedEvening, as_of: str) -> Text:
    """When, with its hours; with how old the source is, if that makes it a rule of thumb."""
    today = asked.moment is not None and evening.day == asked.day
    ko, en = ("오늘 저녁", "this evening") if today else _dated(evening.day)
    hours = _hours(evening)
    if is_old(as_of, asked.day):
        year = as_of[:4]
        return Text(
            f"{year}년 자료로는 {ko}{hours.ko}에 내놓을 수 있어요.", f"As of {year} it could go out {en}{hours.en}."
        )
    return Text(f"{ko}{hours.ko}에 내놓을 수 있어요.", f"It can go out {en}{hours.en}.")


def _dated(day: date) -> tuple[str, str]:
    weekday = _WEEKDAYS[day.weekday()]
    return f"{day.month}월 {day.day}일 {weekday.ko} 저녁", f"on the evening of {weekday.en}, {day.day} {day:%B}"


def _hours(evening: Evening) -> Text:
    """Its hours, to follow the day; empty if none is known."""
    if evening.opens is None:
        return Text("", "")
    opens = f"{evening.opens:%H:%M}"
    if evening.closes is None:
        return Text(f" {opens} 이후", f", from {opens}")
    ends = f"{evening.closes:%H:%M}" if evening.closes.time().isoformat() != "00:00:00" else "24:00"
    next_day = ends != "24:00" and evening.closes.date() > evening.day
    return Text(f" {opens}~{'다음 날 ' * next_day}{ends}", f", {opens} to {ends}")
