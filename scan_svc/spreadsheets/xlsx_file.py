"""Reads XLSX files, by calamine: in Rust, fifteen times as fast as what is written in Python.

It takes memory for whatever a sheet claims to hold and ends its process when there is no more, so call this only where
that hurts nobody. What is known to be too much by the directory of the file's zip is refused before.
"""

import io
import zipfile
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from typing import TypeAlias

import python_calamine

from mesh.errors import InvalidArgument
from mesh.reasons import Reason

Value: TypeAlias = str | float | bool | datetime | date | time | timedelta
"""What a cell holds; of a formula what it was worked out to be, of an empty one ""."""

_COMPOUND = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_MOST_PARTS = 2_000
_MOST_SHEETS = 20


def demand_xlsx(content: bytes, unpacked_bytes: int) -> None:
    """Returns if a file may be an XLSX file of no more than so many bytes, unpacked.

    Raises:
        InvalidArgument: SHEET_ENCRYPTED, SHEET_FORMAT, SHEET_UNREADABLE or SHEET_TOO_LARGE.
    """
    if content.startswith(_COMPOUND):
        if _ENCRYPTED in content:
            raise InvalidArgument(Reason.SHEET_ENCRYPTED)
        raise InvalidArgument(Reason.SHEET_FORMAT, format="XLS", allowed="XLSX, CSV, ZIP")
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as file:
            parts = file.infolist()
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError) as error:
        raise InvalidArgument(Reason.SHEET_UNREADABLE, detail="zip") from error
    if len(parts) > _MOST_PARTS:
        raise InvalidArgument(Reason.SHEET_TOO_LARGE, limit=f"{_MOST_PARTS:,} parts")
    if sum(part.file_size for part in parts) > unpacked_bytes:
        raise InvalidArgument(Reason.SHEET_TOO_LARGE, limit=f"{unpacked_bytes:,} bytes unpacked")
    if not any(part.filename.startswith("xl/workbook") for part in parts):
        raise InvalidArgument(Reason.SHEET_FORMAT, format="ZIP", allowed="XLSX, CSV, ZIP")


def read_xlsx(content: bytes) -> Iterator[tuple[str, Sequence[Sequence[Value]]]]:
    """The sheets that aren't hidden: the name of each, and its rows from the first, empty ones included.

    Raises:
        InvalidArgument: SHEET_UNREADABLE.
    """
    try:
        with python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(content)) as book:
            for about in book.sheets_metadata[:_MOST_SHEETS]:
                if about.visible is python_calamine.SheetVisibleEnum.Visible:
                    sheet = book.get_sheet_by_name(about.name)
                    yield about.name, sheet.to_python(skip_empty_area=False)
    except python_calamine.CalamineError as error:
        raise InvalidArgument(Reason.SHEET_UNREADABLE, detail=_short(error)) from error


def shown(value: Value) -> str:
    """A cell's value as text."""
    match value:
        case bool():
            return "TRUE" if value else "FALSE"
        case float() if value.is_integer() and abs(value) < 1e15:
            return str(int(value))
        case _:
            return str(value)


def _short(error: Exception) -> str:
    return str(error).splitlines()[0][:80] if str(error) else type(error).__name__
