"""What people say of a thing's state, in both languages, denials included."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from rules_svc.loading.reloader import packaged
from rules_svc.rulebook.rulebook import Rulebook
from rules_svc.search.matcher import Matcher

CASES: list[dict[str, Any]] = yaml.load(Path(__file__).with_name("states.yaml").read_text("utf-8"), yaml.CSafeLoader)


@pytest.fixture(scope="module")
def matcher() -> Matcher:
    """The matcher of the rule book as it ships."""
    return packaged().matcher


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["text"])
def test_what_people_say_sets_and_denies_tags(matcher: Matcher, case: dict[str, Any]) -> None:
    """Neither more nor less than what was said."""
    reading = matcher.read(case["text"], of=tuple(case["of"].split("/")) if case["of"] else None)
    assert {said.tag for said in reading.tags} == set(case.get("so", ()))
    assert {said.tag for said in reading.denied} == set(case.get("not", ()))


def test_every_tag_has_words_in_both_languages(book: Rulebook) -> None:
    """What can't be said can't be set."""
    for tag in book.tags.values():
        patterns = [word for words in tag.said for pattern in words.said for part in pattern for word in part]
        assert any(word.isascii() for word in patterns), tag.key
        assert any(not word.isascii() for word in patterns), tag.key


def test_the_name_of_a_tag_says_it(book: Rulebook, matcher: Matcher) -> None:
    """The buttons and the list of situations show these names; sent back, they must be understood."""
    for tag in book.tags.values():
        of = tag.effects[0].scopes[0]
        for name in (tag.name.ko, tag.name.en):
            assert tag.key in matcher.read(name, of=of).tag_keys, name
