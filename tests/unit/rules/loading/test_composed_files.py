"""A rule book whose files were written with separate letters, as some editors and file systems do."""

import shutil
import unicodedata
from pathlib import Path

from rules_svc.loading import loader
from rules_svc.rulebook.rulebook import Rulebook


def test_a_rule_book_in_separate_letters_is_the_same_rule_book(book: Rulebook, tmp_path: Path) -> None:
    """Every file: else a category, a region or a word of it would never be found."""
    folder = tmp_path / "book"
    shutil.copytree(str(loader.DATA), folder)
    for file in (*folder.rglob("*.yaml"), *folder.rglob("*.csv"), *folder.rglob("*.json")):
        file.write_text(unicodedata.normalize("NFD", file.read_text("utf-8")), "utf-8")
    again = loader.load(folder)
    assert list(again.taxonomy) == list(book.taxonomy)
    assert (again.rules, again.items) == (book.rules, book.items)
    assert list(again.tags) == list(book.tags)
    assert (list(again.regions), again.regions.overlays) == (list(book.regions), book.regions.overlays)
    for said in ("인천 남구", "마포구"):  # the first is a name of before 2018
        assert again.regions.find(said) == book.regions.find(said)
    assert loader.load_questions(folder) == loader.load_questions()
