"""The data's shape, as `make check` judges it."""

from pathlib import Path

import pytest

from local.schemas import data_files, mistakes, schema_of


def test_every_data_file_is_checked_and_right() -> None:
    """A file that no schema describes would be judged by users."""
    files = data_files()
    assert {"tags.yaml", "01_paper.yaml", "clothing_bins.yaml", "kakao.yaml", "characters.yaml"} <= {
        file.name for file in files
    }
    # Those of the rule book's folders are judged one by one in tests/unit/rules/test_data.py: here, that each has one.
    rulebook = {file for file in files if file.parent.name in {"taxonomy", "rules", "items", "regions"}}
    assert all(schema_of(file).is_file() for file in rulebook)
    assert [mistake for file in files if file not in rulebook for mistake in mistakes(file)] == []


def test_a_mistake_is_told_with_its_place(tmp_path: Path) -> None:
    """Who edits the data must find it."""
    (tmp_path / "a.schema.json").write_text('{"type": "array", "items": {"type": "integer"}}', "utf-8")
    (tmp_path / "a.yaml").write_text("[1, two]", "utf-8")
    (mistake,) = mistakes(tmp_path / "a.yaml")
    assert "$[1]" in mistake


def test_a_file_without_a_schema_is_an_error(tmp_path: Path) -> None:
    """Else a new folder of data would go unchecked."""
    with pytest.raises(FileNotFoundError):
        schema_of(tmp_path / "b.yaml")
