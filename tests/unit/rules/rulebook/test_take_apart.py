"""Plans to take things apart: which one applies, and that it agrees with the rule beside it."""

import re

import pytest

from mesh.locale import Locale
from rules_svc.loading.reloader import packaged
from rules_svc.rulebook.regions import ResolvedRegion
from rules_svc.rulebook.take_apart import TakeApartStep
from rules_svc.rulebook.taxonomy import Path

BOOK = packaged().book
PLANS = BOOK.take_apart_plans.plans
NOWHERE = ResolvedRegion()
# The usual joined things, with the parts that come off and the words of where each goes.
USUAL = {
    "무색페트병/음료병": ["뚜껑 투명 페트병", "라벨 비닐", "병 투명 페트병"],
    "플라스틱류/유색페트병": ["뚜껑 플라스틱", "라벨 비닐", "병 플라스틱"],
    "종이/종이컵": ["뚜껑 플라스틱", "빨대 종량제", "홀더 종이", "컵 종이컵"],
    "유리병/식품병": ["뚜껑 캔", "병 유리병"],
    "종이팩/우유팩": ["뚜껑 플라스틱", "팩 종이팩"],
    "종이팩/멸균팩": ["빨대 종량제", "뚜껑 플라스틱", "팩 종이팩"],
    "금속류/가스용기": ["뚜껑 플라스틱", "캔 캔"],
    "전기전자제품/전자장난감": ["건전지 폐건전지", "본체 소형 가전"],
    "플라스틱류/트레이·계란판": ["비닐 비닐", "패드 종량제", "트레이 플라스틱"],
    "플라스틱류/세제용기": ["펌프 종량제", "라벨 비닐", "통 플라스틱"],
}
WHOLE = ["무색페트병/무라벨병", "유리병/보증금병", "전기전자제품/배터리내장제품"]
# What names a bag, a bin or a place.
CONTAINER = re.compile(r"수거함|봉투|마대|수거장|보건소|약국|주민센터|\b(?:bin|bag|sack|box for|centre)\b")


def steps(path: Path, *tags: str, own: str = "", where: ResolvedRegion = NOWHERE) -> tuple[TakeApartStep, ...]:
    return BOOK.take_apart(BOOK.match_in(path, tags, where), tags, where, own)


@pytest.mark.parametrize(("category", "expected"), USUAL.items(), ids=[str(place) for place in range(len(USUAL))])
def test_the_usual_things_come_apart_in_order(category: str, expected: list[str]) -> None:
    """Each part with its own container."""
    taken = steps(("재활용폐기물", *category.split("/")))
    assert len(taken) == len(expected)
    for step, words in zip(taken, expected, strict=True):
        part, _, container = words.partition(" ")
        assert part in step.name.ko
        assert step.container.ko.startswith(container)


@pytest.mark.parametrize("category", WHOLE)
def test_what_is_put_out_whole_has_no_steps(category: str) -> None:
    """Though the things around it come apart."""
    assert steps(("재활용폐기물", *category.split("/"))) == ()


def test_umbrellas_come_apart_though_their_rule_is_general_waste() -> None:
    """Ribs are metal, cloth isn't."""
    assert [step.path[-1] for step in steps(("일반종량제폐기물", "우산"))] == [
        "일반종량제폐기물",
        "일반종량제폐기물",
        "고철",
    ]
    assert steps(("일반종량제폐기물", "마스크")) == ()


def test_a_situation_that_leads_elsewhere_takes_the_plan_along() -> None:
    """Of broken glass nobody screws off a lid; a coloured bottle goes as coloured ones do."""
    assert steps(("재활용폐기물", "유리병", "식품병"), "깨짐") == ()
    coloured = steps(("재활용폐기물", "무색페트병", "음료병"), "유색")
    assert {step.path[1] for step in coloured} == {"플라스틱류", "비닐류"}
    assert coloured[-1].container == BOOK.match(("재활용폐기물", "플라스틱류", "유색페트병"), ())[0].container


@pytest.mark.parametrize("tag", ["내장형_배터리", "전자부품_노출", "과열_의심", "배터리_부풂"])
@pytest.mark.parametrize("category", ["리모컨", "전자장난감", "전동칫솔", "선풍기·히터"])
def test_what_is_dangerous_to_open_stays_whole(category: str, tag: str) -> None:
    """Whatever else is told of it."""
    assert steps(("재활용폐기물", "전기전자제품", category), tag, "배터리_포함") == ()


def test_a_battery_that_is_told_of_comes_out() -> None:
    """Of any appliance; without a word of one nothing is opened."""
    fan = ("재활용폐기물", "전기전자제품", "선풍기·히터")
    assert [step.path[1] for step in steps(fan, "배터리_포함")] == ["전지", "전기전자제품"]
    assert steps(fan) == ()


def test_an_item_s_own_plan_comes_first() -> None:
    """A frame is small wooden things' rule, but has a pane."""
    frame = next(item for item in BOOK.items if item.name.ko == "액자 프레임")
    wood = frame.path
    assert steps(wood) == ()
    assert [step.path[-1] for step in steps(wood, own=frame.take_apart)] == ["판유리", "나사·못", "나무제품"]


def test_parts_go_where_the_region_says() -> None:
    """As the rule does that the part would have alone."""
    region = BOOK.regions.find("서울특별시/마포구")
    for path in (scope for plan in PLANS for scope in plan.scopes):
        for step in steps(path, where=region):
            if step.path != path:
                assert step.container == BOOK.match_in(step.path, (), region).rules[0].container


@pytest.mark.parametrize("tag", sorted(BOOK.tags))
def test_what_is_left_goes_where_the_rule_says(tag: str) -> None:
    """In every situation: the plan and the rule beside it are one advice."""
    for path in (scope for plan in PLANS for scope in plan.scopes):
        matched = BOOK.match_in(path, (tag,), NOWHERE)
        taken = BOOK.take_apart(matched, (tag,), NOWHERE)
        plan = BOOK.take_apart_plans.find(matched.target, (tag,))
        for step, part in zip(taken, plan.parts if plan else (), strict=True):
            if part.path is None:
                assert (step.path, step.container) == (matched.target, matched.rules[0].container)


@pytest.mark.parametrize("locale", list(Locale))
def test_what_is_done_names_no_container(locale: Locale) -> None:
    """It would be another one in another region."""
    told = [part.how[locale] for plan in PLANS for part in plan.parts]
    assert [text for text in told if CONTAINER.search(text)] == []


def test_every_plan_can_be_reached() -> None:
    """One that never applies would only look as if it were known."""
    found = {BOOK.take_apart_plans.find(scope, plan.tags) for plan in PLANS for scope in plan.scopes}
    found |= {BOOK.take_apart_plans.find((), (), item.take_apart) for item in BOOK.items if item.take_apart}
    assert {plan.plan_id for plan in found if plan} == {plan.plan_id for plan in PLANS}
