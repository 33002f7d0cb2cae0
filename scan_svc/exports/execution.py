"""An export that the release before has begun, at work in a worker; those of this one are client jobs: `work`.

Read, zipped and stored in one pass; run again from the start after a crash. To be removed with the next release.
"""

import asyncio
import contextlib
import functools
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import datetime

import structlog

from mesh import outages
from mesh.errors import EcoError, Internal
from mesh.observability import telemetry, users
from mesh.reasons import Reason
from mesh.s3.bucket import Bucket
from scan_svc.exports.archive import zipped
from scan_svc.exports.contents import ExportContents
from scan_svc.exports.exports import ExportLease, ExportState
from scan_svc.exports.store import ExportStore
from scan_svc.jobs.leases import EXPORT_KIND, Fenced
from scan_svc.meters import ScanMeters
from scan_svc.scans import Failure

_log = structlog.get_logger("exports")

_ATTEMPTS = 5
_PAUSE_SECONDS = 5.0
_RELEASE_SECONDS = 5.0
_TYPE = "application/zip"


@dataclass(frozen=True, slots=True)
class ExportContext:
    """What all exports at work share.

    Attributes:
        store: The jobs.
        contents: What is in a file.
        bucket: Where files go.
        clock: The time.
        pause: Seconds before another try.
        meters: Count what is done.
    """

    store: ExportStore
    contents: ExportContents
    bucket: Bucket
    clock: Callable[[], datetime]
    pause: float = _PAUSE_SECONDS
    meters: ScanMeters = field(default_factory=ScanMeters.off)


class ExportExecution:
    """One export at work.

    Args:
        context: What all of them share.
        lease: The job.
    """

    def __init__(self, context: ExportContext, lease: ExportLease) -> None:
        self._context = context
        self._lease = lease

    async def run(self) -> None:
        """Works until the file is stored, the export failed, put back or somebody else's."""
        users.work_for(self._lease.user_id)
        telemetry.follow("")
        try:
            try:
                size = await self._make()
            except EcoError as error:
                await self._retry_or_fail(error)
            except Exception as error:
                known = outages.from_exception(error)
                if known is None:
                    _log.exception("export broke")
                    known = Internal(Reason.INTERNAL, trace_id=telemetry.trace_id())
                await self._retry_or_fail(known)
            else:
                end = functools.partial(self._context.store.end, self._lease, ExportState.SUCCEEDED, size)
                await outages.until_available(end)
        except Fenced:
            self._context.meters.lease_lost(EXPORT_KIND)
            if await self._context.store.get(self._lease.export_id) is None:  # else another worker makes it
                await self._context.bucket.remove(self._lease.object_key)

    def leave(self) -> None:
        """Nothing to do: the one try that is at work may end."""

    async def release(self) -> None:
        """Returns the job untried, when this process leaves; while the database is down it is left to be rescued."""
        with contextlib.suppress(Fenced, TimeoutError):
            async with asyncio.timeout(_RELEASE_SECONDS):
                await outages.until_available(lambda: self._context.store.release(self._lease))

    async def _make(self) -> int:
        """Stores the file; returns its size in bytes."""
        context, lease, size = self._context, self._lease, 0

        async def counted() -> AsyncIterator[bytes]:
            nonlocal size
            async for piece in zipped(context.contents.entries(lease.user_id, lease.account), context.clock()):
                size += len(piece)
                yield piece

        await context.bucket.write(lease.object_key, counted(), _TYPE)
        return size

    async def _retry_or_fail(self, error: EcoError) -> None:
        store, lease = self._context.store, self._lease
        final = lease.attempt >= _ATTEMPTS
        _log.warning("export failed", attempt=lease.attempt, reason=error.reason, final=final)
        if final:
            await outages.until_available(lambda: store.end(lease, ExportState.FAILED))
        else:
            delay = self._context.pause * 2 ** (lease.attempt - 1)
            await outages.until_available(lambda: store.retry(lease, Failure.of(error), delay))
