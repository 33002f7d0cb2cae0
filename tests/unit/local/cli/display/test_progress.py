"""Progress in a terminal and in a log."""

import re
import sys

import pytest
from rich.cells import cell_len

from eco2.scan.v1 import scan_pb2
from local.cli.display.progress import board


def states(*steps: tuple[int, str, str]) -> list[scan_pb2.Scan]:
    """Scans at these percents, stages and messages."""
    return [
        scan_pb2.Scan(progress=scan_pb2.ScanProgress(percent=percent, stage=stage, message=message))
        for percent, stage, message in steps
    ]


STEPS = states((10, "vision", "Fetching [1/3]"), (10, "vision", "Fetching [1/3]"), (100, "done", "Done"))


def on_terminal(monkeypatch: pytest.MonkeyPatch, width: int = 100) -> None:
    """Has standard error be a terminal. Called by the test itself: capsys replaces the stream after each fixture."""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    for name, value in {"TERM": "xterm-256color", "COLUMNS": str(width), "LINES": "24"}.items():
        monkeypatch.setenv(name, value)


def shown(capsys: pytest.CaptureFixture[str], *, many: bool = False, silent: bool = False) -> str:
    """What is shown of two photos' steps."""
    with board(silent=silent, many=many) as shows:
        for state in STEPS:
            for name in ("a.png", "b.png") if many else ("a.png",):
                shows.update(name, state)
        for name in ("a.png", "b.png"):
            shows.remove(name)
    printed = capsys.readouterr()
    assert printed.out == ""
    return printed.err


def test_a_log_gets_one_line_a_change(capsys: pytest.CaptureFixture[str]) -> None:
    """CI keeps the output: no control characters, no repetition, brackets as they are."""
    assert shown(capsys).splitlines() == [" 10 %  vision  Fetching [1/3]", "100 %  done    Done"]


def test_of_several_photos_each_line_says_which(capsys: pytest.CaptureFixture[str]) -> None:
    """They get on side by side."""
    assert shown(capsys, many=True).splitlines()[:2] == [
        f"{name}:  10 %  vision  Fetching [1/3]" for name in ("a.png", "b.png")
    ]


def test_a_terminal_gets_a_bar_with_the_stages_message(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The message says what takes so long."""
    on_terminal(monkeypatch)
    drawn = shown(capsys)
    assert "Done" in drawn
    assert "100%" in drawn


@pytest.mark.parametrize("width", [30, 100])
def test_of_several_photos_each_has_a_bar_on_a_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    """With its name; what doesn't fit a narrow terminal is cut, Korean letters by their width."""
    on_terminal(monkeypatch, width)
    names = ("사진.png", "b.png")
    with board(silent=False, many=True) as shows:
        for name in names:
            shows.update(name, STEPS[0])
    drawn = [re.sub(r"\x1b\[[\d;?]*[A-Za-z]", "", line) for line in capsys.readouterr().err.splitlines()]
    for name in names:
        assert [line for line in drawn if name[:2] in line]
    assert max(map(cell_len, drawn)) <= width


def test_a_dumb_terminal_gets_lines(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """It can't draw over them."""
    on_terminal(monkeypatch)
    monkeypatch.setenv("TERM", "dumb")
    assert "\x1b" not in shown(capsys)


def test_a_program_gets_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    """It reads documents."""
    assert shown(capsys, silent=True) == ""
