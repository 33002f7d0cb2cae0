"""What the users' page promises of its own files, as they stand in `web/app`."""

import re

from local.stack.page import FOLDER

MODULES = {file.name: file.read_text(encoding="utf-8") for file in FOLDER.glob("*.js")}
PAGE = (FOLDER / "index.html").read_text(encoding="utf-8")


def test_both_languages_have_the_same_texts_with_the_same_values() -> None:
    """A text without words would stop a view."""
    korean, english = (dict(_texts(MODULES[f"words.{language}.js"])) for language in ("ko", "en"))

    assert korean.keys() == english.keys()
    values = {name: {*re.findall(r"\{(\w+)\}", text)} for name, text in korean.items()}
    assert values == {name: {*re.findall(r"\{(\w+)\}", text)} for name, text in english.items()}


def test_every_text_that_is_asked_for_is_there() -> None:
    """Also those whose names come from a table."""
    texts = dict(_texts(MODULES["words.en.js"]))
    asked = {name for module in MODULES.values() for name in re.findall(r'\bt\("([\w.]+)"', module)}

    assert asked - texts.keys() == set()


def test_every_module_is_loaded_at_once() -> None:
    """Else the browser finds out about the next ones only when it has read the last."""
    preloaded = re.findall(r'modulepreload" href="/app/([\w.-]+)"', PAGE)

    assert preloaded == sorted(MODULES.keys() - {"main.js"})


def test_nothing_is_parsed_as_html() -> None:
    """What a server says, a thing's name above all, stays text."""
    found = re.compile(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|DOMParser|\beval\(|new Function")
    assert [name for name, module in MODULES.items() if found.search(module)] == []


def _texts(module: str) -> list[tuple[str, str]]:
    return re.findall(r'^  "?([\w.]+)"?: "(.*)",$', module, re.MULTILINE)
