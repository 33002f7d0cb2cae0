"""A rule book whose files were written with separate letters, as some editors and file systems do."""

import shutil
import unicodedata
from dataclasses import replace
from pathlib import Path

from rules_svc.loading import loader
from rules_svc.rulebook.rulebook import Rulebook
from rules_svc.search.matcher import Matcher

# Each needs other words of the lists: last nouns, materials, items, situations.
QUESTIONS = (
    "공기청정기 필터",
    "복숭아 씨",
    "나무로 된 것",
    "휴대용 가스버너통",
    "부푼 보조배터리",
    "기름 묻은 피자박스",
)


def test_a_rule_book_in_separate_letters_is_the_same_rule_book(book: Rulebook, tmp_path: Path) -> None:
    """Every file of it, whole: else a category, a region or a word of it would never be found."""
    folder = tmp_path / "book"
    shutil.copytree(str(loader.DATA), folder)
    written = [file for file in folder.rglob("*") if file.suffix in {".yaml", ".csv", ".json"}]
    for file in written:
        file.write_text(unicodedata.normalize("NFD", file.read_text("utf-8")), "utf-8")
    again = loader.load(folder)
    assert again.version != book.version, "nothing was written otherwise"
    compounds = book.taxonomy.compounds  # has no equality: the questions below compare it
    assert replace(again, version=book.version, taxonomy=replace(again.taxonomy, compounds=compounds)) == book
    assert loader.load_questions(folder) == loader.load_questions()
    matchers = Matcher.of(again), Matcher.of(book)
    for question in QUESTIONS:
        here, there = (matcher.read(question) for matcher in matchers)
        assert here == there, question
        assert here.items, question
