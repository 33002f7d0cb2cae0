"""The rule book as it ships."""

import shutil
from collections.abc import Iterable
from pathlib import Path

import pytest

from rules_svc.answers.questions import Questions
from rules_svc.loading import loader
from rules_svc.loading.reloader import packaged
from rules_svc.rulebook.rulebook import Rulebook


@pytest.fixture(scope="session")
def book() -> Rulebook:
    """Taxonomy, tags and rules."""
    return packaged().book


@pytest.fixture(scope="session")
def questions() -> Questions:
    """What people ask, and what they have to be asked."""
    return loader.load_questions()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of it that may be edited, with few of the things that have names of their own: they take long to load."""

    def left_out(folder: str, names: list[str]) -> Iterable[str]:
        return set(names) - {"05_film.yaml"} if Path(folder).name == "items" else ()

    shutil.copytree(str(loader.DATA), tmp_path / "book", ignore=left_out)
    return tmp_path / "book"
