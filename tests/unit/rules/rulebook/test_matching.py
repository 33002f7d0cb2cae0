"""Matching, as the separate-discharge guide would tell it."""

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesh.errors import InvalidArgument, NotFound
from mesh.locale import Locale
from mesh.reasons import Reason
from rules_svc.loading.reloader import packaged
from rules_svc.rulebook.rulebook import Rulebook
from rules_svc.rulebook.rules import LocalizedRule

BOOK = packaged().book
PATHS = [node.path for node in BOOK.taxonomy]


@dataclass(frozen=True, slots=True)
class Case:
    """A situation, the rule it must lead to, words a person must read, and words they mustn't."""

    category: str
    tags: str
    rule_id: str
    says: str
    never: str = "☃"


GUIDE = [
    # Clear and coloured PET
    Case("재활용폐기물/무색페트병", "", "clear_pet", "투명 페트병 전용 수거함"),
    Case("재활용폐기물/무색페트병/생수병", "", "clear_pet", "뚜껑을 닫아"),
    Case("재활용폐기물/플라스틱류/페트병", "", "plastic.pet", "색이 있으면 플라스틱 수거함"),
    Case("재활용폐기물/플라스틱류/페트병", "무색_투명", "clear_pet", "투명 페트병 전용 수거함"),
    Case("재활용폐기물/플라스틱류/페트병", "유색", "plastic.coloured_pet", "투명 페트병과 섞지 마세요", "전용 수거함"),
    Case("재활용폐기물/무색페트병", "유색", "plastic.coloured_pet", "플라스틱 수거함", "전용 수거함"),
    Case("재활용폐기물/무색페트병", "비닐_라벨_부착", "clear_pet", "절취선을 따라"),
    Case("재활용폐기물/무색페트병", "내용물_있음", "clear_pet", "남은 내용물을 먼저"),
    Case("재활용폐기물/플라스틱류/용기류", "오염_있음", "plastic", "세제로"),
    Case("재활용폐기물/플라스틱류/배달용기", "오염_심함", "general", "종량제봉투", "플라스틱 수거함"),
    Case("재활용폐기물/플라스틱류/세제용기", "펌프_부착", "plastic.detergent", "금속 스프링"),
    # Cartons
    Case("재활용폐기물/종이팩/우유팩", "", "carton.milk", "나누지 말고 함께"),
    Case("재활용폐기물/종이팩/멸균팩", "", "carton.aseptic", "나누지 말고 함께"),
    Case("재활용폐기물/종이팩", "내부_은박", "carton.aseptic", "안쪽이 은색이면 멸균팩"),
    Case("재활용폐기물/종이팩", "내부_흰색", "carton.milk", "안쪽이 흰색이면 우유팩"),
    Case("재활용폐기물/종이팩/우유팩", "빨대_부착", "carton.milk", "빨대와 빨대 비닐"),
    # Paper
    Case("재활용폐기물/종이/골판지류", "테이프_부착", "paper.corrugated", "테이프와 송장"),
    Case("재활용폐기물/종이/신문지", "젖음", "paper", "바싹 말린 뒤"),
    Case("재활용폐기물/종이", "오염_심함", "general", "종량제봉투", "종이 수거함"),
    Case("재활용폐기물/종이/골판지류", "기름_묻음", "general.soaked", "기름이 밴 종이"),
    Case("재활용폐기물/종이/골판지류", "코팅됨", "general.receipt", "비닐로 코팅되어"),
    Case("재활용폐기물/종이/책자·노트", "스프링_부착", "paper.books", "금속은 고철로"),
    # Glass
    Case("재활용폐기물/유리병", "", "glass", "유리병 수거함"),
    Case("재활용폐기물/유리병", "깨짐", "nonburnable.broken_glass", "불연성 마대", "유리병 수거함"),
    Case("재활용폐기물/유리병/음료수병", "보증금_표시", "glass.deposit", "보증금을 돌려받아요"),
    Case("재활용폐기물/유리병/보증금병", "깨짐", "nonburnable.broken_glass", "맨손으로 만지지 마세요"),
    # Metal and gas
    Case("재활용폐기물/금속류", "", "metal", "배터리"),
    Case("재활용폐기물/금속류/음료캔", "이물질_투입", "metal", "담배꽁초"),
    Case("재활용폐기물/금속류/가스용기", "", "metal.gas", "노즐을 눌러"),
    Case("재활용폐기물/금속류/가스용기", "", "metal.gas", "구멍은 뚫지 마세요"),
    Case("재활용폐기물/금속류/가스용기", "가스_잔존_의심", "metal.gas", "흔들어 소리가 나면"),
    Case("재활용폐기물/금속류/가스용기", "유해물질_의심", "hazardous", "재활용품에 섞지 마세요"),
    # Batteries
    Case("재활용폐기물/전지", "", "battery", "폐건전지 수거함"),
    Case("재활용폐기물/전지/보조배터리", "", "battery.power_bank", "절연 테이프"),
    Case(
        "재활용폐기물/전지/보조배터리",
        "배터리_부풂",
        "battery.damaged",
        "119",
        "수거함",
    ),
    Case("재활용폐기물/플라스틱류/생활용품", "배터리_포함", "plastic", "수거 차량에서 불이"),
    Case("재활용폐기물/플라스틱류/생활용품", "내장형_배터리", "electronics.small", "소형 가전"),
    Case(
        "재활용폐기물/전기전자제품/휴대전화", "배터리_부풂", "battery.damaged", "(주민센터)나 구청", "폐건전지 수거함"
    ),
    # Lamps
    Case("재활용폐기물/조명제품/형광등", "", "lamp.fluorescent", "수은"),
    Case("재활용폐기물/조명제품/형광등", "깨짐", "nonburnable.broken_lamp", "창문을 열고", "전용 수거함에 눕혀"),
    Case("재활용폐기물/조명제품/LED전구", "", "lamp.led", "수은이 없지만"),
    Case("불연성종량제폐기물/백열전구", "", "nonburnable.bulb", "불연성 마대"),
    # The rest
    Case("재활용폐기물/비닐류/과자·라면봉지", "", "film.snack", "비닐 수거함"),
    Case("재활용폐기물/비닐류", "오염_심함", "general", "종량제봉투", "비닐 수거함"),
    Case("재활용폐기물/발포합성수지/스티로폼용기", "", "foam.food", "얼룩이 남으면 종량제봉투"),
    Case("재활용폐기물/의류및원단/신발", "짝_없음", "general", "한 짝만 남은"),
    Case("재활용폐기물/의류및원단", "젖음", "clothing", "바싹 말린 뒤"),
    Case("재활용폐기물/전기전자제품", "대형", "electronics.large", "1599-0903"),
    Case("음식물류폐기물/채소·과일", "", "food", "물기를 꼭 짜요"),
    Case("일반종량제폐기물/뼈·껍데기류", "", "general.bones", "종량제봉투"),
    Case("공사장생활폐기물/타일·벽돌", "", "construction", "특수 규격 마대"),
    Case("대형폐기물/가구", "사용_가능", "bulky", "중고 거래"),
    Case("생활계유해폐기물/폐의약품", "", "hazardous.medicine", "폐의약품 수거함"),
    Case("생활계유해폐기물/농약·살충제", "", "hazardous.pesticide", "하수구나 밭에 버리거나"),
    Case("미분류", "", "unknown", "다시 찍어 주세요"),
]


