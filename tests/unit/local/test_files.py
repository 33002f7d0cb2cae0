"""Files that appear whole and private."""

import subprocess
from pathlib import Path

from local.files import read_env, write_env, write_private

AWKWARD = {"ECO2_URL": "postgresql://a:b@c/d?e=f&g", "ECO2_TEXT": 'it\'s a $HOME; `date` "quoted"', "ECO2_EMPTY": ""}


def test_a_private_file_is_its_owners_alone(tmp_path: Path) -> None:
    """It holds passwords; the umask of whoever starts the stack must not matter."""
    file = tmp_path / "secret"
    write_private(file, "x")
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_private_file_is_replaced_whole(tmp_path: Path) -> None:
    """A reader that opened the old file keeps reading the old text, not a mixture."""
    file = tmp_path / "secret"
    write_private(file, "old")
    with file.open(encoding="utf-8") as reader:
        write_private(file, "new")
        assert reader.read() == "old"
    assert file.read_text(encoding="utf-8") == "new"
    assert list(tmp_path.iterdir()) == [file]


def test_a_draft_that_a_crash_left_is_overwritten(tmp_path: Path) -> None:
    """Else the next start would fail on it for ever."""
    (tmp_path / ".secret.draft").write_text("half", encoding="utf-8")
    write_private(tmp_path / "secret", "whole")
    assert (tmp_path / "secret").read_text(encoding="utf-8") == "whole"


def test_what_was_written_is_read_back(tmp_path: Path) -> None:
    """Python clients read the same file as shells."""
    write_env(tmp_path / "env", AWKWARD)
    assert read_env(tmp_path / "env") == AWKWARD


def test_a_posix_shell_can_source_it(tmp_path: Path) -> None:
    """People will type `. var/stack.env`; no value may be expanded or run."""
    write_env(tmp_path / "env", AWKWARD)
    script = f'. {tmp_path / "env"}; printf "%s|%s|%s" "$ECO2_URL" "$ECO2_TEXT" "$ECO2_EMPTY"'
    printed = subprocess.run(["/bin/sh", "-c", script], capture_output=True, text=True, check=True).stdout
    assert printed == "|".join(AWKWARD.values())
