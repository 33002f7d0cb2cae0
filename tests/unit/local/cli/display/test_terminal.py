"""Terminals that can't show everything."""

import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from google.protobuf import json_format

from eco2.scan.v1 import scan_pb2
from local.cli import main as cli
from local.cli.display import terminal

Stdout = Callable[[str], io.BytesIO]


@pytest.fixture
def stdout(monkeypatch: pytest.MonkeyPatch) -> Stdout:
    """Gives standard output another encoding; what is printed arrives in the buffer."""

    def encoded(encoding: str) -> io.BytesIO:
        buffer = io.BytesIO()
        monkeypatch.setattr("sys.stdout", io.TextIOWrapper(buffer, encoding, write_through=True))
        return buffer

    return encoded


@pytest.mark.parametrize(
    ("command", "told"), [(["-h"], b"Usage: eco2"), (["building", "leave", "--locale", "ko"], rb"\uc774\uc81c")]
)
def test_what_a_terminal_lacks_is_escaped(
    stdout: Stdout, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, command: list[str], told: bytes
) -> None:
    """LC_ALL=C is what cron jobs and slim containers have; half an answer beats a traceback."""
    printed = stdout("ascii")
    monkeypatch.setenv("VAR", str(tmp_path))
    monkeypatch.setattr("sys.argv", ["eco2", *command])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 0
    assert told in printed.getvalue()


def test_a_name_that_is_no_text_is_escaped(stdout: Stdout) -> None:
    """A photo from a Korean Windows may be called so, and is no worse for it."""
    printed = stdout("utf-8")
    terminal.degrade()
    print("사진\udcff")
    assert printed.getvalue().decode() == "사진\\udcff\n"


@pytest.mark.parametrize("encoding", ["ascii", "cp949", "utf-8"])
def test_json_remains_json(stdout: Stdout, encoding: str) -> None:
    """A program reads it; the terminal's own escapes aren't JSON's."""
    scan = scan_pb2.Scan(scan_id="a1", user_input="이코² 🙂")
    printed = stdout(encoding)
    terminal.degrade()
    print(terminal.as_json(scan))
    assert json_format.ParseDict(json.loads(printed.getvalue().decode(encoding)), scan_pb2.Scan()) == scan


def test_json_is_readable_where_it_can_be(stdout: Stdout) -> None:
    """People look at it, too."""
    stdout("utf-8")
    assert "이코" in terminal.as_json(scan_pb2.Scan(user_input="이코"))
