"""What can hurt people: from the words they type to the answer they read. The cases: `safety.yaml`."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from mesh.locale import Locale
from rules_svc.answers.composer import Classification, Composer
from rules_svc.answers.questions import Questions
from rules_svc.rulebook.regions import ResolvedRegion
from rules_svc.rulebook.rulebook import Rulebook
from rules_svc.search.index import ItemIndex

CASES: list[dict[str, Any]] = yaml.safe_load(Path(__file__).with_name("safety.yaml").read_text("utf-8"))
SAID = [(said, case) for case in CASES for said in case["say"]]


@pytest.fixture(scope="module")
def index(book: Rulebook) -> ItemIndex:
    """The index of the rule book as it ships."""
    return ItemIndex.of(book)


def test_every_case_says_why() -> None:
    """A reason is what a later editor has to answer."""
    assert len(SAID) >= 90
    assert all(case["because"].endswith(".") for case in CASES)


@pytest.mark.parametrize(("said", "case"), SAID, ids=[said for said, _ in SAID])
def test_what_is_dangerous_is_told_as_such(
    book: Rulebook, questions: Questions, index: ItemIndex, said: str, case: dict[str, Any]
) -> None:
    """The rule, and the answer composed of it, in both languages, whatever was asked in."""
    found = index.search(said, 1)
    assert found, said
    assert found[0].sure, found
    tags = case.get("tags", [])
    rules = book.match_in(found[0].path, tags, ResolvedRegion(said="어딘가")).rules
    for locale in Locale:
        told = [rule.localized(locale) for rule in rules]
        followed = told[0]
        rule = "\n".join([*followed.steps, *followed.hazards, followed.container, followed.when])
        classification = Classification(found[0].path, tags=tuple(tags))
        answer = Composer(questions).compose(classification, told, "", locale).text
        for text in (rule, answer):
            for words in case[locale]:
                assert any(word in text for word in words), (words, text)
            assert not [word for word in case["never"] if word in text], text


def test_dangerous_rules_name_their_source_and_its_date(book: Rulebook) -> None:
    """Whoever doubts one can look it up."""
    fixed = [rule for rule in book.rules.values() if rule.fixed]
    assert len(fixed) >= 10
    for rule in fixed:
        if rule.rule_id != "bulky.extinguisher":
            assert re.search(r"20\d\d-\d\d-\d\d", rule.source.ko), rule.rule_id
            assert re.search(r"20\d\d-\d\d-\d\d", rule.source.en), rule.rule_id


def test_no_situation_changes_a_dangerous_rule(book: Rulebook) -> None:
    """Steps of another rule beside its own would contradict them."""
    for path, rule in book.rules.items():
        if rule.fixed:
            for tag in book.tags:
                changed = book.match(path, [tag])[0]
                assert (changed.rule_id, changed.steps, changed.container) == (rule.rule_id, rule.steps, rule.container)
