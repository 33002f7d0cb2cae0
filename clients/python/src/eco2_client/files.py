"""Files that jobs are made of: measured before they are announced, read piece by piece as they are sent."""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

File = str | os.PathLike[str] | bytes | bytearray
# What is sent: bytes that are there, or a file that is read meanwhile.
Content = bytes | Path

_TYPES = {
    ".csv": "text/csv",
    ".tsv": "text/tab-separated-values",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".zip": "application/zip",
    ".mp4": "video/mp4",
    ".mov": "video/quicktime",
    ".webm": "video/webm",
    ".mkv": "video/x-matroska",
}


@dataclass(frozen=True, slots=True)
class MeasuredFile:
    """A file that can be announced.

    Attributes:
        content: The bytes, or where they are.
        content_type: Its media type.
        size_bytes: Its size.
        sha256: Of it, in hex: if it changes before it is sent, storage refuses it.
    """

    content: Content
    content_type: str
    size_bytes: int
    sha256: str


def measure(file: File, content_type: str = "") -> MeasuredFile:
    """Reads a file once. Blocks.

    Args:
        file: A path, or the bytes.
        content_type: Its media type; by default by the path's extension.

    Raises:
        ValueError: Nobody has said what it is.
        OSError: It can't be read.
    """
    if isinstance(file, bytes | bytearray):
        content = bytes(file)
        return MeasuredFile(content, _named(content_type, ""), len(content), hashlib.sha256(content).hexdigest())
    path = Path(file)
    kind = _named(content_type, path.suffix.lower())
    with path.open("rb") as opened:
        digest = hashlib.file_digest(opened, "sha256").hexdigest()
        return MeasuredFile(path, kind, opened.tell(), digest)


def _named(content_type: str, extension: str) -> str:
    if not (kind := content_type or _TYPES.get(extension, "")):
        raise ValueError(f"give the file's content_type: {extension or 'bytes'} doesn't say it")
    return kind
