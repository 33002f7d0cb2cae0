"""A zip that is sent while it is made: however much is in it, a piece of it is held."""

import zipfile
from collections.abc import AsyncIterable, AsyncIterator
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Entry:
    """One file of a zip.

    Attributes:
        name: Its name.
        pieces: Its content.
        compressed: Whether it is worth compressing; photos aren't.
    """

    name: str
    pieces: AsyncIterable[bytes]
    compressed: bool = True


async def zipped(entries: AsyncIterable[Entry], made_at: datetime) -> AsyncIterator[bytes]:
    """The zip of these entries, in pieces as they come.

    Args:
        entries: What is in it.
        made_at: The time that all of them bear.
    """
    sink = _Sink()
    with zipfile.ZipFile(sink, "w") as file:
        async for entry in entries:
            about = zipfile.ZipInfo(entry.name, made_at.timetuple()[:6])
            about.compress_type = zipfile.ZIP_DEFLATED if entry.compressed else zipfile.ZIP_STORED
            with file.open(about, "w", force_zip64=True) as content:
                async for piece in entry.pieces:
                    content.write(piece)
                    if written := sink.take():
                        yield written
    yield sink.take()


class _Sink:
    """Takes what the library writes. It can't seek, so sizes follow each entry."""

    def __init__(self) -> None:
        self._written = bytearray()

    def write(self, piece: bytes, /) -> int:
        self._written += piece
        return len(piece)

    def flush(self) -> None:
        """Nothing is held back."""

    def close(self) -> None:
        """Nothing is open."""

    def take(self) -> bytes:
        written, self._written = bytes(self._written), bytearray()
        return written
