"""Tables, on a terminal and off it."""

import re
import sys

import pytest
from rich.cells import cell_len

from local.cli.display import tables
from local.cli.display.tables import Column

COLUMNS = (Column("scan", whole=True), Column("text"), Column("%", number=True))
ROWS = [("01980000-0000-7000-8000-000000000000", "긴 글이에요 a long text " * 10, "7"), ("a1", "캔" * 60, "100")]


def test_off_a_terminal_nothing_is_folded_or_cut(capsys: pytest.CaptureFixture[str]) -> None:
    """`eco2 dead-letters list | grep` and a log must show the whole row in one line."""
    tables.show(COLUMNS, ROWS)
    assert capsys.readouterr().out == "scan\ttext\t%\n" + "".join("\t".join(row) + "\n" for row in ROWS)


def test_a_text_of_several_lines_stays_in_its_row(capsys: pytest.CaptureFixture[str]) -> None:
    """Whoever reads lines would take it for two."""
    tables.show([Column("text")], [("a\nb\tc",)])
    assert capsys.readouterr().out == "text\na b c\n"


@pytest.mark.parametrize("width", [60, 80, 120])
def test_a_terminal_gets_a_table_of_its_width(
    width: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Long texts are folded within their column; a Korean letter is as wide as two others."""
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    for name, value in {"TERM": "xterm-256color", "COLUMNS": str(width)}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("NO_COLOR", "1")
    tables.show(COLUMNS, ROWS)
    lines = [re.sub(r"\x1b\[[12]?m|\x1b\[0m", "", line) for line in capsys.readouterr().out.splitlines()]
    assert len(lines) > 3
    assert max(map(cell_len, lines)) <= width
    assert "…" not in "".join(lines)
    assert not re.search(r"\x1b\[[34]\d", "".join(lines))  # colours; what is bold stays so
    ends = {cell_len(line.rstrip()) for line in lines if line.rstrip().endswith(("%", "7", "100"))}
    assert len(ends) == 1
