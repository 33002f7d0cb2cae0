"""What a house decides for itself, laid over the rules of its district."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from mesh.locale import Locale, Text
from rules_svc.answers.composer import Classification, Composer
from rules_svc.collection.evenings import evening_on
from rules_svc.collection.freshness import SEOUL
from rules_svc.collection.house_hours import HouseHours
from rules_svc.collection.streams import Stream
from rules_svc.loading import loader
from rules_svc.rulebook.buildings import (
    Absence,
    BinKind,
    HouseBin,
    HouseCollection,
    HouseRules,
    JoinedBuilding,
)
from rules_svc.rulebook.effects import Tag
from rules_svc.rulebook.plans import AskedEvening, plan
from rules_svc.rulebook.regions import ResolvedRegion
from rules_svc.rulebook.rulebook import MatchedRules, Rulebook
from rules_svc.rulebook.rules import Rule
from rules_svc.rulebook.taxonomy import Path

TODAY = date(2026, 11, 30)  # a Monday
WEDNESDAY = date(2026, 12, 2)
SATURDAY = date(2026, 12, 5)
PAPER: Path = ("재활용폐기물", "종이")
CLEAR_PET: Path = ("재활용폐기물", "무색페트병")
BATTERY: Path = ("재활용폐기물", "전지", "건전지")
PEEL: Path = ("음식물류폐기물", "과일껍질")
CAN: Path = ("재활용폐기물", "금속류")
GENERAL: Path = ("일반종량제폐기물",)

OVERNIGHT = HouseHours((2,), "18:00", "06:00")
SAYS = HouseRules(
    "한빛아파트",
    place=Text("지하 1층 분리수거장", ""),
    collections=(HouseCollection(Stream.RECYCLABLE, OVERNIGHT), HouseCollection(Stream.GENERAL, HouseHours())),
    bins=(HouseBin(BinKind.BATTERY, Text("관리사무소 앞", "by the office")), HouseBin(BinKind.FOOD_SCALE)),
)


def joined(says: HouseRules = SAYS) -> JoinedBuilding:
    return JoinedBuilding("K7PD2MTX", 1, datetime(2026, 11, 29, 20, tzinfo=UTC), says)


def match(
    book: Rulebook, path: Path, *tags: str, says: HouseRules | None = SAYS, absent: Absence | None = None
) -> MatchedRules:
    building = joined(says) if says else None
    where = ResolvedRegion(book.regions.find("11440").region, building=building, absent=absent)
    return book.match_in(path, tags, where, TODAY)


def followed(
    book: Rulebook, path: Path, *tags: str, says: HouseRules | None = SAYS, absent: Absence | None = None
) -> Rule:
    return match(book, path, *tags, says=says, absent=absent).rules[0]


def test_days_and_place_of_the_house_replace_those_of_the_district(book: Rulebook) -> None:
    """Of every recyclable unless it has days of its own; the rest of the rule stays. The date is Korea's."""
    own, district = followed(book, CLEAR_PET), followed(book, CLEAR_PET, says=None)
    assert own.when == Text("매주 수요일 18:00~다음 날 06:00", "Every Wednesday, 18:00 to 06:00 the next day")
    assert own.place == Text("지하 1층 분리수거장", "지하 1층 분리수거장")
    assert (own.hours, own.hours_as_of) == ("We 18:00-06:00", "2026-11-30")
    assert own.local_source == Text(
        "우리 건물(한빛아파트) 안내예요. 2026년 11월 30일 기준이에요.",
        "As your building says (한빛아파트), as of 30 November 2026.",
    )
    kept = replace(
        own,
        when=district.when,
        place=district.place,
        hours=district.hours,
        hours_as_of=district.hours_as_of,
        times_as_of=district.times_as_of,
        local_source=None,
    )
    assert kept == district
    assert match(book, CLEAR_PET).building == joined()


def test_an_entry_of_its_own_comes_before_that_of_all_recyclables(book: Rulebook) -> None:
    """As with regions."""
    daily = HouseCollection(Stream.CLEAR_PET, HouseHours((), "20:00"), Text("", "by the gate"))
    says = replace(SAYS, collections=(*SAYS.collections, daily))
    assert followed(book, CLEAR_PET, says=says).when == Text("매일 20:00부터", "Every day from 20:00")
    assert followed(book, CLEAR_PET, says=says).place == Text("by the gate", "by the gate")
    assert followed(book, PAPER, says=says).hours == OVERNIGHT.written()


