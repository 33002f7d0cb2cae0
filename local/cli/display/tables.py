"""Rows for people at a terminal, and the same rows for programs that read them."""

import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from local.cli.display import terminal


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table.

    Attributes:
        heading: Its heading.
        number: Whether it holds numbers, which stand at the right.
        whole: Whether its texts are never folded: ids, to be copied.
    """

    heading: str
    number: bool = False
    whole: bool = False


def columns(*headings: str) -> list[Column]:
    """Columns of text."""
    return [Column(heading) for heading in headings]


def show(table: Sequence[Column], rows: Iterable[Sequence[str]]) -> None:
    """Prints a table; off a terminal, a line a row with tabs between, since nothing may be folded or cut there.

    Args:
        table: Its columns.
        rows: A text for each column.
    """
    if not sys.stdout.isatty():
        for row in ([column.heading for column in table], *rows):
            print("\t".join(map(_one_line, row)))
        return
    from rich.table import Table

    drawn = Table(box=None, pad_edge=False)
    for column in table:
        justify: Literal["left", "right"] = "right" if column.number else "left"
        drawn.add_column(column.heading, justify=justify, no_wrap=column.whole, overflow="fold")
    for row in rows:
        drawn.add_row(*row)
    terminal.console().print(drawn)


def _one_line(text: str) -> str:
    """A text in which neither tab nor line end would be taken for a row's."""
    return " ".join(text.split()) if any(sign in text for sign in "\t\r\n") else text
