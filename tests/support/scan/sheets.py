"""Sheets as people and attackers send them."""

import csv
import io
import zipfile
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime

import xlsxwriter

_SHEET = "xl/worksheets/sheet1.xml"
_XML = (
    '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
    '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
)


def csv_sheet(rows: Sequence[Sequence[str]], encoding: str = "utf-8", separator: str = ",") -> bytes:
    """A CSV file."""
    text = io.StringIO()
    csv.writer(text, delimiter=separator).writerows(rows)
    return text.getvalue().encode(encoding)


def workbook(rows: Sequence[Sequence[object]], merged: str = "", hidden_first: bool = False) -> bytes:
    """An XLSX file of one sheet.

    Args:
        rows: Its cells; a text that begins with "=" is a formula whose value is 2.
        merged: A range that is one cell, such as "A2:A4".
        hidden_first: Whether a hidden sheet stands before it.
    """
    file = io.BytesIO()
    with xlsxwriter.Workbook(file, {"in_memory": True}) as book:
        if hidden_first:
            book.add_worksheet("hidden")
        sheet = book.add_worksheet("사진")
        if hidden_first:
            sheet.activate()
            sheet.set_first_sheet()
            book.worksheets_objs[0].hide()
        day, moment = (book.add_format({"num_format": form}) for form in ("yyyy-mm-dd", "yyyy-mm-dd hh:mm"))
        for place, row in enumerate(rows):
            for column, cell in enumerate(row):
                match cell:
                    case datetime():
                        sheet.write_datetime(place, column, cell, moment)
                    case date():
                        sheet.write_datetime(place, column, cell, day)
                    case str() if cell.startswith("="):
                        sheet.write_formula(place, column, cell, None, 2)
                    case str():
                        sheet.write_string(place, column, cell)
                    case _:
                        sheet.write(place, column, cell)
        if merged:
            sheet.merge_range(merged, "https://photos.example.com/merged.jpg")
    return file.getvalue()


def with_sheet(body: str, prolog: str = "") -> bytes:
    """A workbook whose sheet is what is given, instead of what the library wrote."""
    return replaced(workbook([["url"]]), {_SHEET: lambda _: f"{prolog or _XML}{body}</worksheet>".encode()})


def replaced(content: bytes, parts: Mapping[str, Callable[[bytes], bytes]]) -> bytes:
    """A zip with some parts made into others."""
    written = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            kept = old.read(name)
            new.writestr(name, parts[name](kept) if name in parts else kept)
    return written.getvalue()


def text_cell(place: str, text: str) -> str:
    """One cell of a sheet, in its XML."""
    return f'<c r="{place}" t="inlineStr"><is><t>{text}</t></is></c>'


def photo_zip(photos: Mapping[str, bytes], in_cp949: bool = False, stored: bool = False) -> bytes:
    """A zip of photos; their names may be in CP949, then the zip doesn't say so, as on Windows."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED) as archive:
        for name, content in photos.items():
            entry = _Named(name) if in_cp949 else zipfile.ZipInfo(name)
            entry.compress_type = archive.compression
            archive.writestr(entry, content)
    return file.getvalue()


class _Named(zipfile.ZipInfo):
    """An entry whose name is written in CP949."""

    def _encodeFilenameFlags(self) -> tuple[bytes, int]:
        return self.filename.encode("cp949"), self.flag_bits
