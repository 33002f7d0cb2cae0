"""What regions collect on which evenings."""

from datetime import UTC, date, datetime, timedelta

import pytest

from rules_svc.collection.evenings import evening_of
from rules_svc.collection.streams import NAMES, Stream
from rules_svc.rulebook.collection_days import CollectionDays, collection_days
from rules_svc.rulebook.plans import AskedEvening, plan
from rules_svc.rulebook.rulebook import Rulebook

TUESDAY = AskedEvening(date(2026, 12, 1))


def days(book: Rulebook, region: str, asked: AskedEvening = TUESDAY) -> dict[str, CollectionDays]:
    return {one.name.ko: one for one in collection_days(book, book.regions.find(region), asked)}


def test_what_goes_out_together_is_told_as_one(book: Rulebook) -> None:
    """Recyclables by that name, but for those with an evening of their own."""
    found = days(book, "마포구")
    assert list(found) == ["일반쓰레기, 음식물쓰레기", "재활용품", "투명 페트병, 비닐"]
    film = found["투명 페트병, 비닐"]
    assert [evening.day for evening in film.evenings] == [date(2026, 12, 2), date(2026, 12, 9)]
    assert (film.as_of, film.name.en) == ("2026-07-03", "clear PET bottles, plastic film")


@pytest.mark.parametrize("region", ["", "없는구", "종로구", "분당구"])
def test_where_no_days_are_known_there_are_none(book: Rulebook, region: str) -> None:
    """No region, one that isn't, one whose neighbourhoods differ: nothing is made up."""
    assert days(book, region) == {}


@pytest.mark.parametrize("region", ["마포구", "노원구", "제주시"])
def test_they_are_the_evenings_that_a_thing_is_planned_for(book: Rulebook, region: str) -> None:
    """The calendar mustn't contradict GetSchedule."""
    where = book.regions.find(region)
    found = collection_days(book, where, TUESDAY)
    film = next(one for one in found if Stream.FILM in one.streams)
    planned = plan(book, ("재활용폐기물", "비닐류"), (), where, TUESDAY)
    assert planned.evening == film.evenings[0]


def test_of_this_evening_only_what_is_left_counts(book: Rulebook) -> None:
    """Until its hours end, here at midnight; then the next one is first."""
    for minute, first in ((59, date(2026, 12, 2)), (60, date(2026, 12, 9))):
        moment = datetime(2026, 12, 2, 14, 0, tzinfo=UTC) + timedelta(minutes=minute)  # 23:00 in Korea
        film = days(book, "마포구", AskedEvening(evening_of(moment), moment))["투명 페트병, 비닐"]
        assert film.evenings[0].day == first


def test_every_stream_of_an_evening_has_a_name() -> None:
    """And no other: nobody puts a sofa out by the calendar."""
    assert set(NAMES) == {stream for stream in Stream if stream.by_evening}
