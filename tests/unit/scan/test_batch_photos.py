"""Photos of a batch's zip on their way to become scans."""

import asyncio
from datetime import UTC, datetime
from io import BytesIO
from types import SimpleNamespace
from typing import Any
from unittest.mock import AsyncMock, Mock

from mesh.locale import Locale
from scan_svc.batches.batches import BatchSpec
from scan_svc.batches.rows import Contents, FileLimits
from scan_svc.batches.sources import RowScans, source_of
from scan_svc.batches.zip_directory import read_directory
from scan_svc.client_jobs.client_jobs import ClientJob, Kind, Upload
from scan_svc.scans import State
from tests.support.scan.sheets import photo_zip


class _Held:
    """Storage that holds one file, and answers once it may."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.asked = 0
        self.reached = asyncio.Event()
        self.answers = asyncio.Event()

    async def part(self, key: str, start: int, length: int) -> bytes:
        """A piece of it."""
        self.asked += 1
        self.reached.set()
        await self.answers.wait()
        return self.content[start : start + length]


async def test_few_photos_of_all_zips_are_in_memory_at_once() -> None:
    """Eight of each of eight batches, 20 MB each and as much packed, would be more than a worker has."""
    content = photo_zip({f"{n}.jpg": b"x" for n in range(8)}, stored=True)
    storage: Any = _Held(content)
    hidden = Mock()
    hidden.create = AsyncMock(return_value=SimpleNamespace(scan_id="scan"))
    scans = RowScans(hidden, Mock(), storage)
    zips = [source_of(_batch(), BatchSpec(), _listed(content), scans) for _ in range(2)]
    made = [asyncio.create_task(one.make(number)) for one in zips for number in range(1, 9)]
    await storage.reached.wait()
    assert storage.asked == 3
    storage.answers.set()
    assert await asyncio.gather(*made) == ["scan"] * 16


def _listed(content: bytes) -> Contents:
    return Contents(photos=read_directory(BytesIO(content), FileLimits()))


def _batch() -> ClientJob:
    return ClientJob(
        job_id="01890000-0000-7000-8000-000000000000",
        user_id="user",
        kind=Kind.BATCH,
        state=State.RUNNING,
        version=1,
        spec="{}",
        locale=Locale.KO,
        created_at=datetime.now(UTC),
        upload=Upload("jobs/1/a.zip", "application/zip", 1),
    )