def test_what_the_house_does_not_name_goes_by_the_district_and_says_so(book: Rulebook) -> None:
    """With the house's place, where it has one."""
    says = replace(SAYS, collections=())
    own, district = followed(book, PAPER, says=says), followed(book, PAPER, says=None)
    assert (own.when, own.hours, own.hours_as_of) == (district.when, district.hours, district.hours_as_of)
    assert own.place == Text("지하 1층 분리수거장", "지하 1층 분리수거장")
    assert own.local_source
    assert "요일과 시간은 서울특별시 마포구 기준" in own.local_source.ko
    assert match(book, PAPER, says=says).building is None
    silent = followed(book, PAPER, says=HouseRules("한빛"))
    assert silent.local_source
    assert replace(silent, local_source=None) == district
    assert "Your building (한빛) says nothing of this" in silent.local_source.en


def test_a_bin_of_the_house_replaces_where_the_district_has_its_own(book: Rulebook) -> None:
    """In our words; the manager's stand in the place alone."""
    own = followed(book, BATTERY)
    assert own.container.ko == "우리 건물의 폐건전지 수거함"
    assert own.place == Text("관리사무소 앞", "by the office")
    assert [step.text.ko for step in own.steps if step.about == "drop"] == ["우리 건물의 폐건전지 수거함에 넣어요."]
    assert not any("관리사무소" in step.text.ko for step in own.steps)


def test_a_food_scale_does_not_make_up_hours(book: Rulebook) -> None:
    """The district's days are those of bags; the house may give its own."""
    own = followed(book, PEEL)
    assert "종량기" in own.container.ko
    assert [step.about for step in own.steps].count("bag") == 1
    assert (own.hours, own.when) == (
        "",
        Text("우리 건물에서 정한 시간에 넣어요.", "At the hours that your building sets."),
    )
    timed = HouseCollection(Stream.FOOD, HouseHours((), "06:00", "23:00"))
    own = followed(book, PEEL, says=replace(SAYS, collections=(timed,)))
    assert own.when == Text("매일 06:00~23:00", "Every day, 06:00 to 23:00")
    assert "종량기" in own.container.ko


EVERYTHING = HouseRules(
    "아무거나",
    place=Text("그냥 버려요", "anywhere"),
    collections=tuple(HouseCollection(stream, HouseHours(), Text("그냥 버려요", "")) for stream in Stream),
    bins=tuple(HouseBin(kind, Text("그냥 버려요", "")) for kind in BinKind),
)


def test_no_house_changes_a_fixed_rule(book: Rulebook) -> None:
    """Whatever it says of every stream and every bin: damaged batteries, gas, fireworks …"""
    fixed = [rule for rule in book.rules.values() if rule.fixed]
    assert len(fixed) >= 12
    for rule in fixed:
        own = match(book, rule.path, says=EVERYTHING)
        assert own.building is None
        assert own.rules[0].local_source
        assert own.rules[0].local_source.ko == "안전에 관한 규정이라 건물 안내보다 먼저예요."
        assert replace(own.rules[0], local_source=None) == followed(book, rule.path, says=None)


def _dangerous(tag: Tag, path: Path) -> bool:
    return any((effect.hazard or effect.redirect) and effect.reaches(path) for effect in tag.effects)


def test_no_situation_lets_a_house_into_what_is_dangerous(book: Rulebook) -> None:
    """Every rule with every tag that tells of a danger or leads elsewhere: what became dangerous never gets its bin."""
    bins = {kind.container for kind in book.regions.bins.values()}
    changed = 0
    for path in book.rules:
        reaching = [key for key, tag in book.tags.items() if _dangerous(tag, path)]
        for tag in ("", *reaching):
            tags = (tag,) if tag else ()
            plain, own = followed(book, path, *tags, says=None), followed(book, path, *tags, says=EVERYTHING)
            assert own.hazards == plain.hazards, (path, tag)
            if plain.fixed or plain.hazards != book.rules[plain.path].hazards:
                assert (own.steps, own.container) == (plain.steps, plain.container), (path, tag)
                assert own.container not in bins
            changed += own.container in bins
    assert changed


@pytest.mark.parametrize(
    ("path", "tag"),
    [
        (BATTERY, "배터리_부풂"),
        (("재활용폐기물", "전지", "보조배터리"), "배터리_부풂"),
        (("재활용폐기물", "전기전자제품", "휴대전화"), "배터리_부풂"),
        (("재활용폐기물", "전기전자제품", "휴대전화"), "과열_의심"),
        (("재활용폐기물", "조명제품", "형광등"), "깨짐"),
    ],
)
def test_what_may_burn_or_break_never_goes_into_the_house_s_bin(book: Rulebook, path: Path, tag: str) -> None:
    """Intact it does."""
    assert "우리 건물" in followed(book, path, says=EVERYTHING).container.ko
    own = followed(book, path, tag, says=EVERYTHING)
    assert "우리 건물" not in own.container.ko
    assert not any("우리 건물" in step.text.ko for step in own.steps)