def words(rule: LocalizedRule) -> str:
    """Everything of a rule that tells a person what to do."""
    return " ".join((*rule.steps, rule.container, rule.why, *rule.hazards))


@pytest.mark.parametrize("case", GUIDE, ids=lambda case: f"{case.category}+{case.tags}")
def test_the_guide_says(book: Rulebook, case: Case) -> None:
    """The first rule is the one to follow, and it says what the guide says."""
    followed = book.match(tuple(case.category.split("/")), case.tags.split())[0].localized(Locale.KO)
    assert followed.rule_id == case.rule_id
    assert case.says in words(followed)
    assert case.never not in words(followed)


def test_the_wider_rules_follow_the_narrowest(book: Rulebook) -> None:
    """A person sees their own case first, then what it is part of."""
    rules = book.match(("재활용폐기물", "종이", "골판지류"), ())
    assert [rule.rule_id for rule in rules] == ["paper.corrugated", "paper", "recyclables"]


def test_a_redirect_adds_its_target_before_the_category_s_own_rules(book: Rulebook) -> None:
    """What to do comes first; what it would have been stays to read."""
    rules = book.match(("재활용폐기물", "종이", "골판지류"), ["오염_심함"])
    assert [rule.rule_id for rule in rules] == ["general", "paper.corrugated", "paper", "recyclables"]
    assert [rule.applied_tags for rule in rules] == [("오염_심함",), (), (), ()]


