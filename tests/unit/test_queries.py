"""SQL lies beside the store that runs it, and is found by name when it runs: too late for a name that is wrong."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SERVICES = ("scan_svc", "rules_svc", "character_svc", "auth_svc")
FOLDERS = sorted(folder for service in SERVICES for folder in (ROOT / service).rglob("queries"))
STORES = sorted(
    file for service in SERVICES for file in (ROOT / service).rglob("*.py") if "Queries(" in file.read_text("utf-8")
)


def names_of(package: str) -> set[str]:
    return {file.stem for file in (ROOT / package.replace(".", "/") / "queries").glob("*.sql")}


@pytest.mark.parametrize("store", STORES, ids=lambda file: file.relative_to(ROOT).as_posix())
def test_every_statement_that_a_store_names_is_there(store: Path) -> None:
    """A statement that was renamed in one place alone would be noticed by a user."""
    text = store.read_text("utf-8")
    there = set().union(
        *(names_of(package) for package in re.findall(r'"((?:scan|rules|character|auth)_svc[\w.]*)"', text))
    )
    asked = re.findall(r'(?:_sql\[|_version\(|_write\(|_put_back\(|_taken_away\(|_forget\()\s*"(\w+)"', text)
    assert set(asked) <= there


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.relative_to(ROOT).as_posix())
def test_every_statement_is_used(folder: Path) -> None:
    """What nobody runs misleads its readers."""
    service = ROOT / folder.relative_to(ROOT).parts[0]
    code = "".join(file.read_text("utf-8") for file in service.rglob("*.py"))
    assert [file.stem for file in sorted(folder.glob("*.sql")) if f'"{file.stem}"' not in code] == []
