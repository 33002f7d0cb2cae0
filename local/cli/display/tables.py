"""Rows for people at a terminal, and the same rows for programs that read them."""

from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.table import Column, Table


def show(console: Console, columns: Sequence[Column], rows: Iterable[Sequence[str]]) -> None:
    """Prints a table; off a terminal, a line a row with tabs between, since nothing may be folded or cut there.

    Args:
        console: Where to.
        columns: Their headings and looks.
        rows: A text for each column.
    """
    if not console.is_terminal:
        for row in ([str(column.header) for column in columns], *rows):
            print(*row, sep="\t", file=console.file)  # without rich, which turns tabs into spaces
        return
    table = Table(*(column.copy() for column in columns), box=None)  # rich counts a table's rows in its columns
    for row in rows:
        table.add_row(*row)
    console.print(table)
