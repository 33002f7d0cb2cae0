"""Opening hours: what they say of a moment in Korea, and how people write and read them."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules_svc.places.opening_hours import SEOUL, Opening, OpeningState, WeeklyHours, opening, written
from rules_svc.places.opening_hours_text import from_korean, hours_text, opening_phrase

OFFICE = "Mo-Fr 09:00-18:00; Sa 09:00-13:00; PH off"


def seoul(text: str) -> datetime:
    """A moment in Korea; 2026-11-21 is a Saturday."""
    return datetime.fromisoformat(text).replace(tzinfo=SEOUL)


@pytest.mark.parametrize(
    ("hours", "moment", "state", "changes"),
    [
        (OFFICE, "2026-11-20T09:00", OpeningState.OPEN, "2026-11-20T18:00"),
        (OFFICE, "2026-11-20T08:59", OpeningState.CLOSED, "2026-11-20T09:00"),
        (OFFICE, "2026-11-20T18:00", OpeningState.CLOSED, "2026-11-21T09:00"),
        (OFFICE, "2026-11-21T13:00", OpeningState.CLOSED, "2026-11-23T09:00"),
        (OFFICE, "2026-12-25T10:00", OpeningState.CLOSED, "2026-12-26T09:00"),
        ("Mo-Fr 22:00-02:00", "2026-11-21T01:59", OpeningState.OPEN, "2026-11-21T02:00"),
        ("Mo-Fr 22:00-02:00", "2026-11-22T01:00", OpeningState.CLOSED, "2026-11-23T22:00"),
        ("Mo-Su 00:00-24:00", "2026-11-21T23:59", OpeningState.OPEN, None),
        ("24/7", "2027-01-01T03:00", OpeningState.OPEN, None),
        ("Mo-Su 10:00-12:00,14:00-20:00", "2026-11-21T13:00", OpeningState.CLOSED, "2026-11-21T14:00"),
        ("Tu-Su 11:00-20:00", "2026-11-23T12:00", OpeningState.CLOSED, "2026-11-24T11:00"),
    ],
)
def test_the_state_and_its_next_change(hours: str, moment: str, state: OpeningState, changes: str | None) -> None:
    """To the minute, across midnight, over the weekend, on a public holiday."""
    found = opening(hours, seoul(moment))
    assert (found.state, found.changes_at) == (state, changes and seoul(changes))


def test_the_callers_zone_doesn_t_matter() -> None:
    """A server's clock is UTC, the shop's isn't: 00:30 UTC is half past nine there."""
    assert opening(OFFICE, datetime(2026, 11, 20, 0, 30, tzinfo=UTC)).state is OpeningState.OPEN


def test_a_holiday_the_hours_don_t_speak_of_is_unknown() -> None:
    """Many offices close then; saying "open" would send people there for nothing."""
    found = opening("Mo-Fr 09:00-18:00", seoul("2026-12-25T10:00"))
    assert (found.state, found.may_differ_on_holidays) == (OpeningState.UNKNOWN, True)


@pytest.mark.parametrize(
    ("day", "name"),
    [
        ("2026-02-16", "the eve of Seollal"),
        ("2026-02-17", "Seollal"),
        ("2026-03-02", "substitute for 1 March, a Sunday"),
        ("2026-05-25", "substitute for Buddha's birthday"),
        ("2026-06-03", "local elections"),
        ("2026-09-25", "Chuseok"),
        ("2027-02-09", "substitute for Seollal"),
        ("2027-10-11", "substitute for Hangul Day"),
        ("2028-10-05", "substitute for Chuseok, which met 3 October"),
    ],
)
def test_holidays_of_every_kind_are_known(day: str, name: str) -> None:
    """Those of the lunar calendar, substitute ones and elections: a closed office isn't called open."""
    found = opening(OFFICE, seoul(f"{day}T10:00"))
    assert (found.state, found.may_differ_on_holidays) == (OpeningState.CLOSED, False), name
    assert opening("Mo-Fr 09:00-18:00", seoul(f"{day}T10:00")).state is OpeningState.UNKNOWN
    assert opening("24/7", seoul(f"{day}T10:00")) == Opening(OpeningState.OPEN, seoul(f"{day}T10:00"))


def test_an_opening_is_promised_for_after_the_holidays() -> None:
    """Seollal of 2026 is from Monday to Wednesday."""
    assert opening(OFFICE, seoul("2026-02-14T14:00")).changes_at == seoul("2026-02-19T09:00")
    assert opening("Mo-Fr 09:00-18:00", seoul("2026-02-14T14:00")).changes_at == seoul("2026-02-19T09:00")
    assert opening(OFFICE, seoul("2026-12-31T19:00")).changes_at == seoul("2027-01-02T09:00")


def test_without_hours_nothing_is_claimed() -> None:
    """Unknown is an answer too."""
    assert opening("", seoul("2026-11-20T10:00")).state is OpeningState.UNKNOWN


