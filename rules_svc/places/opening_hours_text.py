"""Reads opening hours as Korean data sets write them, and writes them for users in either language."""

import re
from datetime import datetime

from mesh.locale import Locale, Text
from rules_svc.places.opening_hours import (
    DAYS,
    SEOUL,
    WHOLE_DAY,
    Opening,
    OpeningState,
    Span,
    WeeklyHours,
    clock,
    runs,
    written,
)

_KOREAN_DAYS = "월화수목금토일"
_ENGLISH_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")

_ALWAYS = re.compile(r"(연중무휴|상시|항시|매일)?(24시간)?(연중무휴|상시개방|상시|개방|운영|이용가능)*")
_DAY = rf"[{_KOREAN_DAYS}](?:요일)?"
_DAYS = rf"(?:{_DAY}(?:[~-]{_DAY})?)(?:[,·]{_DAY}(?:[~-]{_DAY})?)*|평일|주중|주말|매일|연중무휴|공휴일|토·?일요일"
_CLOCK = r"(?:[01]?\d|2[0-4])(?::[0-5]\d|시(?:[0-5]\d분|반)?)"
_RULE = re.compile(rf"(?P<days>{_DAYS}):?(?:(?P<from>{_CLOCK})[~-](?P<to>{_CLOCK})|(?P<off>휴무|휴관|휴점|정기휴무))")
_NAMED = {"평일": range(5), "주중": range(5), "주말": (5, 6), "매일": range(7), "연중무휴": range(7)}


def from_korean(text: str) -> str:
    """Hours of a public data set in our own notation; empty if any part of them isn't understood.

    "평일 09:00~18:00, 토요일 09:00~13:00, 공휴일 휴무" becomes "Mo-Fr 09:00-18:00; Sa 09:00-13:00; PH off". A time
    without days isn't understood: it could mean working days or all of them.
    """
    compact = re.sub(r"\s+", "", text).translate(str.maketrans("∼～–—：()/;", "~~--:,,,,"))
    if not compact:
        return ""
    if _ALWAYS.fullmatch(compact) and ("24시간" in compact or compact in ("상시", "항시", "상시개방")):
        return "24/7"
    days: list[tuple[Span, ...]] = [()] * 7
    holidays: tuple[Span, ...] | None = None
    position, understood = 0, False
    while position < len(compact):
        if compact[position] in ",·+":
            position += 1
            continue
        found = _RULE.match(compact, position)
        spans = found and _korean_spans(found)
        if not found or spans is None:
            return ""
        position, understood = found.end(), True
        if found["days"] == "공휴일":
            holidays = spans
        for day in _korean_days(found["days"]):
            days[day] = spans
    return written(WeeklyHours(tuple(days), holidays)) if understood and any(days) else ""


def hours_text(week: WeeklyHours) -> Text:
    """Weekly hours as a person reads them."""
    if week.always:
        return Text("24시간", "24 hours")
    ko = [f"{_days_told(run, Locale.KO)} {_spans_told(spans)}" for run, spans in runs(week) if spans]
    en = [f"{_days_told(run, Locale.EN)} {_spans_told(spans)}" for run, spans in runs(week) if spans]
    if week.holidays is not None:
        ko.append(f"공휴일 {_spans_told(week.holidays) or '휴무'}")
        en.append(f"public holidays {_spans_told(week.holidays) or 'closed'}")
    return Text(", ".join(ko), ", ".join(en))


def opening_phrase(opening: Opening) -> Text:
    """One phrase on whether a place is open."""
    match opening.state:
        case OpeningState.OPEN if opening.changes_at is None:
            text = Text("지금 열려 있어요", "Open now")
        case OpeningState.OPEN:
            text = _until(opening.changes_at, opening.checked_at)
        case OpeningState.CLOSED:
            text = _closed(opening)
        case _:
            return Text("여는 시간은 확인이 필요해요", "Opening hours unknown")
    if not opening.may_differ_on_holidays:
        return text
    return Text(f"{text.ko} (공휴일에는 다를 수 있어요)", f"{text.en} (may differ on public holidays)")


def _until(at: datetime | None, now: datetime) -> Text:
    ko, en = _moment(at, now) if at else ("", "")
    return Text(f"지금 열려 있어요 · {ko}까지", f"Open now, until {en}")


def _closed(opening: Opening) -> Text:
    if opening.changes_at is None:
        return Text("지금은 닫혀 있어요", "Closed now")
    ko, en = _moment(opening.changes_at, opening.checked_at)
    return Text(f"지금은 닫혀 있어요 · {ko}에 열어요", f"Closed now, opens {en}")


def _moment(at: datetime, now: datetime) -> tuple[str, str]:
    """A time within the next week, relative to today, in both languages."""
    days, time = (at.date() - now.astimezone(SEOUL).date()).days, f"{at:%H:%M}"
    if days == 0:
        return time, time
    if days == 1:
        return f"내일 {time}", f"tomorrow {time}"
    return f"{_KOREAN_DAYS[at.weekday()]}요일 {time}", f"{_ENGLISH_DAYS[at.weekday()]} {time}"


def _korean_spans(found: re.Match[str]) -> tuple[Span, ...] | None:
    """The times of a rule; None if there are no such times."""
    if found["off"]:
        return ()
    start, end = _minutes(found["from"]), _minutes(found["to"])
    if start >= 1440 or end > 1440 or start == end:
        return (WHOLE_DAY,) if (start, end) in ((0, 0), (1440, 1440)) else None
    return ((start, end if end > start else end + 1440),)


def _minutes(text: str) -> int:
    hour, minute = re.match(r"(\d+)(?::(\d+)|시(?:(\d+)분|반)?)", text).group(1, 2)  # type: ignore[union-attr]
    half = re.search(r"시(?:(\d+)분|(반))", text)
    extra = (30 if half[2] else int(half[1])) if half else int(minute or 0)
    return int(hour) * 60 + extra


def _korean_days(text: str) -> list[int]:
    if text in _NAMED:
        return list(_NAMED[text])
    if text == "공휴일":
        return []
    found: list[int] = []
    for part in re.split(r"[,·]", text.replace("요일", "")):
        first, dash, last = re.sub("-", "~", part).partition("~")
        if not dash:
            found += [_KOREAN_DAYS.index(day) for day in first]
            continue
        start = _KOREAN_DAYS.index(first)
        length = (_KOREAN_DAYS.index(last) - start) % 7
        found += [(start + offset) % 7 for offset in range(length + 1)]
    return found


def _days_told(run: object, locale: Locale) -> str:
    days = list(run)  # type: ignore[call-overload]
    if len(days) == len(DAYS):
        return "매일" if locale is Locale.KO else "Daily"
    if days == [0, 1, 2, 3, 4] and locale is Locale.KO:
        return "평일"
    names = _KOREAN_DAYS if locale is Locale.KO else _ENGLISH_DAYS
    return names[days[0]] if len(days) == 1 else f"{names[days[0]]}–{names[days[-1]]}"


def _spans_told(spans: tuple[Span, ...]) -> str:
    return ", ".join("24:00" if span == WHOLE_DAY else f"{clock(span[0])}–{clock(span[1])}" for span in spans)
