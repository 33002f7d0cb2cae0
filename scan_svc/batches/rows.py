"""What is read from a batch's file: its rows, and the limits that it must keep to.

Imported by the process that reads files, so nothing heavy may be imported here.
"""

from collections.abc import Mapping
from types import MappingProxyType

import msgspec

from mesh.reasons import Reason

CSV_TYPE = "text/csv"
XLSX_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
EXTENSIONS: Mapping[str, str] = MappingProxyType(
    {
        CSV_TYPE: "csv",
        "text/tab-separated-values": "csv",
        "application/vnd.ms-excel": "csv",  # so browsers on Windows call a CSV file
        XLSX_TYPE: "xlsx",
        "application/zip": "zip",
        "application/x-zip-compressed": "zip",  # so they call a zip
    }
)
"""What a batch's file may be: the kind by its media type."""

LONGEST_PHOTO = 20 << 20
"""Bytes of a photo in a zip, as CreateScan takes them."""

LONGEST_ADDRESS, LONGEST_QUESTION, LONGEST_REGION = 2048, 500, 100
"""Characters of a row's texts, as CreateScan takes them."""


class FileLimits(msgspec.Struct, frozen=True):
    """What a file may hold.

    Attributes:
        rows: Rows below the header, or photos of a zip.
        columns: Columns of a sheet.
        cells: Cells of a sheet, the empty ones within its rows included.
        unpacked_bytes: Of an XLSX file's parts together, once they are unpacked.
        photo_bytes: Of a zip's photos together.
    """

    rows: int = 10_000
    columns: int = 100
    cells: int = 300_000
    unpacked_bytes: int = 256 << 20
    photo_bytes: int = 8 << 30


class Row(msgspec.Struct, frozen=True, array_like=True):
    """One row of a sheet. Of a text that is too long no more is kept than tells so.

    Attributes:
        number: Which, from 1; blank rows aren't counted.
        address: What stands where the photo's address should; empty if nothing does.
        question: What is asked about the photo; empty if nothing is.
        region: Where it is put out; empty if it isn't said.
    """

    number: int
    address: str
    question: str = ""
    region: str = ""


class PackedPhoto(msgspec.Struct, frozen=True, array_like=True):
    """One photo of a zip.

    Attributes:
        number: Which, from 1.
        name: Its path in the zip.
        offset: Where its entry begins, in bytes.
        packed: Bytes of its content in the zip.
        size: Bytes once it is unpacked, as the zip says.
        deflated: Whether it is compressed.
        checksum: CRC-32 of the content.
        encrypted: Whether it can't be read without a password.
    """

    number: int
    name: str
    offset: int
    packed: int
    size: int
    deflated: bool
    checksum: int
    encrypted: bool = False


class Contents(msgspec.Struct, frozen=True):
    """What is in a file: rows of a sheet, or photos of a zip.

    Attributes:
        rows: Of a sheet.
        photos: Of a zip.
    """

    rows: list[Row] = []
    photos: list[PackedPhoto] = []

    @property
    def total(self) -> int:
        """How many there are."""
        return len(self.rows) + len(self.photos)


class ResultRow(msgspec.Struct, frozen=True, array_like=True):
    """What is written beside a row.

    Attributes:
        number: Which row.
        cells: Text, numbers, or None for an empty cell; one for each of the result's columns.
    """

    number: int
    cells: list[str | float | None]


class FileRequest(msgspec.Struct, frozen=True):
    """What is to be done with a batch's file.

    Attributes:
        size: Of the file, in bytes.
        zipped: Whether it is a zip of photos.
        limits: What it may hold.
        header: Names of the results' columns, to write it with results; none: to read it.
    """

    size: int
    zipped: bool
    limits: FileLimits
    header: list[str] = []


class FileReply(msgspec.Struct, frozen=True):
    """What was done: so many bytes written, or why not.

    Attributes:
        size: Bytes written.
        reason: Why the file is refused; None if it isn't.
        metadata: Of that.
    """

    size: int = 0
    reason: Reason | None = None
    metadata: dict[str, str] = {}
