"""What users say of a photo when they ask about it."""

import pytest

from mesh.locale import Locale
from rules_svc.answers.composer import Classification
from rules_svc.answers.remarks import Subject
from rules_svc.loading.reloader import packaged

EDITION = packaged()
UNKNOWN = "미분류"
BOTTLE = "재활용폐기물/유리병"
PET = "재활용폐기물/플라스틱류/페트병"
SEEN = ("재활용폐기물/금속류", "재활용폐기물/종이", "재활용폐기물/비닐류")


def said(remark: str, category: str = UNKNOWN, *tags: str) -> Subject:
    seen = [tuple(path.split("/")) for path in SEEN] if category == UNKNOWN else []
    return EDITION.remarks.subject(tuple(category.split("/")), tags, seen, remark)


@pytest.mark.parametrize(
    ("remark", "category", "tags"),
    [
        ("건전지예요", "재활용폐기물/전지/건전지", ()),
        ("건전지는 어디에 버려요?", "재활용폐기물/전지/건전지", ()),
        ("부푼 보조배터리예요", "재활용폐기물/전지/손상전지", ("배터리_부풂",)),
        ("it's a swollen power bank", "재활용폐기물/전지/손상전지", ("배터리_부풂",)),
        ("기름 묻은 피자 상자", "재활용폐기물/종이/피자상자", ("기름_묻음",)),
    ],
)
def test_what_the_user_names_is_taken_while_the_photo_is_unsure(
    remark: str, category: str, tags: tuple[str, ...]
) -> None:
    """With the state that they tell, in either language; then there is nothing to choose from any more."""
    subject = said(remark)
    assert ("/".join(subject.path), subject.candidates) == (category, ())
    assert set(tags) <= set(subject.tags)
    assert subject.said is not None


@pytest.mark.parametrize("remark", ["", "이거 어떻게 버려요?", "라벨은 떼야 하나요?", "뭔지 모르겠어요"])
def test_what_names_nothing_leaves_the_photo_s_candidates(remark: str) -> None:
    """A question about a part of the thing names the part, not the thing."""
    subject = said(remark)
    assert subject.said is None
    assert ["/".join(path) for path in subject.candidates] == list(SEEN)


def test_what_may_be_meant_is_a_candidate_before_those_of_the_photo() -> None:
    """It isn't sure enough to be taken, but likelier than what a blurred photo shows."""
    subject = said("배터리 빼야 하나요?")
    assert subject.path == (UNKNOWN,)
    assert ["/".join(path) for path in subject.candidates] == ["재활용폐기물/전지", *SEEN[:2]]


@pytest.mark.parametrize(
    ("category", "remark", "becomes"),
    [(BOTTLE, "소주병이에요", "재활용폐기물/유리병/보증금병"), (PET, "생수병이에요", "재활용폐기물/무색페트병/생수병")],
)
def test_a_kind_of_what_the_photo_shows_makes_it_more_exact(category: str, remark: str, becomes: str) -> None:
    """Also where the guide keeps the finer kind in another place, as the open question's choice says."""
    assert "/".join(said(remark, category).path) == becomes


@pytest.mark.parametrize(
    "remark", ["유리병", "병이에요", "라벨은 어디에 버려요?", "뚜껑도 같이 버려요?", "배터리 빼야 하나요?"]
)
def test_who_says_the_same_or_asks_about_a_part_contradicts_nothing(remark: str) -> None:
    """Only another thing does."""
    subject = said(remark, BOTTLE)
    assert ("/".join(subject.path), subject.said) == (BOTTLE, None)


@pytest.mark.parametrize(
    ("remark", "locale", "question"),
    [
        ("건전지예요", Locale.KO, "사진 속 물건은 ‘유리병’ 같은데, ‘건전지’라고 쓰셨어요. 어느 쪽인가요?"),
        ("건전지예요", Locale.EN, "The photo looks like “Glass bottle”, but you wrote “Battery”. Which is it?"),
    ],
)
def test_a_sure_photo_isn_t_overruled_but_asked_about(remark: str, locale: Locale, question: str) -> None:
    """The rules stay those of what was seen until the user has said which it is."""
    subject = said(remark, BOTTLE)
    assert "/".join(subject.path) == BOTTLE
    assert subject.said is not None
    names = [EDITION.book.taxonomy[path].name[locale] for path in (subject.path, subject.said.path)]
    found = Classification(subject.path, names[0], said="Battery" if locale is Locale.EN else names[1])
    rules = [rule.localized(locale) for rule in EDITION.book.match(subject.path, ())]
    answer = EDITION.composer.compose(found, rules, remark, locale)
    assert answer.insufficiencies[0] == question.replace("Glass bottle", names[0])
    assert answer.choices == (names[0], found.said)


def test_a_denied_state_is_taken_back_unless_it_is_dangerous() -> None:
    """Who holds the thing knows better than a photo; but a danger that was read wrongly away would hurt."""
    assert said("다 비웠어요", BOTTLE, "내용물_있음").tags == ()
    assert said("안 부풀었어요", "재활용폐기물/전지", "배터리_부풂").tags == ("배터리_부풂",)


def test_an_answer_to_an_unsure_photo_offers_its_candidates() -> None:
    """As buttons behind those for what no photo tells; each is understood as a reply."""
    found = Classification((UNKNOWN,), candidates=("금속류", "종이"))
    rules = [rule.localized(Locale.KO) for rule in EDITION.book.match((UNKNOWN,), ())]
    answer = EDITION.composer.compose(found, rules, "", Locale.KO)
    assert answer.choices[-2:] == ("금속류", "종이")
