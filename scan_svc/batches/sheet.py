"""A sheet of photo addresses, read.

Everything here works on untrusted bytes. It runs in a process of its own, never in the service's.
"""

import mmap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mesh.errors import InvalidArgument
from mesh.reasons import Reason
from scan_svc.batches.columns import SHOWN, Columns, find_columns
from scan_svc.batches.rows import LONGEST_ADDRESS, LONGEST_QUESTION, LONGEST_REGION, FileLimits, Row
from scan_svc.spreadsheets.csv_file import read_csv
from scan_svc.spreadsheets.xlsx_file import Value, demand_xlsx, read_xlsx, shown

_ZIP_START = b"PK"
_COMPOUND_START = b"\xd0\xcf\x11\xe0"
_FIRST_ROWS = 20


@dataclass(frozen=True, slots=True)
class Sheet:
    """A sheet that was read.

    Attributes:
        name: Its name; empty in a CSV file.
        separator: Of a CSV file; empty in a workbook.
        columns: Where is what.
        cells: Its rows, blank ones included.
    """

    name: str
    separator: str
    columns: Columns
    cells: Sequence[Sequence[Value]]

    def numbered(self) -> Iterator[tuple[int, int]]:
        """The place and the number of each row below the header that isn't blank."""
        number = 0
        for place in range(self.columns.header + 1, len(self.cells)):
            if not _blank(self.cells[place]):
                number += 1
                yield place, number


def read_sheet(content: bytes, limits: FileLimits) -> Sheet:
    """The first sheet in which a column has photos' addresses.

    Raises:
        InvalidArgument: SHEET_EMPTY, SHEET_FORMAT, SHEET_ENCRYPTED, SHEET_UNREADABLE, SHEET_NO_ADDRESSES or
            SHEET_TOO_LARGE.
    """
    if not content.strip():
        raise InvalidArgument(Reason.SHEET_EMPTY)
    workbook = content.startswith((_ZIP_START, _COMPOUND_START))
    sheet = _of_workbook(content, limits) if workbook else _of_csv(content, limits)
    count = sum(1 for _ in sheet.numbered())
    if not count:
        raise InvalidArgument(Reason.SHEET_EMPTY)
    if count > limits.rows:
        raise _too_many(limits)
    return sheet


def rows_of(sheet: Sheet) -> list[Row]:
    """The rows below the header, without blank ones."""
    columns = sheet.columns
    return [
        Row(
            number,
            _text(sheet.cells[place], columns.address, LONGEST_ADDRESS),
            _text(sheet.cells[place], columns.question, LONGEST_QUESTION),
            _text(sheet.cells[place], columns.region, LONGEST_REGION),
        )
        for place, number in sheet.numbered()
    ]


def _of_workbook(content: bytes, limits: FileLimits) -> Sheet:
    demand_xlsx(content, limits.unpacked_bytes)
    filled = False
    for name, cells in read_xlsx(content):
        filled = filled or any(not _blank(row) for row in cells)
        columns = _columns(cells)
        if columns:
            return Sheet(name, "", columns, _within(cells, limits))
    raise _no_addresses() if filled else InvalidArgument(Reason.SHEET_EMPTY)


def _of_csv(content: bytes, limits: FileLimits) -> Sheet:
    file = read_csv(content, lambda first: find_columns(first) is not None)
    cells = _within(file.rows(), limits)
    columns = _columns(cells)
    if columns is None:
        raise _no_addresses()
    return Sheet("", file.separator, columns, cells)


def _columns(cells: Sequence[Sequence[Value]]) -> Columns | None:
    return find_columns([[shown(cell) for cell in row] for row in cells[:_FIRST_ROWS]])


def _within(
    cells: "Sequence[Sequence[Value]] | Iterator[Sequence[Value]]", limits: FileLimits
) -> list[Sequence[Value]]:
    """The rows up to the last one that isn't blank.

    Raises:
        InvalidArgument: SHEET_TOO_LARGE.
    """
    kept: list[Sequence[Value]] = []
    blank = filled = count = 0
    for row in cells:
        if _blank(row):
            blank += 1
            continue
        filled += 1
        count += len(row)
        if filled > limits.rows + _FIRST_ROWS:
            raise _too_many(limits)
        if len(row) > limits.columns:
            raise InvalidArgument(Reason.SHEET_TOO_LARGE, limit=f"{limits.columns} columns")
        if count > limits.cells:
            raise InvalidArgument(Reason.SHEET_TOO_LARGE, limit=f"{limits.cells:,} cells")
        kept += [()] * blank
        blank = 0
        kept.append(row)
    return kept


def _blank(row: Sequence[Value]) -> bool:
    return all(cell == "" or (isinstance(cell, str) and cell.isspace()) for cell in row)


def _text(row: Sequence[Value], column: int | None, longest: int) -> str:
    """A cell's text. Ten thousand cells of all that one may hold would be a third of a gigabyte."""
    return shown(row[column]).strip()[: longest + 1] if column is not None and column < len(row) else ""


def _too_many(limits: FileLimits) -> InvalidArgument:
    return InvalidArgument(Reason.SHEET_TOO_LARGE, limit=f"{limits.rows:,} rows")


def _no_addresses() -> InvalidArgument:
    return InvalidArgument(Reason.SHEET_NO_ADDRESSES, columns=SHOWN)


def whole(descriptor: int, size: int) -> bytes:
    """The content of a file in memory."""
    with mmap.mmap(descriptor, size, prot=mmap.PROT_READ) as file:
        return file.read()
