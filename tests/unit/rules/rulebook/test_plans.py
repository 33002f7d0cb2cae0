"""Plans for an evening: what goes out where somebody lives, when, and what isn't known."""

from datetime import date, datetime

import pytest

from mesh.locale import Locale
from rules_svc.collection.freshness import SEOUL
from rules_svc.collection.streams import Stream
from rules_svc.rulebook.plans import AskedEvening, Plan, plan
from rules_svc.rulebook.rulebook import Rulebook
from rules_svc.rulebook.taxonomy import Path

FILM: Path = ("재활용폐기물", "비닐류")
PAPER: Path = ("재활용폐기물", "종이", "신문지")
BATTERY: Path = ("재활용폐기물", "전지", "건전지")
# A Tuesday, Wednesday and Friday of one week.
TUESDAY, WEDNESDAY, FRIDAY = (date(2026, 12, day) for day in (1, 2, 4))


def planned(
    book: Rulebook, path: Path, said: str, day: date, hour: int | None = None, tags: tuple[str, ...] = ()
) -> Plan:
    """For the evening of a day; at an hour of it, if one is given."""
    moment = None if hour is None else datetime(day.year, day.month, day.day, hour, tzinfo=SEOUL)
    return plan(book, path, tags, book.regions.find(said), AskedEvening(day, moment))


def test_film_goes_out_on_wednesday_in_mapo(book: Rulebook) -> None:
    """README's own example: on the other days it is told which evening comes next."""
    wednesday, tuesday = planned(book, FILM, "마포구", WEDNESDAY, 12), planned(book, FILM, "마포구", TUESDAY, 12)
    assert (wednesday.tonight, tuesday.tonight) == (True, False)
    assert tuesday.evening
    assert tuesday.evening.day == WEDNESDAY
    assert "12월 2일 수요일 저녁" in tuesday.text.ko
    assert "Wednesday, 2 December" in tuesday.text.en
    assert not planned(book, PAPER, "마포구", WEDNESDAY, 12).tonight


def test_hours_past_midnight_belong_to_the_evening_before(book: Rulebook) -> None:
    """강남구: Monday to Friday till five in the morning."""
    friday = planned(book, ("일반종량제폐기물",), "강남구", FRIDAY, 23)
    assert friday.tonight
    assert friday.text.ko == "오늘 저녁 20:00~다음 날 05:00에 내놓을 수 있어요(2026년 7월 2일 자료)."
    assert friday.text.en == "It can go out this evening, 20:00 to 05:00 (as of 2 July 2026)."
    assert friday.rule.hours_as_of == "2026-07-02"


def test_when_it_is_too_late_the_next_evening_is_told(book: Rulebook) -> None:
    """At midnight 마포구's evening is over; for a day that is asked about by its date it never is."""
    late = plan(
        book, FILM, (), book.regions.find("마포구"), AskedEvening(WEDNESDAY, datetime(2026, 12, 3, 0, 30, tzinfo=SEOUL))
    )
    assert late.evening
    assert (late.tonight, late.evening.day) == (False, date(2026, 12, 9))
    assert planned(book, FILM, "마포구", WEDNESDAY).tonight
    assert planned(book, FILM, "마포구", WEDNESDAY).text.ko.startswith("12월 2일 수요일 저녁")


def test_the_eve_of_a_holiday_counts(book: Rulebook) -> None:
    """서초구 takes no food waste on the eves of public holidays: Chuseok of 2026 is 24 to 26 September."""
    food: Path = ("음식물류폐기물",)
    assert planned(book, food, "서초구", date(2026, 9, 22)).tonight
    assert not planned(book, food, "서초구", date(2026, 9, 23)).tonight


@pytest.mark.parametrize("said", ["", "아틀란티스", "화순군", "유성구"])
def test_days_that_are_not_known_are_not_guessed(book: Rulebook, said: str) -> None:
    """Neither for a region that isn't known, nor where the neighbourhood decides."""
    unknown = planned(book, ("재활용폐기물", "종이"), said, TUESDAY, 12)
    assert (unknown.tonight, unknown.evening) == (False, None)
    assert all("evening" not in unknown.text[locale] for locale in Locale)


def test_what_is_not_collected_by_the_evening_has_none(book: Rulebook) -> None:
    """A box takes batteries at any time; `when` says so."""
    box = planned(book, BATTERY, "마포구", WEDNESDAY, 12)
    assert box.evening is None
    assert box.rule.when


