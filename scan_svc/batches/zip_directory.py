"""Which photos are in a zip: read from its directory, the file's end; runs in a process of its own."""

import zipfile
from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import BinaryIO

from mesh.errors import InvalidArgument
from mesh.reasons import Reason
from scan_svc.batches.rows import FileLimits, PackedPhoto

_UTF8_NAME = 0x800
_ENCRYPTED = 0x1
_HEADER_BYTES = 30
# What systems put beside people's files.
_BYSTANDERS = frozenset({"thumbs.db", "desktop.ini"})
_FOLDER_OF_MACOS = "__MACOSX"


def read_directory(file: BinaryIO, limits: FileLimits) -> list[PackedPhoto]:
    """The photos, in the order of their names.

    Args:
        file: The zip; only its end need be there, the rest may be a hole.
        limits: What it may hold.

    Raises:
        InvalidArgument: SHEET_EMPTY, SHEET_UNREADABLE or SHEET_TOO_LARGE.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError) as error:
        raise InvalidArgument(Reason.SHEET_UNREADABLE, detail="zip") from error
    _demand_apart(entries)
    found = sorted(((_name(entry), entry) for entry in entries if not entry.is_dir()), key=lambda one: one[0])
    found = [(name, entry) for name, entry in found if not _beside(name)]
    if not found:
        raise InvalidArgument(Reason.SHEET_EMPTY)
    if len(found) > limits.rows:
        raise InvalidArgument(Reason.SHEET_TOO_LARGE, limit=f"{limits.rows:,} photos")
    if sum(entry.file_size for _, entry in found) > limits.photo_bytes:
        raise InvalidArgument(Reason.SHEET_TOO_LARGE, limit=f"{limits.photo_bytes:,} bytes unpacked")
    return [_photo(number, name, entry) for number, (name, entry) in enumerate(found, 1)]


def _photo(number: int, name: str, entry: zipfile.ZipInfo) -> PackedPhoto:
    readable = entry.compress_type in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) and not entry.flag_bits & _ENCRYPTED
    return PackedPhoto(
        number, name, entry.header_offset, entry.compress_size, entry.file_size,
        entry.compress_type == zipfile.ZIP_DEFLATED, entry.CRC, not readable,
    )  # fmt: skip


def _demand_apart(entries: Sequence[zipfile.ZipInfo]) -> None:
    """Refuses entries that share bytes: a file of a megabyte could hold a terabyte of photos so."""
    end = 0
    for entry in sorted(entries, key=lambda one: one.header_offset):
        if entry.header_offset < end:
            raise InvalidArgument(Reason.SHEET_UNREADABLE, detail="overlapping entries")
        end = entry.header_offset + _HEADER_BYTES + entry.compress_size


def _name(entry: zipfile.ZipInfo) -> str:
    """An entry's name; Windows in Korea writes CP949 and doesn't say so."""
    if entry.flag_bits & _UTF8_NAME:
        return entry.filename
    written = entry.orig_filename.encode("cp437", "replace")
    for encoding in ("utf-8", "cp949"):
        try:
            return written.decode(encoding)
        except UnicodeDecodeError:
            continue
    return entry.filename


def _beside(name: str) -> bool:
    path = PurePosixPath(name)
    return path.name.startswith(".") or path.name.lower() in _BYSTANDERS or _FOLDER_OF_MACOS in path.parts