def test_safety_wins_over_recycling(book: Rulebook) -> None:
    """Of two tags that redirect, the one that stands earlier in the list does."""
    tags = ["무색_투명", "유해물질_의심"]
    assert book.match(("재활용폐기물", "플라스틱류", "페트병"), tags)[0].rule_id == "hazardous"


def test_silver_inside_settles_what_carton_it_is(book: Rulebook) -> None:
    """Contradicting tags lead to one rule, not from one to the other."""
    rule = book.match(("재활용폐기물", "종이팩"), ["내부_흰색", "내부_은박"])[0]
    assert (rule.rule_id, rule.applied_tags) == ("carton.aseptic", ("내부_은박",))


def test_two_tags_about_the_same_step_both_stand_in_its_place(book: Rulebook) -> None:
    """Neither may silently push the other out."""
    rule = book.match(("재활용폐기물", "유리병"), ["오염_있음", "기름_묻음"])[0]
    assert [step.about for step in rule.steps] == ["cap", "empty", "rinse", "rinse", "label", "care"]


def test_a_tag_that_doesn_t_concern_the_category_changes_nothing(book: Rulebook) -> None:
    """A classifier's stray tag must not put words into a rule."""
    path = ("재활용폐기물", "전지")
    assert book.match(path, ["스프링_부착"]) == book.match(path, ())


@pytest.mark.parametrize(
    "category",
    ["재활용폐기물/석재", "재활용폐기물/종이/석판", "재활용폐기물/페트병", "우주쓰레기", "미분류/종이", "종이"],
)
def test_an_unknown_category_is_refused(book: Rulebook, category: str) -> None:
    """Even below a known major: a guess would be wrong in silence."""
    with pytest.raises(NotFound) as refused:
        book.match(tuple(category.split("/")), ())
    assert (refused.value.reason, refused.value.metadata) == (Reason.CATEGORY_UNKNOWN, {"category": category})


def test_an_unknown_tag_is_refused(book: Rulebook) -> None:
    """The list is closed; the metadata names the stranger."""
    with pytest.raises(InvalidArgument) as refused:
        book.match(("미분류",), ["깨짐", "반짝임"])
    assert (refused.value.reason, refused.value.metadata) == (Reason.TAG_UNKNOWN, {"tag": "반짝임"})


def test_the_levels_of_a_category_are_told_apart(book: Rulebook) -> None:
    """Below a major without middles stand minors, as the contract says."""
    assert book.taxonomy.category(("생활계유해폐기물", "폐의약품")).minor == "폐의약품"
    assert book.taxonomy.category(("재활용폐기물", "종이")).middle == "종이"


@given(path=st.sampled_from(PATHS), tags=st.lists(st.sampled_from(sorted(BOOK.tags)), max_size=20))
def test_any_situation_has_a_few_complete_rules(path: tuple[str, ...], tags: list[str]) -> None:
    """Never empty, never more than an answer may stand on, each rule once, the order of the tags without meaning."""
    rules = BOOK.match(path, tags)
    assert 1 <= len(rules) <= 4
    assert len({rule.rule_id for rule in rules}) == len(rules)
    assert len(rules[0].steps) >= 2
    assert set(rules[0].applied_tags) <= set(tags)
    assert rules == BOOK.match(path, sorted({*tags}, reverse=True))
