"""What a person is told."""

from collections.abc import Iterable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesh.locale import Locale
from rules_svc.answers.composer import PROVIDER, Answer, Classification, Composer
from rules_svc.loading import loader
from rules_svc.loading.reloader import packaged

BOOK = packaged().book
COMPOSER = Composer(loader.load_questions())
PATHS = [node.path for node in BOOK.taxonomy]
LOCALES = st.sampled_from(list(Locale))

PET = "재활용폐기물/플라스틱류/페트병"
METAL = "재활용폐기물/금속류"
GLASS = "재활용폐기물/유리병"


def composed(
    category: str,
    question: str = "",
    *,
    tags: Sequence[str] = (),
    locale: Locale = Locale.KO,
    warning: str = "",
    candidates: Iterable[str] = (),
) -> Answer:
    """The answer for a category in a situation."""
    path = tuple(category.split("/"))
    rules = [rule.localized(locale) for rule in BOOK.match(path, tags)]
    classification = Classification(path, BOOK.taxonomy[path].name[locale], tuple(tags), warning, tuple(candidates))
    return COMPOSER.compose(classification, rules, question, locale)


@given(
    path=st.sampled_from(PATHS),
    tags=st.lists(st.sampled_from(sorted(BOOK.tags)), max_size=3),
    question=st.sampled_from(["", "라벨 떼야 하나요?", "where does it go?", "영수증도 되나요?", "달은 왜 둥근가요?"]),
    locale=LOCALES,
)
def test_the_text_is_its_parts(path: tuple[str, ...], tags: list[str], question: str, locale: Locale) -> None:
    """How, why, where, when, in that order; existing rules."""
    answer = composed("/".join(path), question, tags=tags, locale=locale)
    parts = [answer.how, answer.why, answer.where, answer.when]
    assert answer.text == "\n\n".join(part for part in parts if part)
    assert answer.rule_ids
    assert {*answer.rule_ids} <= {rule.rule_id for rule in BOOK.rules.values()}
    assert answer.provider == PROVIDER
    assert all(question.endswith((".", "?")) for question in answer.insufficiencies)


@pytest.mark.parametrize("locale", list(Locale))
def test_an_answer_fits_a_phone(locale: Locale) -> None:
    """For every category, alone and with every single tag: 600 characters in Korean, 1,200 in English."""
    most = {Locale.KO: 600, Locale.EN: 1200}[locale]
    for path in PATHS:
        for tags in [[], *([tag] for tag in BOOK.tags)]:
            answer = composed("/".join(path), tags=tags, locale=locale)
            assert len(answer.text) <= most, (path, tags)


@pytest.mark.parametrize(
    ("category", "question", "first"),
    [
        (PET, "라벨은 꼭 떼야 하나요?", "라벨을 떼어 비닐 수거함에 넣어요."),
        (PET, "뚜껑은 닫아야 돼요?", "찌그러뜨려 부피를 줄이고 뚜껑을 닫아요."),
        (PET, "꼭 헹궈야 하나요", "물로 헹궈요."),
        (GLASS, "어디에 버려요?", "버리는 곳: 유리병 수거함"),
        (GLASS, "왜 따로 모으나요?", "깨지지 않은 병은"),
        (GLASS, "거울도 같이 넣어도 되나요?", "‘거울·전구’: 불연성 마대"),
        (METAL, "이게 뭐예요?", "사진 속 물건은 ‘금속’ 같아요."),
        ("재활용폐기물/금속류/가스용기", "구멍 뚫어야 하나요?", "가스가 남아 있을 수 있으니 구멍은 뚫지 마세요."),
        ("재활용폐기물/전지", "씻어야 하나요?", "이 물건은 씻어야 한다는 규칙이 없어요."),
        ("재활용폐기물/의류및원단", "위험한가요?", "이 물건에 대해 따로 알려진 위험은 없어요."),
    ],
)
def test_the_person_s_own_question_is_answered_first(category: str, question: str, first: str) -> None:
    """They asked before they read; and an answered question leaves nothing open."""
    answer = composed(category, question)
    assert answer.text.startswith(first)
    assert not any("찾지 못했어요" in open_one for open_one in answer.insufficiencies)


@pytest.mark.parametrize(
    ("question", "first"),
    [
        ("Do I have to rinse it?", "Rinse it with water."),
        ("Where do I put this?", "Where: the bin for clear PET bottles"),
        ("does the cap go on?", "Crush it and screw the cap back on."),
    ],
)
def test_questions_in_english_are_understood(question: str, first: str) -> None:
    """English words match from their start, whatever their ending."""
    answer = composed(PET, question, locale=Locale.EN)
    assert answer.text.startswith(first)


def test_a_question_in_the_other_language_is_understood() -> None:
    """People write as they speak, whatever their telephone is set to."""
    answer = composed(PET, "라벨 떼야 하나요?", locale=Locale.EN)
    assert answer.text.startswith("Peel off the label")


