"""What the runbooks name is there: commands, settings, log lines, panels. Nobody looks for them at night."""

import re
from pathlib import Path

import click
import pytest

from local.cli.commands import eco2
from monitoring.dashboards import BOARDS
from tests.support.documents import ROOT

RUNBOOKS = sorted((ROOT / "docs" / "runbooks").glob("Eco2*.md"))
SETTINGS = (ROOT / "docs" / "configuration.md").read_text("utf-8")
SERVICES = ("mesh", "scan_svc", "vision_svc", "rules_svc", "character_svc", "auth_svc", "ratelimit_svc")
SOURCES = "\n".join(file.read_text("utf-8") for name in SERVICES for file in sorted((ROOT / name).rglob("*.py")))
TITLES = {board.title for board in BOARDS} | {
    panel.title for board in BOARDS for row in board.rows for panel in row.panels
}

ids = pytest.mark.parametrize("page", RUNBOOKS, ids=lambda page: page.stem)


def prose(page: Path) -> str:
    """A page on one line, so that a name is found across the end of one."""
    return " ".join(page.read_text("utf-8").split())


@ids
def test_commands_are_ours(page: Path) -> None:
    """`eco2 queue`, `eco2 dead-letters list --stage STAGE`."""
    for words in re.findall(r"`eco2 ([^`]+)`", prose(page)):
        command: click.Command = eco2
        for word in words.split():
            if not isinstance(command, click.Group) or word.startswith("-"):
                break
            found = command.get_command(click.Context(command), word)
            assert found, words
            command = found
        assert set(re.findall(r"--[a-z-]+", words)) <= {name for option in command.params for name in option.opts}


@ids
def test_settings_are_documented(page: Path) -> None:
    """By the names that docs/configuration.md has."""
    assert [name for name in re.findall(r"`(ECO2_[A-Z0-9_]+)", prose(page)) if f"`{name}`" not in SETTINGS] == []


@ids
def test_log_lines_are_written_so(page: Path) -> None:
    """Whoever searches for one must find it."""
    told = re.findall(r"log events? (`[^`]+`(?:, `[^`]+`)*)", prose(page))
    assert [event for each in told for event in re.findall(r"`([^`]+)`", each) if f'"{event}"' not in SOURCES] == []


@ids
def test_panels_have_these_titles(page: Path) -> None:
    """Dashboards and panels stand in italics."""
    text = re.sub("`[^`]*`", "", prose(page))
    assert set(re.findall(r"(?<!\*)\*([^*]+)\*(?!\*)", text)) - TITLES == set()
