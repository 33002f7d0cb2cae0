"""A user's history as a spreadsheet on this machine's disk, a page of scans at a time, however long it is."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from mesh.errors import InvalidArgument, NotFound, ResourceExhausted, Unavailable
from mesh.locale import Locale
from scan_svc.exports import history
from scan_svc.exports.spec import ExportSpec
from scan_svc.exports.spool import spool
from scan_svc.scans import Scan
from scan_svc.spreadsheets.workbook import Workbook

T = TypeVar("T")

_THUMBNAIL_PIXELS = 96
# Of one export: Vision's slots are for those who wait for an answer.
_AT_ONCE = 4
_TRIES = 5
_PAUSE_SECONDS = 1.0

MakeThumbnail = Callable[[str, str, int], Awaitable[bytes]]
"""A small JPEG of a user's photo, by its key, of so many pixels: `scan_svc.pipeline.clients.VisionPeer.thumbnail`."""


@dataclass(frozen=True, slots=True)
class Table:
    """How a history is written.

    Attributes:
        user_id: Whose it is.
        spec: What its user asked for.
        locale: Language of the headings.
        made_at: When the file says it was made.
    """

    user_id: str
    spec: ExportSpec
    locale: Locale
    made_at: datetime


class HistoryFile:
    """A spreadsheet that is being written, in a thread of its own: nobody else in this process waits for it.

    Args:
        table: How it is written.
        thumbnail: Makes small pictures.
        thread: Where it is written, one thing after another.
        folder: Where; it goes with the export.
    """

    def __init__(self, table: Table, thumbnail: MakeThumbnail, thread: ThreadPoolExecutor, folder: Path) -> None:
        self._table = table
        self._thumbnail = thumbnail
        self._thread = thread
        self._folder = folder
        self._slots = asyncio.Semaphore(_AT_ONCE)
        self._workbook: Workbook | None = None
        self.path = folder / "history.xlsx"
        self.scans = 0
        self.photos = 0

    async def add(self, scans: Sequence[Scan]) -> None:
        """Adds rows.

        Raises:
            EcoError: Small pictures can't be made now.
        """
        made: Sequence[Path | None] = (None,) * len(scans)
        if self._table.spec.thumbnails:
            made = await self._pictures(scans)
        await self._aside(lambda: self._append(scans, made))
        self.scans += len(scans)
        self.photos += sum(picture is not None for picture in made)

    async def close(self) -> int:
        """Joins the file; returns its size in bytes."""

        def join() -> int:
            self._opened().close()
            return self.path.stat().st_size

        return await self._aside(join)

    async def content(self) -> AsyncIterator[bytes]:
        """The file, once it is closed, in pieces."""
        with ExitStack() as stack:
            file = stack.enter_context(await self._aside(lambda: self.path.open("rb")))
            while piece := await self._aside(lambda: file.read(1 << 18)):
                yield piece

    def discard(self) -> None:
        """Lets go of what is open. Call it in the thread."""
        if self._workbook:
            self._workbook.discard()

    def _append(self, scans: Sequence[Scan], pictures: Sequence[Path | None]) -> None:
        locale, zone = self._table.locale, self._table.spec.zone
        workbook = self._opened()
        for scan, picture in zip(scans, pictures, strict=True):
            workbook.append(history.row(scan, locale, zone), picture)

    def _opened(self) -> Workbook:
        if self._workbook is None:
            table = self._table
            self._workbook = Workbook(
                self.path,
                self._folder,
                history.TITLE[table.locale],
                history.columns(table.locale, table.spec.zone),
                table.made_at,
                history.PICTURES[table.locale] if table.spec.thumbnails else "",
            )
        return self._workbook

    async def _pictures(self, scans: Sequence[Scan]) -> Sequence[Path | None]:
        try:
            async with asyncio.TaskGroup() as group:
                pictures = [group.create_task(self._picture(scan)) for scan in scans]
        except ExceptionGroup as failed:
            raise failed.exceptions[0] from None
        return [picture.result() for picture in pictures]

    async def _picture(self, scan: Scan) -> Path | None:
        """A small picture of a scan's photo; None if there is none, or not any more."""
        key = scan.photo.object_key
        if not key:
            return None
        async with self._slots:
            jpeg = await self._made(key)
        if jpeg is None:
            return None
        path = self._folder / f"{scan.scan_id}.jpg"
        await self._aside(lambda: path.write_bytes(jpeg))
        return path

    async def _made(self, key: str) -> bytes | None:
        for attempt in range(1, _TRIES + 1):
            try:
                return await self._thumbnail(self._table.user_id, key, _THUMBNAIL_PIXELS)
            except (NotFound, InvalidArgument):
                return None
            except (Unavailable, ResourceExhausted) as error:
                if attempt == _TRIES:
                    raise
                await asyncio.sleep(error.retry_after or _PAUSE_SECONDS)
        raise AssertionError("unreachable")

    async def _aside(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)


@asynccontextmanager
async def open_history_file(table: Table, thumbnail: MakeThumbnail) -> AsyncIterator[HistoryFile]:
    """A new spreadsheet; all that was written of it goes with the block.

    Args:
        table: How it is written.
        thumbnail: Makes small pictures.
    """
    thread = ThreadPoolExecutor(1, "export")
    run = asyncio.get_running_loop().run_in_executor
    stack = ExitStack()
    try:
        folder = await run(thread, lambda: stack.enter_context(spool()))
        file = HistoryFile(table, thumbnail, thread, folder)
        stack.callback(file.discard)
        yield file
    finally:
        closing = run(thread, stack.close)  # after what it is at, should this be a cancellation
        thread.shutdown(wait=False)
        await asyncio.shield(closing)
