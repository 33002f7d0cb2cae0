"""CSV files as public data portals publish them: the encoding is detected and rows are read one by one."""

import codecs
import csv
from collections.abc import Iterator
from pathlib import Path

from mesh.validation.normalization import composed

_CHUNK = 1 << 16
# What Korean offices publish: UTF-8 with or without a byte order mark, and what Excel writes.
_ENCODINGS = ("utf-8", "cp949")


class UnreadableFile(Exception):
    """A file that isn't the CSV it should be; the text says where and why."""


def encoding_of(file: Path) -> str:
    """The encoding of a whole file, read once in pieces.

    Raises:
        Unreadable: It is none of the known ones.
    """
    with file.open("rb") as content:
        start = content.read(4)
    if start.startswith(codecs.BOM_UTF8):
        return "utf-8-sig"
    for encoding in _ENCODINGS:
        if _is_encoded(file, encoding):
            return encoding
    raise UnreadableFile(f"{file.name} is neither UTF-8 nor CP949; save it as CSV UTF-8")


def rows(file: Path, encoding: str) -> Iterator[tuple[int, list[str]]]:
    """The rows with the line each starts on, the header first, composed (NFC); empty lines are left out.

    Raises:
        Unreadable: A quote is never closed, or a field is absurdly long.
    """
    with file.open(encoding=encoding, newline="") as content:
        reader = csv.reader(content)
        line = 1
        try:
            for row in reader:
                if any(field.strip() for field in row):
                    yield line, [composed(field) for field in row]
                line = reader.line_num + 1
        except csv.Error as error:
            raise UnreadableFile(f"{file.name}, line {line}: {error}") from error


def _is_encoded(file: Path, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    with file.open("rb") as content:
        try:
            while chunk := content.read(_CHUNK):
                decoder.decode(chunk)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return False
    return True