@pytest.mark.parametrize(
    ("absent", "told"),
    [(Absence.LOST, "등록된 건물을 찾을 수 없어"), (Absence.UNREADABLE, "지금은 건물 안내를 확인할 수 없어")],
)
def test_without_the_building_the_district_is_told_and_why(book: Rulebook, absent: Absence, told: str) -> None:
    """Also in the answer, which is all that some clients show."""
    rule, district = followed(book, PAPER, says=None, absent=absent), followed(book, PAPER, says=None)
    assert rule.local_source
    assert rule.local_source.ko == f"{told} 서울특별시 마포구 기준이에요."
    assert replace(rule, local_source=None) == district
    composer = Composer(loader.load_questions())
    answer = composer.compose(Classification(PAPER), [rule.localized(Locale.KO)], "", Locale.KO)
    assert answer.when.endswith(rule.local_source.ko)
    assert rule.local_source.ko in answer.text


def test_without_anything_known_the_whole_country_is_named(book: Rulebook) -> None:
    """A lost building may be all that somebody sent."""
    rule = book.match_in(PAPER, (), ResolvedRegion(absent=Absence.LOST), TODAY).rules[0]
    assert rule.local_source
    assert rule.local_source.ko == "등록된 건물을 찾을 수 없어 전국 공통 기준이에요."


def test_whoever_joined_no_building_is_told_nothing_of_it(book: Rulebook) -> None:
    """Nobody else pays for it."""
    assert all(followed(book, path, says=None).local_source is None for path in book.rules)


def evening(book: Rulebook, path: Path, day: date, hours: HouseHours) -> tuple[date | None, str, str]:
    says = replace(SAYS, collections=(HouseCollection(Stream.RECYCLABLE, hours),))
    where = ResolvedRegion(book.regions.find("11440").region, building=joined(says))
    found = plan(book, path, (), where, AskedEvening(day))
    return found.evening.day if found.evening else None, found.text.ko, found.rule.hours_as_of


def test_the_evening_plan_goes_by_the_house(book: Rulebook) -> None:
    """The district has other evenings for the same thing."""
    day, text, as_of = evening(book, CAN, TODAY, OVERNIGHT)
    assert (day, as_of) == (WEDNESDAY, "2026-11-30")
    assert text == "12월 2일 수요일 저녁 18:00~다음 날 06:00에 내놓을 수 있어요(2026년 11월 30일 자료)."
    assert evening(book, CAN, TODAY, HouseHours())[0] == TODAY
    assert evening(book, CAN, TODAY, HouseHours((5,)))[0] == SATURDAY


def test_what_a_house_closes_at_six_cant_go_out_at_seven(book: Rulebook) -> None:
    """Houses collect by day as well: what began before noon ends all the same."""
    says = replace(SAYS, collections=(HouseCollection(Stream.RECYCLABLE, HouseHours((5,), "09:00", "18:00")),))
    where = ResolvedRegion(book.regions.find("11440").region, building=joined(says))
    before, after = (
        plan(book, CAN, (), where, AskedEvening(SATURDAY, datetime(2026, 12, 5, hour, tzinfo=SEOUL)))
        for hour in (17, 19)
    )
    assert (before.tonight, after.tonight) == (True, False)
    assert before.evening
    assert before.evening.closes == datetime(2026, 12, 5, 18, tzinfo=SEOUL)


@pytest.mark.parametrize(
    ("hours", "written", "ko"),
    [
        (HouseHours(), "24/7", "언제든지 내놓을 수 있어요."),
        (HouseHours((0, 1, 2, 3, 4, 5, 6)), "24/7", "언제든지 내놓을 수 있어요."),
        (HouseHours((4, 0, 4)), "Mo,Fr", "매주 월·금요일"),
        (HouseHours((0,), "18:00", "24:00"), "Mo 18:00-24:00", "매주 월요일 18:00~24:00"),
        (HouseHours((), "18:00", "00:00"), "Mo-Su 18:00-00:00", "매일 18:00~다음 날 00:00"),
        (HouseHours((6,), "19:30"), "Su 19:30+", "매주 일요일 19:30부터"),
    ],
)
def test_hours_are_told_as_they_are_reckoned_with(hours: HouseHours, written: str, ko: str) -> None:
    """One source for both."""
    assert (hours.written(), hours.told().ko) == (written, ko)
    days = [day for day in range(7) if evening_on(written, date(2026, 11, 30 - 7 + day))]
    assert days == (sorted(set(hours.days)) or list(range(7)))
