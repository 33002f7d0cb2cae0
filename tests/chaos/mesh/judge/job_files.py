"""Whether the file that a job has made is whole."""

import csv
import io
import zipfile
import zlib
from collections.abc import Sequence

import msgspec
import openpyxl
from openpyxl.utils.exceptions import InvalidFileException

from tests.chaos.mesh.clients.histories import AskedJob, JobKind
from tests.chaos.mesh.clients.job_files import HEADER

_DONE = "Done"
_Table = Sequence[Sequence[str]]


def fault(asked: AskedJob, content: bytes, done: frozenset[int], counted: int) -> str:
    """What is wrong with a file; "" if nothing.

    Args:
        asked: The job.
        content: The file as it was fetched.
        done: Rows of a batch that have a result, from 1.
        counted: How many scans an export says it has.
    """
    try:
        match asked.kind:
            case JobKind.SHEET:
                return _sheet(asked, list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""))), done)
            case JobKind.PACKED:
                names = [[f"photos/{number}.jpg"] for number in asked.shown]
                return _rows(_workbook(content), names, done)
            case JobKind.TABLE:
                return _count(len(_workbook(content)) - 1, asked.least, counted)
            case _:
                return _archive(asked, content, counted)
    except (ValueError, KeyError, zipfile.BadZipFile, InvalidFileException, csv.Error, EOFError, zlib.error) as error:
        return f"can't be read: {error!r}"


def _sheet(asked: AskedJob, table: _Table, done: frozenset[int]) -> str:
    sent = list(csv.reader(io.StringIO(asked.sent.decode("utf-8-sig"), newline="")))
    if not table or tuple(table[0][: len(HEADER)]) != HEADER:
        return f"begins with {table[:1]}"
    return _rows(table, sent[1:], done)


def _rows(table: _Table, sent: _Table, done: frozenset[int]) -> str:
    """Each row must begin with what was sent, and say what became of it."""
    if len(table) - 1 != len(sent):
        return f"{len(table) - 1} rows of {len(sent)}"
    for number, (row, cells) in enumerate(zip(table[1:], sent, strict=True), 1):
        if list(row[: len(cells)]) != list(cells):
            return f"row {number} is {row}, not {cells}"
        result = row[len(cells)] if len(row) > len(cells) else ""
        if not result or (result == _DONE) != (number in done):
            return f"row {number} says {result!r}"
    return ""


def _workbook(content: bytes) -> _Table:
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        if broken := packed.testzip():
            raise zipfile.BadZipFile(broken)
    sheet = openpyxl.load_workbook(io.BytesIO(content)).active
    return [["" if cell is None else str(cell) for cell in row] for row in sheet.iter_rows(values_only=True)]


def _archive(asked: AskedJob, content: bytes, counted: int) -> str:
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        if broken := packed.testzip():
            return f"{broken} is broken"
        scans = msgspec.json.decode(packed.read("scans.json"), type=list[dict[str, object]])
    return _count(len(scans), asked.least, counted)


def _count(found: int, least: int, counted: int) -> str:
    if found != counted:
        return f"{found} scans, and it says {counted}"
    return f"{found} scans of {least}" if found < least else ""
