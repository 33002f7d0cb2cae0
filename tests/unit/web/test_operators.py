"""What the operators' page promises of its own files, as they stand in `web/operators`."""

import re

import pytest

from local.stack.operators import PAGE

MODULES = {file.name: file.read_text(encoding="utf-8") for file in PAGE.glob("*.js")}
_, ENGLISH, KOREAN = re.split(r"^  (?:en|ko): \{$", MODULES["words.js"], flags=re.MULTILINE)


def texts(language: str) -> dict[str, set[str]]:
    """The names of a language's texts, each with the values that it takes."""
    found = re.findall(r'(\w+): "([^"]*)"', language)
    return {name: {*re.findall(r"\{(\d)\}", text)} for name, text in found}


def test_both_languages_have_the_same_texts_with_the_same_values() -> None:
    """A text that one of them lacks would be shown as its own name."""
    assert texts(ENGLISH)
    assert texts(ENGLISH) == texts(KOREAN)


@pytest.mark.parametrize("name", MODULES)
def test_every_text_that_is_asked_for_is_there(name: str) -> None:
    """By its name, as the heading of a column, or as a view's title."""
    asked = re.findall(r'\b(?:t|number)\("(\w+)"|^  title: "(\w+)"', MODULES[name], re.MULTILINE)
    assert {one or another for one, another in asked} - texts(ENGLISH).keys() == set()


def test_nothing_is_parsed_as_html() -> None:
    """What a server says, a reason or an address above all, stays text."""
    found = re.compile(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|DOMParser|\beval\(|new Function")
    assert [name for name, module in MODULES.items() if found.search(module)] == []
