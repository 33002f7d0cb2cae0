"""An XLSX file that is written row by row, so that ten thousand rows take no more memory than a hundred.

XlsxWriter keeps one row in memory, and the sheets in files that it joins at the end. Pictures wait there as files, too:
it would hold those it is given as bytes. It reads no more of them than their head, for their size.

What a row holds is text, a number, a moment or a link; nothing becomes a formula.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from string import printable
from typing import TYPE_CHECKING, TypeAlias
from urllib.parse import quote

from scan_svc.spreadsheets.cells import like_formula, writable

if TYPE_CHECKING:
    from xlsxwriter.format import Format
    from xlsxwriter.worksheet import Worksheet

SHEET_ROWS = 50_000
"""Rows of one sheet. A sheet has room for 1,048,576, but for no more than 65,530 links."""

_LONGEST_LINK = 2_079  # characters that a spreadsheet takes for one
_PICTURE_PIXELS = 96
_PICTURE_COLUMN = 14.0


@dataclass(frozen=True, slots=True)
class Column:
    """A column.

    Attributes:
        heading: What stands above it.
        width: In characters.
        number_format: As spreadsheets write it, such as "0%"; empty for text.
    """

    heading: str
    width: float
    number_format: str = ""


@dataclass(frozen=True, slots=True)
class Link:
    """A web address to click at.

    Attributes:
        url: Where it leads.
        shown: What stands in the cell.
    """

    url: str
    shown: str


Cell: TypeAlias = str | int | float | datetime | Link | None
"""A moment is shown as it is: in the time zone it is given in, for spreadsheets know none."""


class Workbook:
    """A file with one table, in as many sheets as it takes. Not async: call it in a thread.

    Args:
        path: The file; it is there once `close` has returned.
        folder: For what is written meanwhile; it goes with it.
        title: Of the sheets, and of the document.
        columns: Of the table.
        created_at: When the document says it was made.
        pictures: The heading of a first column with pictures; empty for none.
    """

    def __init__(
        self,
        path: Path,
        folder: Path,
        title: str,
        columns: Sequence[Column],
        created_at: datetime,
        pictures: str = "",
    ) -> None:
        import xlsxwriter  # by who writes one, not by each service that starts

        options = {"constant_memory": True, "tmpdir": str(folder), "strings_to_urls": False}
        self._file = xlsxwriter.Workbook(str(path), options)
        self._file.set_properties({"title": title, "author": "Eco²", "created": created_at.replace(tzinfo=None)})
        self._title = title
        self._columns = (*([Column(pictures, _PICTURE_COLUMN)] if pictures else ()), *columns)
        self._first = len(self._columns) - len(columns)
        self._plain = [self._format(column) for column in self._columns]
        self._quoted = [self._format(column, quote_prefix=True) for column in self._columns]
        self._link = self._file.add_format({"valign": "top", "font_color": "#0563C1", "underline": 1})
        self._head = self._file.add_format({"bold": True, "bg_color": "#E2EFDA", "bottom": 1})
        self._sheets = 0
        self._sheet, self._row = self._next_sheet(), 1

    def append(self, cells: Sequence[Cell], picture: Path | None = None) -> None:
        """Adds a row.

        Args:
            cells: One for each column.
            picture: A JPEG for the first one; it must stay there until `close` has returned.
        """
        if self._row > SHEET_ROWS:
            self._end_sheet()
            self._sheet, self._row = self._next_sheet(), 1
        if picture:
            self._sheet.set_row_pixels(self._row, _PICTURE_PIXELS + 4)
            self._sheet.insert_image(
                self._row, 0, str(picture), {"x_offset": 2, "y_offset": 2, "object_position": 1, "decorative": True}
            )
        for place, cell in enumerate(cells, self._first):
            self._write(place, cell)
        self._row += 1

    def close(self) -> None:
        """Joins the file."""
        self._end_sheet()
        self._file.close()

    def discard(self) -> None:
        """Lets go of what was written meanwhile, if the file isn't wanted any more."""
        for sheet in self._file.worksheets():
            if sheet.row_data_fh:
                sheet.row_data_fh.close()

    def _write(self, place: int, cell: Cell) -> None:
        sheet, row, plain = self._sheet, self._row, self._plain[place]
        match cell:
            case None | "":
                return
            case Link() if _clickable(cell.url):
                sheet.write_url(row, place, cell.url, self._link, writable(cell.shown))
            case Link():
                self._write(place, cell.url)
            case str():
                text = writable(cell)
                sheet.write_string(row, place, text, self._quoted[place] if like_formula(text) else plain)
            case datetime():
                sheet.write_datetime(row, place, cell.replace(tzinfo=None), plain)
            case _:
                sheet.write_number(row, place, cell, plain)

    def _next_sheet(self) -> "Worksheet":
        self._sheets += 1
        sheet: Worksheet = self._file.add_worksheet(
            self._title if self._sheets == 1 else f"{self._title} {self._sheets}"
        )
        for place, column in enumerate(self._columns):
            sheet.set_column(place, place, column.width)
            sheet.write_string(0, place, column.heading, self._head)
        sheet.freeze_panes(1, 0)
        return sheet

    def _end_sheet(self) -> None:
        self._sheet.autofilter(0, 0, self._row - 1, len(self._columns) - 1)

    def _format(self, column: Column, *, quote_prefix: bool = False) -> "Format":
        about: dict[str, object] = {"valign": "top", "text_wrap": not column.number_format}
        if column.number_format:
            about["num_format"] = column.number_format
        made: Format = self._file.add_format(about)
        if quote_prefix:
            made.set_quote_prefix()
        return made


def _clickable(url: str) -> bool:
    """Whether a spreadsheet takes it for a link to the web; other schemes could open something on its reader's disk."""
    is_web = url.startswith(("https://", "http://")) and writable(url) == url
    return is_web and len(quote(url, safe=printable)) <= _LONGEST_LINK  # as the file holds it
