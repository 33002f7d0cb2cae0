"""Plans for an evening: whether something can be put out where somebody lives, and if not, when."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from mesh.locale import Text
from rules_svc.collection.evenings import Evening, evenings
from rules_svc.collection.freshness import is_old, told
from rules_svc.collection.public_holidays import in_long_holiday
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
_NOTHING = Text("", "")
_LONG_HOLIDAY = Text(
    " 설·추석 연휴에는 지역마다 쉬는 날을 따로 정하니 구청이나 주민센터의 안내를 확인하세요.",
    " Around Seollal and Chuseok each district announces its own days: check with the community centre (주민센터).",
)
_NO_REGION = Text(
    "사는 곳을 몰라 요일을 알 수 없어요. 시·군·구를 알려 주세요.",
    "The days aren't known without your city or district.",
)
_NO_DAYS = Text(
    "이 지역의 요일은 동네마다 다르거나 아직 자료가 없어요. 주민센터에 물어보세요.",
    "The days there depend on the neighbourhood, or we don't have them: ask the community centre (주민센터).",
)
_NO_EVENING = Text(
    "정해진 저녁에 내놓는 품목이 아니에요. 내놓는 방법을 따라 주세요.",
    "It isn't put out by the evening; follow its steps.",
)


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
    text = _why_unknown(rule, where) if evening is None else _sentence(evening, asked, rule)
    return Plan(rule, matched, evening, tonight, text)


def _why_unknown(rule: Rule, where: ResolvedRegion) -> Text:
    """Why no evening is known."""
    if rule.stream is None or not rule.stream.by_evening:
        return _NO_EVENING
    return _NO_DAYS if where.region else _NO_REGION


def _sentence(evening: Evening, asked: AskedEvening, rule: Rule) -> Text:
    """When, with its hours and how old the source is: an old one, or one without a date, is a rule of thumb."""
    today = asked.moment is not None and evening.day == asked.day
    day = Text("오늘 저녁", "this evening") if today else _dated(evening.day)
    as_of = rule.hours_as_of
    hours, age = _hours(evening, rule.times_as_of), told(as_of)
    more = _LONG_HOLIDAY if in_long_holiday(evening.day) else _NOTHING
    korean, english = f"{day.ko}{hours.ko}에 내놓을 수 있어요", f"go out {day.en}{hours.en}"
    if not as_of:
        return Text(
            f"날짜를 알 수 없는 자료로는 {korean}.{more.ko}", f"By an undated source it could {english}.{more.en}"
        )
    if is_old(as_of, asked.day):
        return Text(f"{age.ko} 자료로는 {korean}.{more.ko}", f"As of {age.en} it could {english}.{more.en}")
    return Text(f"{korean}({age.ko} 자료).{more.ko}", f"It can {english} (as of {age.en}).{more.en}")


def _dated(day: date) -> Text:
    weekday = _WEEKDAYS[day.weekday()]
    return Text(f"{day.month}월 {day.day}일 {weekday.ko} 저녁", f"on the evening of {weekday.en}, {day.day} {day:%B}")


def _hours(evening: Evening, as_of: str) -> Text:
    """Its hours, to follow the day, with their date if they have one of their own; empty if none is known."""
    if evening.opens is None:
        return _NOTHING
    opens, age = f"{evening.opens:%H:%M}", told(as_of)
    dated = Text(f"({age.ko} 자료)", f", hours as of {age.en}") if as_of else _NOTHING
    if evening.closes is None:
        return Text(f" {opens} 이후{dated.ko}", f", from {opens}{dated.en}")
    ends = f"{evening.closes:%H:%M}" if evening.closes.time().isoformat() != "00:00:00" else "24:00"
    next_day = ends != "24:00" and evening.closes.date() > evening.day
    return Text(f" {opens}~{'다음 날 ' * next_day}{ends}{dated.ko}", f", {opens} to {ends}{dated.en}")