@pytest.mark.parametrize(
    ("path", "said", "why"),
    [
        pytest.param(FILM, "", "시·군·구를 알려 주세요", id="no region"),
        pytest.param(FILM, "아틀란티스", "시·군·구를 알려 주세요", id="no such region"),
        pytest.param(FILM, "유성구", "주민센터에 물어보세요", id="by neighbourhood"),
        pytest.param(BATTERY, "마포구", "저녁에 내놓는 품목이 아니에요", id="a box"),
        pytest.param(BATTERY, "", "저녁에 내놓는 품목이 아니에요", id="a box anywhere"),
    ],
)
def test_an_unknown_evening_says_why(book: Rulebook, path: Path, said: str, why: str) -> None:
    """Who is told only that it isn't known can do nothing about it."""
    assert why in planned(book, path, said, WEDNESDAY, 12).text.ko


def test_every_regions_evening_says_how_old_its_source_is(book: Rulebook) -> None:
    """In every region and for everything: older than two years, or without a date, it is a rule of thumb."""
    asked = AskedEvening(WEDNESDAY, datetime(2026, 12, 2, 12, tzinfo=SEOUL))
    seen = set[str]()
    for key in book.regions.overlays:
        where = book.regions.find(key)
        for stream in Stream:
            path = next((rule.path for rule in book.rules.values() if rule.stream is stream), None)
            known = plan(book, path, (), where, asked) if path else None
            if known and known.evening:
                as_of = known.rule.hours_as_of
                thumb = not as_of or as_of < "2024-12-02"[: len(as_of)]
                assert (("자료로는" in known.text.ko), (" could " in known.text.en)) == (thumb, thumb), (key, path)
                assert (f"{as_of[:4]}년" if as_of else "날짜를 알 수 없는") in known.text.ko, (key, path)
                seen.add("undated" if not as_of else "old" if thumb else "recent")
    assert seen == {"undated", "old", "recent"}


def test_hours_from_an_older_source_than_the_days_say_so(book: Rulebook) -> None:
    """마포구's page names the days of 2026; the hours are those of 2021."""
    film = planned(book, FILM, "마포구", WEDNESDAY, 12)
    assert film.text.ko == "오늘 저녁 18:00~24:00(2021년 자료)에 내놓을 수 있어요(2026년 7월 3일 자료)."
    assert film.text.en == "It can go out this evening, 18:00 to 24:00, hours as of 2021 (as of 3 July 2026)."


def test_days_without_hours_send_to_the_community_centre(book: Rulebook) -> None:
    """Hours that no source tells aren't made up."""
    film = book.match_in(FILM, (), book.regions.find("노원구"), WEDNESDAY).rules[0]
    assert film.when
    assert "주민센터" in film.when.ko
    assert "주민센터" in film.when.en
    timed = book.match_in(FILM, (), book.regions.find("마포구"), WEDNESDAY).rules[0]
    assert timed.when
    assert "시간은 자료에 없어요" not in timed.when.ko


@pytest.mark.parametrize(
    ("day", "warned"),
    [
        pytest.param(date(2026, 9, 23), True, id="the evening before Chuseok's holidays"),
        pytest.param(date(2026, 9, 25), True, id="Chuseok"),
        pytest.param(date(2027, 2, 8), True, id="the day after Seollal"),
        pytest.param(date(2026, 12, 25), False, id="Christmas"),
        pytest.param(date(2026, 12, 2), False, id="any day"),
    ],
)
def test_seollal_and_chuseok_have_days_of_their_own(book: Rulebook, day: date, *, warned: bool) -> None:
    """Each district announces them anew every year."""
    general = planned(book, ("일반종량제폐기물",), "제주특별자치도", day)
    assert general.tonight, "a region without such an evening shows nothing"
    assert ("설·추석" in general.text.ko) is warned
    assert ("Chuseok" in general.text.en) is warned


def test_old_days_are_a_rule_of_thumb(book: Rulebook) -> None:
    """Older than two years: said with the year, not as a fact."""
    asked = AskedEvening(date(2030, 12, 4), datetime(2030, 12, 4, 12, tzinfo=SEOUL))
    old = plan(book, FILM, (), book.regions.find("마포구"), asked)
    assert old.text.ko.startswith("2026년 7월 3일 자료로는 오늘 저녁")
    assert old.text.en.startswith("As of 3 July 2026 it could go out this evening")


def test_a_situation_and_a_category_of_another_edition_lose_nothing(book: Rulebook) -> None:
    """Scans outlive editions of the rule book."""
    assert planned(book, (*FILM, "없는것"), "마포구", WEDNESDAY, 12, ("없는_상황",)).tonight
    assert planned(book, ("없는것",), "마포구", WEDNESDAY).rule.path == ("미분류",)
    dirty = planned(book, FILM, "마포구", WEDNESDAY, 12, ("오염_심함",))
    assert (dirty.rule.path[0], dirty.tonight) == ("일반종량제폐기물", True)
