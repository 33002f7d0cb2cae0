"""What can hurt people: from the words they type to the answer they read. The cases: `safety.yaml`."""

import itertools
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from mesh.locale import Locale
from rules_svc.answers.composer import Classification, Composer
from rules_svc.answers.questions import Questions
from rules_svc.loading.reloader import packaged
from rules_svc.rulebook.regions import ResolvedRegion
from rules_svc.rulebook.rulebook import Rulebook
from rules_svc.rulebook.rules import Rule
from rules_svc.rulebook.taxonomy import Path as Category
from rules_svc.rulebook.taxonomy import within
from rules_svc.search.matcher import Matcher, Reading

FILE: dict[str, Any] = yaml.load(Path(__file__).with_name("safety.yaml").read_text("utf-8"), yaml.CSafeLoader)
CASES: list[dict[str, Any]] = FILE["told"]
SAID = [(said, case) for case in CASES for said in case["say"]]
SOMEWHERE = ResolvedRegion(said="어딘가")

# Where other people reach in, or a press crushes what is inside.
ORDINARY = re.compile(
    r"(?<!매립용 )종량제봉투|재질별"
    r"|(?:종이|종이팩|플라스틱|페트병 전용|비닐|스티로폼|캔|고철|유리병|의류|음식물[가-힣 ]*) 수거함"
)
DANGEROUS = (
    ("생활계유해폐기물",),
    ("재활용폐기물", "전지"),
    *(("재활용폐기물", "조명제품", name) for name in ("형광등", "콤팩트형광등", "고압방전램프")),
    ("불연성종량제폐기물", "깨진조명"),
    ("대형폐기물", "소화기"),
    *(("재활용폐기물", "전기전자제품", name) for name in ("배터리내장제품", "휴대전화", "전자담배", "화재·가스감지기")),
)
# Nobody else takes them; the rule says how they are made harmless first.
MADE_HARMLESS = {"hazardous.needles": "단단한", "general.matches": "적셔", "general.fireworks": "물에 담가"}


@pytest.fixture(scope="module")
def matcher() -> Matcher:
    """Reads what people say, with the rule book as it ships."""
    return packaged().matcher


def test_every_case_says_why() -> None:
    """A reason is what a later editor has to answer."""
    assert len(SAID) + len(FILE["unsure"]) >= 200
    assert all(case["because"].endswith(".") for case in CASES)


@pytest.mark.parametrize(("said", "case"), SAID, ids=[said for said, _ in SAID])
def test_what_is_dangerous_is_told_as_such(
    book: Rulebook, questions: Questions, matcher: Matcher, said: str, case: dict[str, Any]
) -> None:
    """The rule, and the answer composed of it, in both languages, whatever was asked in."""
    reading = matcher.read(said)
    assert reading.item, reading
    where = book.regions.find(case["region"]) if "region" in case else SOMEWHERE
    tags = _situation(reading, case.get("tags", ()))
    rules = book.match_in(reading.item.path, tags, where).rules
    for locale in Locale:
        told = [rule.localized(locale) for rule in rules]
        followed = told[0]
        rule = "\n".join([*followed.steps, *followed.hazards, followed.container, followed.when])
        classification = Classification(reading.item.path, tags=tuple(tags))
        answer = Composer(questions).compose(classification, told, "", locale).text
        for text in (rule, answer):
            for words in case[locale]:
                assert any(word in text for word in words), (words, text)
            assert not [word for word in case["never"] if word in text], text


@pytest.mark.parametrize("said", FILE["unsure"])
def test_the_first_guess_at_something_dangerous_is_dangerous_too(book: Rulebook, matcher: Matcher, said: str) -> None:
    """Who only means something like it is asked about it, and isn't offered an ordinary bin first."""
    reading = matcher.read(said)
    if reading.items:
        rule = book.match_in(reading.items[0].path, _situation(reading), SOMEWHERE).rules[0]
        assert not _ordinary(rule), (reading.items[0], rule.container.ko)


def test_nothing_dangerous_ends_in_an_ordinary_bin_in_any_situation(book: Rulebook) -> None:
    """Each dangerous category in each two situations."""
    wrong = {}
    for path in _dangerous(book):
        changing = [key for key in book.tags if book.match(path, [key])[0].applied_tags]
        for many in range(3):
            for tags in itertools.combinations(changing, many):
                if _ordinary(rule := book.match(path, tags)[0]):
                    wrong["/".join(path), tags] = rule.container.ko
    assert wrong == {}


def test_nothing_dangerous_ends_in_an_ordinary_bin_in_any_region(book: Rulebook) -> None:
    """Not where a region does things its own way, and not with its days and bags."""
    wrong = {}
    for region in filter(None, map(book.regions.of_key, book.regions.overlays)):
        for path in _dangerous(book):
            if _ordinary(rule := book.match_in(path, (), ResolvedRegion(region, region.key)).rules[0]):
                wrong["/".join(path), region.key] = rule.container.ko
    assert wrong == {}


def test_dangerous_rules_name_their_source_and_its_date(book: Rulebook) -> None:
    """Whoever doubts one can look it up."""
    fixed = [rule for rule in book.rules.values() if rule.fixed]
    assert len(fixed) >= 11
    for rule in fixed:
        for locale in Locale:
            assert re.search(r"20\d\d-\d\d-\d\d", rule.source[locale]), rule.rule_id


def test_no_situation_changes_a_dangerous_rule(book: Rulebook) -> None:
    """Steps of another rule beside its own would contradict them."""
    for path, rule in book.rules.items():
        if rule.fixed:
            for tag in book.tags:
                changed = book.match(path, [tag])[0]
                assert (changed.rule_id, changed.steps, changed.container) == (rule.rule_id, rule.steps, rule.container)


def _situation(reading: Reading, tags: Sequence[str] = ()) -> list[str]:
    """What is said of the thing, what it always is, and what else is known."""
    return list(dict.fromkeys((*tags, *reading.tag_keys, *(reading.items[0].tags if reading.items else ()))))


def _dangerous(book: Rulebook) -> Iterator[Category]:
    for node in book.taxonomy:
        if book.match(node.path, ())[0].fixed or any(within(node.path, danger) for danger in DANGEROUS):
            yield node.path


def _ordinary(rule: Rule) -> bool:
    """Whether it goes where it would hurt somebody."""
    harmless = MADE_HARMLESS.get(rule.rule_id)
    if harmless is not None and any(harmless in step.text.ko for step in rule.steps):
        return False
    return bool(ORDINARY.search(rule.container.ko))
