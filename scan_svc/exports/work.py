"""What a worker does for an export: a spreadsheet of a history, or a zip of all that is kept of a user.

A file is stored under a key that no other try uses, and only the job's end, which is fenced, makes it the job's file.
So whoever is killed in the middle, or comes late, leaves nothing that anybody is shown; a try begins anew.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from uuid_utils.compat import UUID

from mesh.s3.bucket import Bucket
from scan_svc.client_jobs.client_jobs import File
from scan_svc.client_jobs.work import Result, Task
from scan_svc.exports.archive import Entry, zipped
from scan_svc.exports.contents import PHOTOS, ExportContents
from scan_svc.exports.history_file import MakeThumbnail, Table, open_history_file
from scan_svc.exports.spec import ExportResult, ExportSpec, Format, demanded
from scan_svc.exports.store import ExportStore
from scan_svc.scans import Scan
from scan_svc.store import ScanStore

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
ZIP = "application/zip"

_PAGE = 100
# Ids are made by the API's clocks, and times by the database's.
_CLOCKS = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class ExportWork:
    """Makes exports.

    Attributes:
        scans: The scans of all users.
        store: What else is kept of them.
        contents: What is in a zip.
        bucket: Where files go.
        thumbnail: Makes small pictures of photos.
        clock: The time.
    """

    scans: ScanStore
    store: ExportStore
    contents: ExportContents
    bucket: Bucket
    thumbnail: MakeThumbnail
    clock: Callable[[], datetime]

    async def prepare(self, user_id: str, spec: ExportSpec) -> ExportSpec:
        """What is to be made.

        Raises:
            InvalidArgument: It can't be.
        """
        return demanded(spec)

    async def run(self, task: Task) -> Result:
        """Makes the file.

        Raises:
            EcoError: A store, Vision or Character is away.
        """
        spec: ExportSpec = task.spec
        return await (self._archive(task) if spec.format is Format.ARCHIVE else self._history(task, spec))

    async def _history(self, task: Task, spec: ExportSpec) -> Result:
        user_id, now = task.job.user_id, self.clock()
        total = await self.store.count(user_id, spec.begin, spec.end)
        async with open_history_file(Table(user_id, spec, task.job.locale, now), self.thumbnail) as file:
            async for page in self._pages(user_id, spec):
                await file.add(page)
                await task.report("photos" if spec.thumbnails else "collect", file.scans, max(total, file.scans))
            await task.report("file")
            size = await file.close()
            name = f"eco2-history-{now.astimezone(spec.zone):%Y-%m-%d}.xlsx"
            key = task.file_key("xlsx")
            await self.bucket.write(key, file.content(), XLSX, name)
        return Result(ExportResult(file.scans, file.photos, XLSX, name), File(key, size))

    async def _pages(self, user_id: str, spec: ExportSpec) -> AsyncIterator[Sequence[Scan]]:
        """The scans of the time that was asked for, newest first."""
        begin, end = spec.begin, spec.end
        before = UUID(int=int((end + _CLOCKS).timestamp() * 1000) << 80) if end else None
        while True:
            scans, last = await self.scans.page(user_id, before, _PAGE)
            if wanted := [one for one in scans if spec.includes(one.created_at)]:
                yield wanted
            if not last or (begin and scans and scans[-1].created_at < begin - _CLOCKS):
                return
            before = UUID(last)

    async def _archive(self, task: Task) -> Result:
        user_id, now, key, size = task.job.user_id, self.clock(), task.file_key("zip"), 0
        account = await self.store.account(task.job.job_id)
        total, photos = await self.store.count(user_id, None, None, hidden=True), 0

        async def entries() -> AsyncIterator[Entry]:
            nonlocal photos
            await task.report("collect")
            async for entry in self.contents.entries(user_id, account):
                yield entry
                if entry.name.startswith(PHOTOS):
                    photos += 1
                    await task.report("photos", photos, max(total, photos))

        async def counted() -> AsyncIterator[bytes]:
            nonlocal size
            async for piece in zipped(entries(), now):
                size += len(piece)
                yield piece

        name = f"eco2-export-{now:%Y-%m-%d}.zip"
        await self.bucket.write(key, counted(), ZIP, name)
        return Result(ExportResult(total, photos, ZIP, name), File(key, size))
