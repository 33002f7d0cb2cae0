"""Photos before they are uploaded: read, recognised by their content, made smaller."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from eco2_client.errors import PhotoRefused
from eco2_client.models import Reason

Photo = str | os.PathLike[str] | bytes | bytearray | BinaryIO

MAX_SIDE = 1600  # pixels; the API's own copy has 1,024
_MOST_BYTES = 20 << 20
_MOST_READ = 200 << 20
_HEIF_BRANDS = frozenset({b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1", b"heif"})
_TEXTS = {
    Reason.PHOTO_EMPTY: {"ko": "사진 파일이 비어 있어요.", "en": "The photo's file is empty."},
    Reason.PHOTO_FORMAT: {
        "ko": "JPEG, PNG, WEBP, HEIC 사진만 보낼 수 있어요.",
        "en": "Only JPEG, PNG, WEBP and HEIC photos can be sent.",
    },
    Reason.PHOTO_TOO_LARGE: {"ko": "사진은 20MB까지 보낼 수 있어요.", "en": "A photo may have 20 MiB at most."},
}


@dataclass(frozen=True, slots=True)
class LoadedPhoto:
    """A photo that can be uploaded.

    Attributes:
        content: The file.
        content_type: Its media type.
    """

    content: bytes
    content_type: str


def is_address(photo: Photo) -> bool:
    """Whether the API is to fetch the photo by itself."""
    return isinstance(photo, str) and photo.startswith(("https://", "http://"))


def load(photo: Photo, max_side: int | None = MAX_SIDE, locale: str = "") -> LoadedPhoto:
    """Reads a photo, and makes it smaller if that is wanted and Pillow is installed. Blocks.

    Args:
        photo: A path, the bytes, or a file open for reading.
        max_side: Most pixels of the longer side; None to send the file as it is.
        locale: Of errors.

    Raises:
        PhotoRefused: It is empty, too large, or no photo that the API reads.
        OSError: It can't be read.
    """
    content = _read(photo)
    kind = content_type(content)
    if not content:
        raise _refused(Reason.PHOTO_EMPTY, locale)
    if not kind:
        raise _refused(Reason.PHOTO_FORMAT, locale)
    if max_side is not None and (smaller := _smaller(content, max_side)) is not None:
        content, kind = smaller, "image/jpeg"
    if len(content) > _MOST_BYTES:
        raise _refused(Reason.PHOTO_TOO_LARGE, locale)
    return LoadedPhoto(content, kind)


def content_type(content: bytes) -> str:
    """The media type by the first bytes, whatever the file is called; empty if it is none that the API reads."""
    if content.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    if content[4:8] == b"ftyp" and content[8:12] in _HEIF_BRANDS:
        return "image/heic"
    return ""


def _read(photo: Photo) -> bytes:
    if isinstance(photo, bytes | bytearray):
        return bytes(photo)
    if isinstance(photo, str | os.PathLike):
        with Path(photo).open("rb") as file:
            return file.read(_MOST_READ)
    return photo.read(_MOST_READ)


def _smaller(content: bytes, max_side: int) -> bytes | None:
    try:
        from eco2_client.shrinking import shrunk  # loading Pillow takes longer than all else here
    except ImportError:  # the extra isn't installed
        return None
    return shrunk(content, max_side)


def _refused(reason: Reason, locale: str) -> PhotoRefused:
    texts = _TEXTS[reason]
    return PhotoRefused(reason, texts.get(locale[:2], texts["en"]))