def test_a_question_about_something_excluded_cites_the_rule_that_says_so() -> None:
    """The soiled paper goes by the general rule, what becomes of receipts by the paper rule: both are cited."""
    answer = composed("재활용폐기물/종이", "영수증은 어디에 버려요?", tags=["오염_심함"])
    assert answer.rule_ids == ("general", "paper")


@pytest.mark.parametrize("question", ["", "어떻게 버려요?", "이거 분리수거 방법 알려줘", "How do I dispose of this?"])
def test_asking_how_leaves_nothing_open(question: str) -> None:
    """The whole text is the answer, so the reward isn't lost by asking."""
    answer = composed("재활용폐기물/무색페트병", question)
    assert answer.insufficiencies == ()
    assert answer.text.startswith("투명 페트병, 이렇게 버려요.\n")


def test_a_question_the_rules_don_t_answer_is_admitted() -> None:
    """Honest, and asked back as one question."""
    answer = composed(GLASS, "이 병은 누가 만들었을까요?")
    assert len(answer.insufficiencies) == 1


def test_a_remark_is_no_question() -> None:
    """“My lunch” asks for nothing, so nothing stays open."""
    answer = composed(GLASS, "점심에 마신 음료수")
    assert answer.insufficiencies == ()


@pytest.mark.parametrize(
    ("category", "count"),
    [
        (PET, 1),
        ("재활용폐기물/종이팩", 0),
        ("재활용폐기물/조명제품", 1),
        ("재활용폐기물", 1),
        ("미분류", 1),
        ("재활용폐기물/종이팩/우유팩", 0),
        ("재활용폐기물/조명제품/LED전구", 0),
        (METAL, 1),
        ("재활용폐기물/금속류/음료캔", 0),
        ("재활용폐기물/종이", 0),
        ("일반종량제폐기물", 0),
    ],
)
def test_only_what_changes_the_action_is_asked(category: str, count: int) -> None:
    """An insufficiency costs the reward, so each must earn its place."""
    for locale in Locale:
        answer = composed(category, locale=locale)
        assert len(answer.insufficiencies) == count


@pytest.mark.parametrize(
    ("tags", "question"),
    [(["무색_투명"], ""), (["유색"], ""), ([], "투명한 생수병이에요"), ([], "a clear water bottle")],
)
def test_what_the_photo_or_the_person_told_is_not_asked_again(tags: list[str], question: str) -> None:
    """Clear or coloured is settled by a tag or by the person's own words."""
    answer = composed(PET, question, tags=tags)
    assert answer.insufficiencies == ()


def test_several_things_at_once_are_asked_about() -> None:
    """The classifier speaks of one of them; which one matters to the person it can't know."""
    answer = composed(GLASS, tags=["다수_품목_혼합"])
    assert len(answer.insufficiencies) == 1


@pytest.mark.parametrize(("locale", "asked"), [(Locale.KO, "건전지·배터리인가요?"), (Locale.EN, "Is it a battery?")])
def test_whatever_looks_like_metal_is_asked_whether_it_is_a_battery(locale: Locale, asked: str) -> None:
    """A battery looks like metal, and among scrap it catches fire. A tap answers."""
    answer = composed(METAL, locale=locale)
    assert answer.insufficiencies[0].startswith(asked)
    assert any("배터리" in choice or "battery" in choice for choice in answer.choices)


@pytest.mark.parametrize("unseen", ["배터리", "형광등", "스티로폼", "비닐", "가구"])
def test_what_the_offline_model_never_recognises_is_offered(unseen: str) -> None:
    """Its candidates can't name it, so a button does."""
    answer = composed("미분류", candidates=["금속", "유리병"])
    assert any(unseen in choice for choice in answer.choices)


def test_an_abstaining_classifier_s_candidates_are_asked_about() -> None:
    """The three candidates are the shortest way to an answer."""
    answer = composed("미분류", "이게 뭐예요?", candidates=["금속", "유리병"])
    (only,) = answer.insufficiencies
    assert "금속, 유리병" in only
    assert "이렇게 버려요" not in answer.text


def test_the_classifier_s_warning_is_always_said() -> None:
    """Once: a hazard of the rule that says the same gives way to it, other hazards stay."""
    answer = composed("재활용폐기물/금속류/가스용기", warning="배터리일 수 있어요. 금속으로 버리기 전에 확인하세요.")
    assert answer.how.count("배터리") == 1
    assert "배터리일 수 있어요" in answer.how
    assert "폭발할 수 있어요" in answer.how


def test_a_rule_s_hazards_are_always_said() -> None:
    """The battery warning belongs to every metal answer."""
    for locale, word in ((Locale.KO, "배터리"), (Locale.EN, "battery")):
        assert word in composed(METAL, locale=locale).text
