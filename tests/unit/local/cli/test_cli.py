"""The command line itself: every command explains itself, and fails in words."""

from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from local.cli import main as cli
from local.cli import operations, scanning

COMMANDS = [
    *([name] for name in ("up", "demo", "scan", "schedule", "watch", "history", "token", "doctor", "migrate", "queue")),
    ["dead-letters", "list"],
    ["dead-letters", "replay"],
    ["dead-letters", "archive"],
    ["webhooks", "list"],
    ["webhooks", "redeliver"],
    ["accuracy"],
    ["login"],
    ["logout"],
    ["export"],
    ["delete-account"],
    ["rules", "show"],
    ["places", "near"],
    ["places", "import"],
    *(["building", name] for name in ("create", "show", "update", "delete", "join", "leave")),
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


@pytest.mark.parametrize(
    "command", [["history"], ["watch", "a1"], ["token"], ["migrate"], ["queue"], ["dead-letters", "list"]]
)
def test_without_a_stack_a_command_says_what_to_do(
    command: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """No traceback: the commonest mistake of the first day."""
    monkeypatch.setattr("sys.argv", ["eco2", *command, "--var", str(tmp_path)])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 1
    assert "eco2 up" in capsys.readouterr().err


def test_a_missing_folder_is_told_before_anything_is_exported(tmp_path: Path) -> None:
    """An export may take minutes."""
    result = CliRunner().invoke(cli.app, ["export", str(tmp_path / "missing" / "mine.zip"), "--var", str(tmp_path)])
    assert result.exit_code == 2
    assert "there is no folder" in result.output


def test_half_a_location_is_refused(tmp_path: Path) -> None:
    """A latitude alone is no place."""
    photo = tmp_path / "photo.jpg"
    photo.touch()
    result = CliRunner().invoke(cli.app, ["scan", str(photo), "--lat", "37.5"])
    assert result.exit_code == 2
    assert "--lon" in result.output


@pytest.mark.parametrize(
    ("name", "media_type"),
    [
        ("a.jpg", "image/jpeg"),
        ("A.JPEG", "image/jpeg"),
        ("a.png", "image/png"),
        ("a.webp", "image/webp"),
        ("a.heic", "image/heic"),
        ("a.heif", "image/heif"),
    ],
)
def test_a_photo_is_announced_as_its_name_says_on_any_machine(
    name: str, media_type: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A slim image has no /etc/mime.types, and Python 3.11 alone knows neither WebP nor HEIC."""
    monkeypatch.setattr("mimetypes.guess_type", lambda *_: (None, None))
    assert scanning.content_type(Path(name)) == media_type


@pytest.mark.parametrize("command", [["scan"], ["demo", "--photo"]], ids=" ".join)
@pytest.mark.parametrize("name", ["photo.gif", "photo"])
def test_what_is_no_photo_by_its_name_is_refused_at_once(command: list[str], name: str, tmp_path: Path) -> None:
    """Before a stack is started or asked for: the API would refuse it in other words."""
    photo = tmp_path / name
    photo.touch()
    result = CliRunner().invoke(cli.app, [*command, str(photo)])
    assert result.exit_code == 2
    assert "HEIC" in result.output


@pytest.mark.parametrize("named", [[], ["a1", "--all"]], ids=["nothing", "one and all"])
def test_a_replay_says_what_it_replays(named: list[str]) -> None:
    """All of them is a decision, not a default."""
    result = CliRunner().invoke(cli.app, ["dead-letters", "replay", *named])
    assert result.exit_code == 2
    assert "--all" in result.output


@pytest.mark.parametrize(("text", "seconds"), [("90s", 90), ("30m", 1800), ("2h", 7200), ("7d", 604_800)])
def test_ages_are_written_as_people_say_them(text: str, seconds: int) -> None:
    """Nobody counts seconds at night."""
    assert operations.age(text) == seconds


@pytest.mark.parametrize("text", ["", "2", "2w", "-2h", "2h30m", "3651d", "9" * 5000 + "d"])
def test_an_age_that_isnt_one_is_refused(text: str) -> None:
    """A wrong guess would replay the wrong letters."""
    with pytest.raises(typer.BadParameter):
        operations.age(text)
