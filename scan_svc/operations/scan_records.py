"""Scans as operators see them: how they are getting on, and nothing of what they are about.

No query's work grows with the number of scans that there are: each looks at 10,000 of them at most (`pages`).
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import asyncpg
import msgspec

from mesh.errors import NotFound
from mesh.postgres import Queries
from mesh.reasons import Reason
from scan_svc.operations.pages import LOOKED_AT, Page, Span
from scan_svc.rows import FAULT
from scan_svc.scans import Failure, StageRun, State

# Scans in these have a job: they are found among jobs, of which there are few.
_WITH_JOBS = frozenset({State.QUEUED, State.RUNNING, State.FAILED})


@dataclass(frozen=True, slots=True)
class ScanFilter:
    """Which scans are meant.

    Attributes:
        user_id: Only of this user; of all when empty.
        same_user_as: Only of the user whose scan this is; of all when empty.
        state: Only in this state; in all when None.
        created_from: Only those created then or later.
        created_until: Only those created before.
    """

    user_id: str = ""
    same_user_as: str = ""
    state: State | None = None
    created_from: datetime | None = None
    created_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class ScanRecord:
    """One scan.

    Attributes:
        scan_id: Which.
        user_id: Whose.
        state: Where it is in its life.
        stage: The stage it is at, or at which it failed; empty once it is over.
        attempts: How often that stage was tried.
        worker_id: Who has it; None if nobody has.
        due_at: When the next try is due, if that is still to come.
        created_at: When it was created.
        started_at: When it was queued; None while it waits for its photo.
        finished_at: When it ended.
        seconds: From its start to its end, or until now.
        reason: Why it failed; empty if it didn't.
        cost_micro_usd: What models have cost.
    """

    scan_id: str
    user_id: str
    state: State
    stage: str
    attempts: int
    worker_id: int | None
    due_at: datetime | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    seconds: float | None
    reason: str
    cost_micro_usd: int


@dataclass(frozen=True, slots=True)
class FailedAttempt:
    """A try of a stage that failed; without an error its worker was gone."""

    stage: str
    attempt: int
    worker_id: int | None
    ended_at: datetime
    duration_ms: int | None
    error: Failure | None


@dataclass(frozen=True, slots=True)
class Timeline:
    """What a scan went through.

    Attributes:
        scan: As it is now.
        trace_id: The trace it was submitted in; empty if it isn't known.
        runs: The stages that are behind it.
        failed: The tries that failed, in order.
    """

    scan: ScanRecord
    trace_id: str
    runs: Sequence[StageRun]
    failed: Sequence[FailedAttempt]


class ScanRecords:
    """Reads scans for operators.

    Args:
        pool: Connections.
        looked_at: How many scans a page looks at, at most.
    """

    def __init__(self, pool: asyncpg.Pool, looked_at: int = LOOKED_AT) -> None:
        self._pool = pool
        self._looked_at = looked_at
        self._sql = Queries("scan_svc.operations")

    async def search(self, wanted: ScanFilter, after: uuid.UUID | None, size: int) -> tuple[list[ScanRecord], Page]:
        """Up to `size` of the scans meant, newest first, that are older than `after`.

        Raises:
            NotFound: There is no scan `same_user_as`.
        """
        user_id = wanted.user_id
        if wanted.same_user_as:
            user_id = await self._pool.fetchval(self._sql["user_of_scan"], wanted.same_user_as)
            if user_id is None:
                raise NotFound(Reason.SCAN_NOT_FOUND, scan_id=wanted.same_user_as)
        span = Span.between(wanted.created_from, wanted.created_until, after)
        looked_at = self._looked_at if wanted.state else size + 1
        arguments = (span.before, span.start, wanted.state or "", size + 1, looked_at)
        if user_id:
            row = await self._pool.fetchrow(self._sql["scans_of_user"], *arguments, user_id)
        else:
            query = "scans_with_jobs" if wanted.state in _WITH_JOBS else "scans_by_time"
            row = await self._pool.fetchrow(self._sql[query], *arguments)
        page = Page.of(row, size, looked_at)
        return await self._read(page.ids), page

    async def slowest(
        self, created_from: datetime | None, created_until: datetime | None, size: int
    ) -> tuple[list[ScanRecord], Page]:
        """The `size` scans that took longest, longest first, of the newest ones that were created in a time."""
        span = Span.between(created_from, created_until)
        row = await self._pool.fetchrow(self._sql["slowest_scans"], span.before, span.start, size, self._looked_at)
        page = Page.of(row, size, self._looked_at)
        return await self._read(page.ids), page

    async def timeline(self, scan_id: str) -> Timeline:
        """What one scan went through.

        Raises:
            NotFound: There is no such scan.
        """
        scans = await self._read([scan_id])
        row = await self._pool.fetchrow(self._sql["scan_timeline"], scan_id)
        if not scans or row is None:
            raise NotFound(Reason.SCAN_NOT_FOUND, scan_id=scan_id)
        return Timeline(
            scans[0],
            row["trace_id"],
            msgspec.json.decode(row["runs"] or "[]", type=Sequence[StageRun]),
            [_attempt(each) for each in msgspec.json.decode(row["failed"] or "[]")],
        )

    async def _read(self, scan_ids: Sequence[str]) -> list[ScanRecord]:
        """Those that there are, in the order of their ids here."""
        rows = await self._pool.fetch(self._sql["scan_summaries"], scan_ids)
        found = {record.scan_id: record for record in map(_record, rows)}
        return [found[scan_id] for scan_id in scan_ids if scan_id in found]


def _record(row: asyncpg.Record) -> ScanRecord:
    return ScanRecord(
        scan_id=str(row["id"]),
        user_id=row["user_id"],
        state=State(row["state"]),
        stage=row["stage"] or "",
        attempts=row["attempt"] or 0,
        worker_id=row["worker_id"],
        due_at=row["due_at"],
        created_at=row["created_at"],
        started_at=row["started_at"],
        finished_at=row["finished_at"],
        seconds=row["seconds"],
        reason=row["reason"] or "",
        cost_micro_usd=row["cost_micro_usd"],
    )


def _attempt(stored: Mapping[str, object]) -> FailedAttempt:
    """A stored try; an error whose reason only a newer release knows is a fault like any other here."""
    try:
        return msgspec.convert(stored, FailedAttempt)
    except msgspec.ValidationError:
        return msgspec.convert({**stored, "error": msgspec.to_builtins(FAULT)}, FailedAttempt)
