"""Evenings on which waste may be put out: weekdays, hours past midnight, seasons and Korea's public holidays."""

import re
import shutil
from datetime import UTC, date, datetime
from pathlib import Path

import msgspec
import pytest

from rules_svc.collection.evenings import Evening, evening_of, evening_on, evenings, read
from rules_svc.collection.freshness import SEOUL
from rules_svc.loading import loader
from rules_svc.rulebook.rulebook import Rulebook

# A Monday, with no public holiday near.
MONDAY = date(2026, 11, 30)


def korean(day: int, hour: int, minute: int = 0) -> datetime:
    """A moment in Korea in December 2026."""
    return datetime(2026, 12, day, hour, minute, tzinfo=SEOUL)


@pytest.mark.parametrize(
    ("hours", "day", "expected"),
    [
        pytest.param("Su-Th 18:00-24:00", date(2026, 12, 3), (korean(3, 18), korean(4, 0)), id="until midnight"),
        pytest.param("Mo-Fr 20:00-05:00", date(2026, 12, 4), (korean(4, 20), korean(5, 5)), id="until the morning"),
        pytest.param("Mo-Fr 20:00-05:00", date(2026, 12, 5), None, id="the morning is no evening of its own"),
        pytest.param("Mo-Su 15:00-04:00", date(2026, 12, 5), (korean(5, 15), korean(6, 4)), id="from the afternoon"),
        pytest.param("Mo-Su 06:00-09:00", date(2026, 12, 5), None, id="mornings only"),
        pytest.param("Su-Th", date(2026, 12, 3), (None, None), id="no hours known"),
        pytest.param("Su-Th", date(2026, 12, 5), None, id="no hours known, another day"),
        pytest.param("Mo,Th 20:00+", date(2026, 12, 3), (korean(3, 20), None), id="no end known"),
        pytest.param("24/7", date(2026, 12, 3), (None, None), id="always"),
    ],
)
def test_an_evening_has_the_hours_that_the_region_gives(
    hours: str, day: date, expected: tuple[datetime | None, datetime | None] | None
) -> None:
    """Hours that nobody published are not made up."""
    assert evening_on(hours, day) == (Evening(day, *expected) if expected else None)


def test_seasons_have_hours_of_their_own() -> None:
    """마포구 begins an hour later in summer."""
    hours = "Nov-Mar Su-Th 18:00-24:00; Apr-Oct Su-Th 19:00-24:00"
    opened = [evening_on(hours, day) for day in (date(2026, 7, 6), date(2026, 12, 7))]
    assert [one.opens.hour for one in opened if one and one.opens] == [19, 18]


@pytest.mark.parametrize(
    ("holiday", "named"),
    [
        (date(2026, 2, 17), "Seollal, by the lunar calendar"),
        (date(2026, 9, 25), "Chuseok, by the lunar calendar"),
        (date(2026, 3, 2), "the substitute of 1 March, a Sunday"),
        (date(2026, 12, 25), "Christmas"),
        (date(2027, 1, 1), "New Year's Day, whose eve is in another year"),
    ],
)
def test_public_holidays_are_koreas(holiday: date, named: str) -> None:
    """Those without a fixed date too; and some regions rest on the eve."""
    assert evening_on("Mo-Su 20:00-24:00; PH off", holiday) is None, named
    eve = date.fromordinal(holiday.toordinal() - 1)
    assert evening_on("Mo-Su 20:00-24:00; PH -1 day off", eve) is None, named


@pytest.mark.parametrize(
    ("moment", "evening"),
    [
        (datetime(2026, 12, 1, 4, 59, tzinfo=SEOUL), MONDAY),
        (datetime(2026, 12, 1, 5, 0, tzinfo=SEOUL), date(2026, 12, 1)),
        (datetime(2026, 11, 30, 16, 0, tzinfo=UTC), MONDAY),
    ],
)
def test_after_midnight_it_is_still_the_evening_before(moment: datetime, evening: date) -> None:
    """Who comes home at one in the morning may still put out Monday's waste."""
    assert evening_of(moment) == evening


def test_an_evening_is_over_when_its_hours_are() -> None:
    """Without hours, when the night is."""
    assert Evening(MONDAY, korean(1, 0), korean(1, 2)).over(korean(1, 2))
    assert not Evening(MONDAY, korean(1, 0), korean(1, 2)).over(korean(1, 1, 59))
    assert not Evening(MONDAY).over(korean(1, 4, 59))
    assert Evening(MONDAY).over(korean(1, 5))


def test_the_next_evenings_follow_in_order() -> None:
    """What can't go out today can be told a day."""
    assert [one.day.day for one in evenings("Tu,Sa 20:00-24:00", date(2026, 12, 2))] == [5, 8, 12, 15]


def test_hours_that_cannot_be_read_are_refused() -> None:
    """When the rule book is loaded, not when somebody asks."""
    with pytest.raises(ValueError, match="always at dusk"):
        read("always at dusk")


WEEK = [date(2026, 12, day) for day in range(7, 14)]
DAYS = "월화수목금토일"
EVERY_DAY = frozenset(DAYS)


def test_what_people_read_and_what_is_reckoned_with_name_the_same_days(book: Rulebook) -> None:
    """A day that stands in one of them alone would send somebody out on the wrong evening."""
    compared, differing = 0, []
    for overlay in [overlay for overlays in book.regions.overlays.values() for overlay in overlays]:
        for stream, collection in overlay.collections.items():
            if collection.hours:
                assert collection.when, (overlay.key, stream)
                put_out = {DAYS[day.weekday()] for day in WEEK if evening_on(collection.hours, day)}
                compared += 1
                if put_out != told(collection.when.ko):
                    differing.append((overlay.key, stream, collection.when.ko, collection.hours))
    assert differing == []
    assert compared >= 40


def test_a_region_whose_hours_cannot_be_read_is_refused(tmp_path: Path) -> None:
    """With the file's name, and the rule book before stays."""
    shutil.copytree(str(loader.DATA), tmp_path / "book")
    file = tmp_path / "book" / "regions" / "11_seoul.yaml"
    file.write_text(file.read_text("utf-8").replace('hours: "Th 20:00-05:00"', 'hours: "Donnerstags"'), "utf-8")
    with pytest.raises(msgspec.ValidationError, match="Donnerstags") as refused:
        loader.load(tmp_path / "book")
    assert refused.value.__notes__ == ["in 11_seoul.yaml"]


def told(when: str) -> set[str]:
    """The days that a Korean text names first."""
    if named := re.search(rf"([{DAYS}])요일부터 ([{DAYS}])요일까지", when):
        first, last = (DAYS.index(day) for day in named.groups())
        return {DAYS[(first + offset) % 7] for offset in range((last - first) % 7 + 1)}
    if resting := re.search(
        rf"([{DAYS}])요일(?:을 빼고|과 공휴일 전날은 쉬어요| 12시부터 일요일 20시까지는 내놓지)", when
    ):
        return set(EVERY_DAY - {resting[1]})
    if "매일" in when:
        return set(EVERY_DAY)
    found = re.search(rf"(?:[{DAYS}]·)*[{DAYS}]요일", when)
    return set(re.findall(rf"[{DAYS}](?=·|요일)", found[0])) if found else set()
