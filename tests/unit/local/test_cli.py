"""The command line itself: every command explains itself, and fails in words."""

from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from local import cli

COMMANDS = [
    *([name] for name in ("up", "demo", "scan", "watch", "history", "token", "doctor", "migrate")),
    ["dead-letters", "list"],
    ["dead-letters", "replay"],
]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_has_help(command: list[str]) -> None:
    """A newcomer asks the command, not the source."""
    result = CliRunner().invoke(cli.app, [*command, "--help"])
    assert result.exit_code == 0
    assert "Usage:" in result.output


def test_the_list_of_commands_is_complete() -> None:
    """A new command must come with a help test."""
    group = typer.main.get_command(cli.app)
    assert set(getattr(group, "commands", {})) == {command[0] for command in COMMANDS}


@pytest.mark.parametrize("command", [["history"], ["watch", "a1"], ["token"], ["migrate"], ["dead-letters", "list"]])
def test_without_a_stack_a_command_says_what_to_do(
    command: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """No traceback: the commonest mistake of the first day."""
    monkeypatch.setattr("sys.argv", ["eco2", *command, "--var", str(tmp_path)])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 1
    assert "eco2 up" in capsys.readouterr().err


def test_half_a_location_is_refused(tmp_path: Path) -> None:
    """A latitude alone is no place."""
    photo = tmp_path / "photo.jpg"
    photo.touch()
    result = CliRunner().invoke(cli.app, ["scan", str(photo), "--lat", "37.5"])
    assert result.exit_code == 2
    assert "--lon" in result.output