@pytest.mark.parametrize(
    "text", ["", "Mo", "Mo-Fr", "09:00-18:00", "Xx 09:00-18:00", "Mo 9:00-18:00", "Mo 25:00-26:00", "Mo 09:00-09:00",
             "PH-Mo 09:00-18:00", "Mo-Fr 09:00-18:00;", "Mo 09:60-10:00"],
)  # fmt: skip
def test_hours_outside_the_subset_are_refused(text: str) -> None:
    """Half understood they would be wrong on some day."""
    with pytest.raises(ValueError, match="no such"):
        WeeklyHours.parse(text)


@pytest.mark.parametrize(
    ("text", "hours"),
    [
        ("평일 09:00~18:00", "Mo-Fr 09:00-18:00"),
        ("평일 09:00 ~ 18:00, 토요일 09:00~13:00, 공휴일 휴무", OFFICE),
        ("월~금 9:00-18:00", "Mo-Fr 09:00-18:00"),
        ("월-토 10시~19시30분 / 일요일 휴무", "Mo-Sa 10:00-19:30"),
        ("매일 10:00~22:00", "Mo-Su 10:00-22:00"),
        ("연중무휴 10:00~22:00", "Mo-Su 10:00-22:00"),
        ("화–일 11:00–20:00", "Tu-Su 11:00-20:00"),
        ("주말 10:00~15:00", "Sa-Su 10:00-15:00"),
        ("월,수,금 10:00~12:00", "Mo 10:00-12:00; We 10:00-12:00; Fr 10:00-12:00"),
        ("매일 22:00~02:00", "Mo-Su 22:00-02:00"),
        ("24시간", "24/7"),
        ("연중무휴 24시간", "24/7"),
        ("상시", "24/7"),
        ("09:00~18:00", ""),
        ("평일 09:00~18:00 (점심시간 제외)", ""),
        ("연중무휴", ""),
        ("문의", ""),
        ("평일 29:00~30:00", ""),
        ("", ""),
    ],
)
def test_hours_of_public_data_are_understood_wholly_or_not_at_all(text: str, hours: str) -> None:
    """A lunch break that was skipped over would be a locked door."""
    assert from_korean(text) == hours


@given(st.text(max_size=60))
def test_whatever_stands_there_never_breaks_an_import(text: str) -> None:
    """And what comes out can be read back."""
    hours = from_korean(text)
    assert not hours or WeeklyHours.parse(hours)


spans = st.lists(st.tuples(st.integers(0, 1439), st.integers(1, 1440)), max_size=2).map(
    lambda pairs: tuple(sorted({(a, b if b > a else b + 1440) for a, b in pairs if a != b}))
)
weeks = st.builds(WeeklyHours, st.tuples(*[spans] * 7), st.none() | spans)


@given(weeks, st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1)))
def test_written_hours_mean_the_same_when_read_again(week: WeeklyHours, moment: datetime) -> None:
    """They are stored as text."""
    if any(week.days):
        text = written(week)
        assert written(WeeklyHours.parse(text)) == text


@given(weeks.filter(lambda week: any(week.days)), st.datetimes(datetime(2026, 3, 10), datetime(2026, 4, 20)))
def test_the_state_really_changes_when_it_says_so(week: WeeklyHours, moment: datetime) -> None:
    """A minute before it is still the same, at the moment it isn't any more."""
    hours, here = written(week), moment.replace(tzinfo=SEOUL)
    found = opening(hours, here)
    if found.changes_at is not None:
        assert opening(hours, found.changes_at).state is not found.state
        before = found.changes_at - timedelta(microseconds=1)
        assert opening(hours, max(before, here)).state is found.state


def test_people_read_hours_in_both_languages() -> None:
    """Days in a row are joined, closed ones left out."""
    text = hours_text(WeeklyHours.parse(OFFICE))
    assert text.ko == "평일 09:00–18:00, 토 09:00–13:00, 공휴일 휴무"
    assert text.en == "Mon–Fri 09:00–18:00, Sat 09:00–13:00, public holidays closed"
    assert hours_text(WeeklyHours.parse("24/7")).en == "24 hours"


@pytest.mark.parametrize(
    ("moment", "ko", "en"),
    [
        ("2026-11-20T10:00", "18:00까지", "until 18:00"),
        ("2026-11-20T19:00", "내일 09:00에", "tomorrow 09:00"),
        ("2026-11-21T14:00", "월요일 09:00에", "Mon 09:00"),
    ],
)
def test_one_phrase_says_it_as_a_person_would(moment: str, ko: str, en: str) -> None:
    """Today, tomorrow, a weekday; and that holidays may differ where the hours don't speak of them."""
    text = opening_phrase(opening(OFFICE, seoul(moment)))
    assert ko in text.ko
    assert en in text.en
    silent = opening_phrase(opening("Mo-Fr 09:00-18:00", seoul(moment)))
    assert "공휴일" in silent.ko
    assert "공휴일" not in text.ko


def test_unknown_and_always_open_have_their_phrases() -> None:
    """Neither names a time."""
    unknown = opening_phrase(Opening(OpeningState.UNKNOWN, seoul("2026-11-20T10:00")))
    always = opening_phrase(opening("24/7", seoul("2026-11-20T10:00")))
    assert unknown != always
    assert not any(character.isdigit() for character in unknown.ko + unknown.en + always.ko + always.en)
