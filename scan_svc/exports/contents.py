"""What is in an export: page by page, so that ten thousand scans take no more memory than a hundred."""

from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Sequence
from contextlib import suppress

import msgspec
from uuid_utils.compat import UUID

from mesh.s3.bucket import Bucket, ObjectMissing
from mesh.s3.photo_keys import copy_key
from scan_svc.exports.archive import Entry
from scan_svc.exports.store import ExportStore
from scan_svc.scan_proto import scan_as_json
from scan_svc.scans import Scan
from scan_svc.spreadsheets.cells import csv_row

PHOTOS = "photos/"
"""The folder in the file."""

_PAGE = 100
_COLUMNS = (
    *("scan_id", "created_at", "finished_at", "state", "user_input", "region", "building", "latitude", "longitude"),
    *("display_name", "major", "middle", "minor", "confidence", "answer"),
)
_README = """\
모든 시각은 UTC예요. Times are UTC.

account.json     계정과 로그인한 기기 · account and sessions
characters.json  모은 캐릭터 · the collection
scans.json       스캔, API와 같은 형식 · scans, as the API shows them
scans.csv        같은 내용의 요약, 표 · the same in short, as a table
jobs.json        맡긴 작업 · jobs, such as batches and exports
replies.json     답변에 남긴 말 · what was replied to answers
webhooks.json    알림을 받을 주소 · where scans are told of
calendars.json   구독하는 캘린더 · the calendar that was subscribed to
reminders.json   알림을 받는 곳 · where reminders go
photos/          저장된 사진 · photos that are stored
"""


class ExportContents:
    """Reads what is kept of a user.

    Args:
        store: Their scans, and what else Scan keeps of them.
        bucket: Their photos.
        collection: A user's characters, as JSON.
    """

    def __init__(self, store: ExportStore, bucket: Bucket, collection: Callable[[str], Awaitable[str]]) -> None:
        self._store = store
        self._bucket = bucket
        self._collection = collection

    async def entries(self, user_id: str, account: str) -> AsyncIterator[Entry]:
        """The files of an export.

        Args:
            user_id: Whose.
            account: What Auth keeps, as JSON.

        Raises:
            EcoError: A store or Character is away.
        """
        yield Entry("README.txt", _once(_README))
        yield Entry("account.json", _once(account))
        yield Entry("characters.json", _once(await self._collection(user_id)))
        yield Entry("webhooks.json", _once(_json(await self._store.addresses(user_id))))
        yield Entry("calendars.json", _once(_json(await self._store.calendars(user_id))))
        yield Entry("reminders.json", _once(_json(await self._store.subscriptions(user_id))))
        yield Entry("scans.json", _listed(self._shown(user_id)))
        yield Entry("scans.csv", self._table(user_id))
        yield Entry("jobs.json", _listed(self._jobs(user_id)))
        yield Entry("replies.json", _listed(self._replies(user_id)))
        async for page in self._pages(user_id):
            for scan in page:
                if scan.photo.object_key:
                    async for photo in self._photo(scan):
                        yield photo

    async def _pages(self, user_id: str) -> AsyncIterator[Sequence[Scan]]:
        before = None
        while True:
            scans, last = await self._store.page(user_id, before, _PAGE)
            yield scans
            if not last:
                return
            before = UUID(last)

    async def _shown(self, user_id: str) -> AsyncIterator[str]:
        async for page in self._pages(user_id):
            for scan in page:
                yield _json(scan_as_json(scan))

    async def _jobs(self, user_id: str) -> AsyncIterator[str]:
        before = None
        while jobs := await self._store.jobs(user_id, before, _PAGE):
            for job in jobs:
                yield _json(job)
            before = jobs[-1]["job_id"]

    async def _replies(self, user_id: str) -> AsyncIterator[str]:
        async for page in self._pages(user_id):
            for reply in await self._store.replies([scan.scan_id for scan in page]):
                yield _json(reply)

    async def _table(self, user_id: str) -> AsyncIterator[bytes]:
        yield b"\xef\xbb\xbf" + csv_row(_COLUMNS)  # spreadsheets take it for another encoding without the mark
        async for page in self._pages(user_id):
            yield b"".join(csv_row(_cells(scan)) for scan in page)

    async def _photo(self, scan: Scan) -> AsyncIterator[Entry]:
        """A scan's photo: its clean copy, or the upload as long as there is none; nothing if both are gone."""
        key = scan.photo.object_key
        for stored in dict.fromkeys((copy_key(key), key)):
            with suppress(ObjectMissing):
                async with self._bucket.reading(stored) as (_, pieces):
                    yield Entry(f"{PHOTOS}{scan.scan_id}.{key.rpartition('.')[2]}", pieces, compressed=False)
                return


def _cells(scan: Scan) -> Sequence[object]:
    found, place, answer = scan.results.vision, scan.location, scan.results.answer
    category = found.category if found else None
    return (
        scan.scan_id, scan.created_at.isoformat(), scan.finished_at.isoformat() if scan.finished_at else "",
        scan.state.value, scan.user_input, scan.region, scan.building,
        place.latitude if place else "", place.longitude if place else "",
        found.display_name if found else "", category.major if category else "", category.middle if category else "",
        category.minor if category else "", found.confidence if found else "", answer.text if answer else "",
    )  # fmt: skip


async def _once(text: str) -> AsyncIterator[bytes]:
    yield text.encode()


async def _listed(parts: AsyncIterable[str]) -> AsyncIterator[bytes]:
    """A JSON array of these, in pieces."""
    separator = "[\n"
    async for part in parts:
        yield f"{separator}{part}".encode()
        separator = ",\n"
    yield b"[]\n" if separator == "[\n" else b"\n]\n"


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
