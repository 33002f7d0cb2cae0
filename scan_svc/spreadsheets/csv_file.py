"""CSV files as spreadsheets write them: four encodings, three separators."""

import csv
import io
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from mesh.errors import InvalidArgument
from mesh.reasons import Reason
from scan_svc.spreadsheets.cells import MOST_UNITS, like_formula, writable

_BOMS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
_SEPARATORS = (",", ";", "\t")
_SAMPLE_ROWS = 20
_SAMPLE_BYTES = 1000
_MARK = b"\xef\xbb\xbf"
_NUMBER = re.compile(r"[+-]?[0-9]+(?:[.,][0-9]+)*%?")


@dataclass(frozen=True, slots=True)
class CsvFile:
    """A CSV file's text, and how it is written.

    Attributes:
        text: All of it.
        separator: What stands between cells.
    """

    text: str
    separator: str

    def rows(self) -> Iterator[list[str]]:
        """The rows, blank lines as empty ones.

        Raises:
            InvalidArgument: SHEET_TOO_LARGE: a cell is longer than a spreadsheet's may be. SHEET_UNREADABLE.
        """
        return _rows(self.text, self.separator)


def read_csv(content: bytes, good: Callable[[Sequence[Sequence[str]]], bool]) -> CsvFile:
    """Reads a file.

    Args:
        content: The whole file.
        good: Whether its first rows make sense: the separator with which they do is taken, else the one that makes the
            most columns.

    Raises:
        InvalidArgument: SHEET_UNREADABLE: it is no text in UTF-8, UTF-16 or CP949.
    """
    text = _text(content)
    samples = {separator: _sample(text, separator) for separator in _SEPARATORS}
    for separator, rows in samples.items():
        if good(rows):
            return CsvFile(text, separator)
    return CsvFile(text, max(samples, key=lambda one: max(map(len, samples[one]), default=0)))


def written_csv(rows: Iterable[Sequence[object]], separator: str) -> Iterator[bytes]:
    """A CSV file in UTF-8 with its mark, which spreadsheets want to see; nothing in it is a formula.

    Args:
        rows: Its cells.
        separator: What stands between them.
    """
    yield _MARK
    line = io.StringIO()
    writer = csv.writer(line, delimiter=separator)
    for row in rows:
        writer.writerow([_cell(cell) for cell in row])
        yield line.getvalue().encode()
        line.seek(0)
        line.truncate()


def _cell(value: object) -> object:
    match value:
        case str():
            return _inert(value)
        case float():
            return f"{value:.6f}".rstrip("0").rstrip(".")
        case _:
            return value


def _inert(text: str) -> str:
    """A text that no spreadsheet takes for a formula; a number with its sign is none."""
    text = writable(text)
    return f"'{text}"[:MOST_UNITS] if like_formula(text) and not _NUMBER.fullmatch(text) else text


def _text(content: bytes) -> str:
    for mark, encoding in _BOMS:
        if content.startswith(mark):
            return _decoded(content, (encoding,))
    start = content[:_SAMPLE_BYTES]
    if b"\0" in start:
        # The greater half of each Latin letter in UTF-16 is a zero: whether it comes second or first tells the order.
        little = start[1::2].count(0) > start[0::2].count(0)
        return _decoded(content, ("utf-16-le" if little else "utf-16-be",))
    return _decoded(content, ("utf-8", "cp949"))


def _decoded(content: bytes, encodings: Sequence[str]) -> str:
    for encoding in encodings:
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    raise InvalidArgument(Reason.SHEET_UNREADABLE, detail="encoding")


def _sample(text: str, separator: str) -> list[list[str]]:
    """The first rows; those that can't be read with this separator are none."""
    rows: list[list[str]] = []
    try:
        for row in _rows(text, separator):
            rows.append(row)
            if len(rows) == _SAMPLE_ROWS:
                break
    except InvalidArgument:
        return []
    return rows


def _rows(text: str, separator: str) -> Iterator[list[str]]:
    csv.field_size_limit(MOST_UNITS)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    try:
        yield from reader
    except csv.Error as error:
        if "field larger" in str(error):
            raise InvalidArgument(Reason.SHEET_TOO_LARGE, limit=f"{MOST_UNITS:,} characters a cell") from error
        raise InvalidArgument(Reason.SHEET_UNREADABLE, detail=f"line {reader.line_num}") from error
