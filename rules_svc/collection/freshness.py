"""How old what is known of a region is, and whom to ask: told with every day that nobody checked with the district."""

import calendar
from datetime import date, datetime
from zoneinfo import ZoneInfo

from mesh.locale import Text

# Older than this, districts have often changed their days.
OLD_AFTER_YEARS = 2

SEOUL = ZoneInfo("Asia/Seoul")


def today_in_korea() -> date:
    """The date in Seoul."""
    return datetime.now(SEOUL).date()


def is_old(as_of: str, today: date) -> bool:
    """Whether a source's date is more than two years ago.

    Args:
        as_of: ISO 8601 to the year, the month or the day, each of which counts to its end; never old if empty.
        today: The date to count from.
    """
    return bool(as_of) and as_of < f"{today.year - OLD_AFTER_YEARS}{today:-%m-%d}"[: len(as_of)]


def advice(as_of: str, whom: Text, today: date) -> Text:
    """How old the data is, and whom to ask.

    Args:
        as_of: As for `is_old`; empty if the source has no date.
        whom: Who knows, such as "마포구청(02-3153-9180)".
        today: The date to count from.
    """
    ask = Text(f"{whom.ko}에 확인하세요.", f"Check with {whom.en}.")
    if not as_of:
        return Text(
            f"날짜를 알 수 없는 자료라 어림으로만 보고 {ask.ko}", f"The source has no date: a rule of thumb. {ask.en}"
        )
    age = told(as_of)
    if is_old(as_of, today):
        return Text(
            f"2년이 넘은 자료예요({age.ko}). 어림으로만 보고 {ask.ko}",
            f"The source is more than two years old ({age.en}): a rule of thumb. {ask.en}",
        )
    return Text(f"{age.ko} 자료예요. 바뀌었을 수 있으니 {ask.ko}", f"As of {age.en}; it may have changed. {ask.en}")


def told(as_of: str) -> Text:
    """A source's date as a person reads it, as exact as it is known; empty if it isn't."""
    year, *rest = as_of.split("-")
    numbers = [int(part) for part in rest]
    ko = " ".join(
        [f"{year}년" if year else "", *(f"{number}{unit}" for number, unit in zip(numbers, "월일", strict=False))]
    )
    en = " ".join([*(str(day) for day in numbers[1:]), *(calendar.month_name[month] for month in numbers[:1]), year])
    return Text(ko, en)
