"""Writes a sheet again with results beside its rows; runs in the process that reads sheets.

Text is text, whatever it looks like: no cell becomes a formula, and of formulas there were only their values are left.
"""

import io
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import BinaryIO

import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from scan_svc.batches.rows import ResultRow
from scan_svc.batches.sheet import Sheet
from scan_svc.spreadsheets.cells import like_formula, writable
from scan_svc.spreadsheets.csv_file import written_csv

_FORMATS: Mapping[type, str] = {
    datetime: "yyyy-mm-dd hh:mm:ss",
    date: "yyyy-mm-dd",
    time: "hh:mm:ss",
    timedelta: "[h]:mm:ss",
}
# Excel's rules for a sheet's name; what other programs write may break them.
_LONGEST_NAME = 31
_NOT_IN_NAMES = re.compile(r"[\[\]:*?/\\]")


def write_sheet(sheet: Sheet, header: Sequence[str], results: Iterator[ResultRow], file: BinaryIO) -> None:
    """Writes a sheet again, with more columns behind those that it has.

    Args:
        sheet: As it was read.
        header: The names of the new columns.
        results: What stands in them, by row in rising order; of some rows there may be nothing.
        file: Where to; CSV as CSV, a workbook as a workbook with this one sheet.
    """
    width = max(len(row) for row in sheet.cells)
    merged = _merged(sheet, width, header, results)
    if sheet.separator:
        for piece in written_csv(merged, sheet.separator):
            file.write(piece)
    else:
        write_workbook(merged, sheet.name, file, sheet.columns.header)


def write_workbook(cells: Iterator[Sequence[object]], name: str, file: BinaryIO, header: int = 0) -> None:
    """A workbook with one sheet, in which text is text, whatever it looks like.

    Args:
        cells: By row.
        name: The sheet's.
        file: Where to.
        header: The row that stays in sight, from 0.
    """
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer, {"in_memory": True, "strings_to_urls": False, "strings_to_formulas": False})
    formats = {kind: book.add_format({"num_format": pattern}) for kind, pattern in _FORMATS.items()}
    formats[str] = book.add_format({"quote_prefix": True})
    sheet: Worksheet = book.add_worksheet(_sheet_name(name))
    for place, row in enumerate(cells):
        for column, cell in enumerate(row):
            _write(sheet, place, column, cell, formats)
    sheet.freeze_panes(header + 1, 0)
    book.close()
    file.write(buffer.getbuffer())


def _merged(
    sheet: Sheet, width: int, header: Sequence[str], results: Iterator[ResultRow]
) -> Iterator[Sequence[object]]:
    numbers = dict(sheet.numbered())
    following = next(results, None)
    for place, row in enumerate(sheet.cells):
        padded = (*row, *[""] * (width - len(row)))
        if place == sheet.columns.header:
            yield (*padded, *header)
            continue
        number = numbers.get(place)
        while following and number is not None and following.number < number:
            following = next(results, None)
        beside = following.cells if following and following.number == number else ()
        yield (*padded, *beside) if number is not None else row


def _sheet_name(name: str) -> str:
    """The name as Excel takes it; empty for one of its own."""
    short = _NOT_IN_NAMES.sub("_", writable(name)).encode("utf-16-le")[: 2 * _LONGEST_NAME]
    return short.decode("utf-16-le", "ignore").strip("'")


def _write(sheet: Worksheet, row: int, column: int, cell: object, formats: Mapping[type, Format]) -> None:
    match cell:
        case None | "":
            return
        case bool():
            sheet.write_boolean(row, column, cell)
        case int() | float() if math.isfinite(cell):
            sheet.write_number(row, column, cell)
        case datetime() | date() | time() | timedelta():
            sheet.write_datetime(row, column, cell, formats[type(cell)])
        case _:
            text = writable(str(cell))
            # Who edits the cell, or saves the sheet as CSV, would make a formula of it.
            sheet.write_string(row, column, text, formats[str] if like_formula(text) else None)
