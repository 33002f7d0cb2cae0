"""What of client jobs goes by itself: files after a while, jobs after the retention, what a crash left behind."""

import re
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta

import structlog

from mesh.errors import Unavailable
from mesh.s3.bucket import Bucket
from scan_svc.client_jobs.client_jobs import FOLDER
from scan_svc.client_jobs.files import JobFiles
from scan_svc.client_jobs.service import ClientJobs
from scan_svc.client_jobs.store import ClientJobStore

_log = structlog.get_logger("client jobs")

# Of files that jobs have made: looked at every ten minutes, so that a day is kept.
_FILES_SECONDS = 20 * 3600.0
_BATCH = 100
_PAGE = 1000
_PAGES = 10
_KEY = re.compile(re.escape(FOLDER) + r"([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})/.+")


class JobRemoval:
    """Housekeeping of client jobs.

    Args:
        store: PostgreSQL.
        files: Their files.
        bucket: Where these are.
        jobs: Removes a job.
        refresh: Shows jobs that were changed.
        clock: The time.
        sweep_after_seconds: Younger files are left to those who are at work on them.
    """

    def __init__(
        self,
        store: ClientJobStore,
        files: JobFiles,
        bucket: Bucket,
        jobs: ClientJobs,
        refresh: Callable[[Sequence[str]], Awaitable[None]],
        clock: Callable[[], datetime],
        sweep_after_seconds: float,
    ) -> None:
        self._store = store
        self._files = files
        self._bucket = bucket
        self._jobs = jobs
        self._refresh = refresh
        self._clock = clock
        self._settled = timedelta(seconds=sweep_after_seconds)
        self._seen = ""  # goes on where it ended last

    async def expire_uploads(self, after_seconds: float) -> None:
        """Ends jobs whose file never came."""
        await self._refresh(await self._store.expire_uploads(after_seconds))

    async def forget_files(self) -> None:
        """Removes files that have been there for long enough; while storage is away, later."""
        try:
            while gone := await self._store.expired_files(_FILES_SECONDS, _BATCH):
                for job_id in gone:
                    await self._files.remove_all(job_id)
                    await self._store.forget_file(job_id)
                await self._refresh(gone)
        except Unavailable as error:
            _log.warning("files of jobs not removed yet", error=repr(error))

    async def forget_old(self, days: int) -> None:
        """Removes jobs that ended longer ago."""
        try:
            while gone := await self._store.expired(days, _BATCH):
                for job_id in gone:
                    await self._jobs.remove(job_id)
        except Unavailable as error:
            _log.warning("old jobs not removed yet", error=repr(error))

    async def sweep(self) -> None:
        """Removes files that no job needs, and hidden scans of jobs that are gone.

        They come of a crash between two steps, or of a worker that was late; the job may have ended well meanwhile.
        """
        for job_id in await self._store.gone_with_scans(_BATCH):
            while await self._store.remove_hidden_scans(job_id, _BATCH):
                pass
        try:
            for _ in range(_PAGES):
                await self._sweep_page()
                if not self._seen:
                    return
        except Unavailable as error:
            _log.warning("files of jobs not swept yet", error=repr(error))

    async def _sweep_page(self) -> None:
        found = await self._bucket.page(FOLDER, after=self._seen, count=_PAGE)
        before = self._clock() - self._settled
        old = [(one.key, match[1]) for one in found if one.modified_at <= before and (match := _KEY.fullmatch(one.key))]
        needed = await self._store.needed_files({job_id for _, job_id in old})
        if gone := [key for key, job_id in old if needed.get(job_id, "") not in (key, None)]:
            await self._bucket.remove(*gone)
            _log.info("files of jobs swept", count=len(gone))
        self._seen = found[-1].key if len(found) == _PAGE else ""
