"""Tables, on a terminal and off it."""

from io import StringIO

import pytest
from rich.console import Console
from rich.table import Column

from local.cli.display import tables

COLUMNS = (Column("scan", no_wrap=True), Column("text"))
ROWS = [("01980000-0000-7000-8000-000000000000", "a long text " * 20)]


def test_off_a_terminal_nothing_is_folded_or_cut() -> None:
    """`eco2 dead-letters list | grep` and a log must show the whole row in one line."""
    output = StringIO()
    tables.show(Console(file=output, width=80), COLUMNS, ROWS)
    assert output.getvalue() == "scan\ttext\n" + "\t".join(ROWS[0]) + "\n"


@pytest.mark.parametrize("width", [80, 120])
def test_a_terminal_gets_a_table_of_its_width(width: int) -> None:
    """Long texts are folded within their column."""
    output = StringIO()
    tables.show(Console(file=output, width=width, force_terminal=True, color_system=None), COLUMNS, ROWS)
    lines = output.getvalue().splitlines()
    assert len(lines) > 2
    assert max(map(len, lines)) <= width
