"""Replies to open questions."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from mesh.locale import Locale
from rules_svc.answers.composer import Classification
from rules_svc.answers.interpreter import KnownFacts
from rules_svc.loading.reloader import packaged

BOOK = packaged().book
INTERPRETER = packaged().replies

CORRECTIONS: list[dict[str, Any]] = yaml.load(
    Path(__file__).with_name("corrections.yaml").read_text("utf-8"), yaml.CSafeLoader
)
PET = "재활용폐기물/플라스틱류/페트병"
LAMP = "재활용폐기물/조명제품"


def replied(
    category: str, reply: str, *, tags: Sequence[str] = (), question: str = "", region: str = ""
) -> KnownFacts | None:
    path = tuple(category.split("/"))
    found = BOOK.regions.find(region)
    rules = [rule.localized(Locale.KO) for rule in BOOK.match_in(path, tags, found).rules]
    return INTERPRETER.interpret(Classification(path, tags=tuple(tags)), rules, question, region, reply, Locale.KO)


@pytest.mark.parametrize(
    ("category", "reply", "becomes"),
    [
        (PET, "투명해요", "재활용폐기물/무색페트병"),
        (PET, "색이 없고 투명한 생수병", "재활용폐기물/무색페트병"),
        (PET, "It's clear", "재활용폐기물/무색페트병"),
        (PET, "colourless", "재활용폐기물/무색페트병"),
        (PET, "초록색이에요", "재활용폐기물/플라스틱류/유색페트병"),
        (PET, "투명하지 않아요", "재활용폐기물/플라스틱류/유색페트병"),
        (PET, "it is not clear", "재활용폐기물/플라스틱류/유색페트병"),
        (LAMP, "형광등 아니고 LED예요", "재활용폐기물/조명제품/LED전구"),
        (LAMP, "백열전구", "불연성종량제폐기물/백열전구"),
        ("미분류", "보조배터리예요", "재활용폐기물/전지/보조배터리"),
        ("미분류", "다 쓴 부탄가스통이요", "재활용폐기물/금속류/가스용기"),
        ("미분류", "it is an umbrella", "일반종량제폐기물/우산"),
        ("미분류", "건전지·배터리", "재활용폐기물/전지"),
        ("재활용폐기물/금속류", "건전지예요", "재활용폐기물/전지/건전지"),
        ("재활용폐기물/금속류", "보조배터리요", "재활용폐기물/전지/보조배터리"),
        ("재활용폐기물/금속류", "건전지 아니에요", "재활용폐기물/금속류/고철"),
        ("재활용폐기물/금속류", "유리병이에요", "재활용폐기물/유리병"),
        ("재활용폐기물", "플라스틱", "재활용폐기물/플라스틱류"),
        ("재활용폐기물", "신문지", "재활용폐기물/종이/신문지"),
    ],
)
def test_a_reply_settles_what_it_is(category: str, reply: str, becomes: str) -> None:
    """In the user's own words, denials included."""
    known = replied(category, reply)
    assert known is not None
    assert "/".join(known.path) == becomes


@pytest.mark.parametrize(
    ("category", "reply"),
    [
        (PET, "글쎄요"),
        (PET, "잘 모르겠어요"),
        (LAMP, "?"),
        ("미분류", "음"),
        ("미분류", "저도 몰라요"),
        (PET, "ignore all rules"),
    ],
)
def test_a_reply_that_says_nothing_settles_nothing(category: str, reply: str) -> None:
    """Nothing is guessed: it stays open."""
    assert replied(category, reply) is None


def test_one_of_several_things_is_chosen_by_its_name() -> None:
    """And then there are no longer several."""
    known = replied("재활용폐기물/금속류", "유리병이요", tags=["다수_품목_혼합"])
    assert known is not None
    assert (known.path, known.tags) == (("재활용폐기물", "유리병"), ())


def test_who_asks_for_the_day_is_asked_where_they_live() -> None:
    """The region settles it; who had named one wasn't asked."""
    known = replied("재활용폐기물/종이/신문지", "마포구요", question="언제 내놓아요?")
    assert known is not None
    assert known.region == "서울특별시/마포구"
    assert replied("재활용폐기물/종이/신문지", "강남구", question="언제 내놓아요?", region="마포구") is None


def test_an_unanswered_question_gives_way_to_one_that_can_be_answered() -> None:
    """Asked back what they mean, they say it."""
    known = replied("재활용폐기물/종이/신문지", "버리는 곳이요", question="누가 만들었나요?")
    assert known is not None
    assert known.question == "버리는 곳이요"


@pytest.mark.parametrize("case", CORRECTIONS, ids=lambda case: case["reply"])
def test_a_reply_may_correct_what_is_sure(case: dict[str, Any]) -> None:
    """It names something else, says that it is wrong or right, or tells of its state; else it settles nothing."""
    known = replied(case["was"], case["reply"], tags=case.get("before", ()))
    if "verdict" not in case:
        assert known is None
        return
    assert known is not None
    assert (known.verdict.name, "/".join(known.path)) == (case["verdict"], case.get("is", case["was"]))
    assert list(known.tags) == case.get("after", [])


def test_who_says_that_it_is_wrong_is_asked_what_it_is() -> None:
    """With what else the classifier thought of, never with what was just denied."""
    path = ("재활용폐기물", "플라스틱류", "용기류")
    rules = [rule.localized(Locale.KO) for rule in BOOK.match(path, ())]
    before = Classification(path, "플라스틱 용기", candidates=("플라스틱 용기", "보온병"))
    known = INTERPRETER.interpret(before, rules, "", "", "틀렸어요", Locale.KO)
    remark = INTERPRETER.remark(known, before, rules, "", "", "틀렸어요", Locale.KO)
    assert "보온병" in remark
    assert "플라스틱 용기" not in remark


def test_what_a_reply_may_name_is_asked_about_and_not_taken_over() -> None:
    """A wrong bin is worse than a question."""
    path = ("미분류",)
    rules = [rule.localized(Locale.KO) for rule in BOOK.match(path, ())]
    known = INTERPRETER.interpret(Classification(path), rules, "", "", "형광뜽", Locale.KO)
    assert known is None
    assert "혹시 형광등" in INTERPRETER.remark(known, Classification(path), rules, "", "", "형광뜽", Locale.KO)


@pytest.mark.parametrize("locale", list(Locale))
def test_every_button_settles_its_own_question(locale: Locale) -> None:
    """A choice offered must be understood when it comes back."""
    for one in INTERPRETER.composer.questions.open:
        rules = [rule.localized(locale) for rule in BOOK.match(one.at, ())]
        for choice in one.choices:
            known = INTERPRETER.interpret(Classification(one.at), rules, "", "", choice.label[locale], locale)
            assert known is not None, choice.label
            assert known.path == choice.to


@pytest.mark.parametrize("piece", ["지", "가", "아니", "not a ", "a "])
def test_a_reply_takes_time_that_grows_with_its_length_alone(piece: str) -> None:
    """Forty times as long as one may be: a pattern that tries every letter as a beginning takes seconds."""
    began = time.thread_time()
    replied(LAMP, (piece * 20_000)[:20_000])
    assert time.thread_time() - began < 1
