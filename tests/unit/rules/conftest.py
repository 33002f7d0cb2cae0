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
    """A copy of it that may be edited, with little of what takes long to load.

    Few of the things that have names of their own, no district's days and bags, no outlines.
    """
    kept = {"items": {"05_film.yaml"}, "regions": {"00_nation.yaml", "gazetteer.csv", "former.csv"}}

    def left_out(folder: str, names: list[str]) -> Iterable[str]:
        return set(names) - kept.get(Path(folder).name, {*names})

    shutil.copytree(str(loader.DATA), tmp_path / "book", ignore=left_out)
    (tmp_path / "book" / "regions" / "boundaries.json").write_text("{}", "utf-8")
    return tmp_path / "book"
