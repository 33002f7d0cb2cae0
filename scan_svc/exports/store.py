"""Exports in PostgreSQL.

A spreadsheet is a client job and nothing else. A zip of all that is kept of a user is one, too, and has a row in
`scan.export` beside it: GetExport reads that, in this release and in the one before, and what Auth has told waits
there. A trigger keeps the row in step with its job.
"""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

import asyncpg
import msgspec
import uuid_utils
from uuid_utils.compat import UUID

from mesh.errors import NotFound
from mesh.postgres import Queries
from mesh.reasons import Reason
from scan_svc.exports.exports import Export, ExportLease, ExportState
from scan_svc.exports.spec import ExportSpec, Format
from scan_svc.jobs.leases import Fenced
from scan_svc.rows import readable, scan_from, to_json
from scan_svc.scans import Failure, Scan

_AS_JSON = frozenset({"spec", "result", "error"})


class ExportStore:
    """The exports of all users.

    Args:
        pool: Connections.
    """

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self._sql = Queries("scan_svc.exports", "scan_svc.jobs")

    async def create(self, user_id: str, account: str, object_key: str, traceparent: str) -> tuple[Export, bool]:
        """A new export, queued; or the one of this user that is running. And whether it is new.

        Args:
            user_id: Whose.
            account: What Auth keeps, as JSON.
            object_key: Where nothing is: for workers of the release before, until the file is there.
            traceparent: The trace that its work goes on with.
        """
        spec = to_json(ExportSpec(Format.ARCHIVE))
        while True:
            made = await self._pool.fetchrow(
                self._sql["create"], str(uuid_utils.uuid7()), user_id, account, object_key, spec, traceparent
            )
            if row := made or await self._pool.fetchrow(self._sql["running"], user_id):
                return _export(row), made is not None
            # It ended between the two statements.

    async def get(self, export_id: str) -> Export | None:
        """One export, whoever's it is."""
        row = await self._pool.fetchrow(self._sql["get"], export_id)
        return _export(row) if row else None

    async def account(self, job_id: str) -> str:
        """What Auth keeps of the user whose zip is made, as JSON.

        Raises:
            NotFound: It is gone, and the export with it.
        """
        account: str | None = await self._pool.fetchval(self._sql["account"], job_id)
        if account is None:
            raise NotFound(Reason.EXPORT_NOT_FOUND, export_id=job_id)
        return account

    async def count(self, user_id: str, begin: datetime | None, end: datetime | None, *, hidden: bool = False) -> int:
        """How many scans a user has that were made from `begin` on and before `end`.

        Args:
            user_id: Whose.
            begin: None: from the first.
            end: None: to the last.
            hidden: Whether those count that only a job shows.
        """
        counted: int = await self._pool.fetchval(self._sql["count"], user_id, begin, end, hidden)
        return counted

    async def page(self, user_id: str, before: UUID | None, size: int) -> tuple[list[Scan], str]:
        """A user's scans older than `before`, newest first; with those that only a job shows.

        Returns:
            The scans, without those that can't be read; and the id of the page's last one, empty if none follow.
        """
        rows = await self._pool.fetch(self._sql["page"], user_id, before, size + 1)
        return readable(rows[:size], scan_from)[0], str(rows[size - 1]["id"]) if len(rows) > size else ""

    async def jobs(self, user_id: str, before: str | None, size: int) -> list[dict[str, Any]]:
        """A user's client jobs older than `before`, newest first, as they are kept."""
        rows = await self._pool.fetch(self._sql["jobs"], user_id, before, size)
        return [
            {name: msgspec.Raw(value.encode()) if name in _AS_JSON and value else value for name, value in row.items()}
            for row in rows
        ]

    async def jobs_of_user(self, user_id: str) -> list[str]:
        """The client jobs that make exports of a user."""
        return [str(row["id"]) for row in await self._pool.fetch(self._sql["jobs_of_user"], user_id)]

    async def claim(self, worker_id: int, count: int, full: Collection[str] = ()) -> list[ExportLease]:
        """Takes up to `count` exports that are due; nobody is ever `full`, since a user has one at a time."""
        return [ExportLease(*row) for row in await self._pool.fetch(self._sql["claim"], worker_id, count)]

    async def end(self, lease: ExportLease, state: ExportState, size_bytes: int = 0) -> None:
        """Ends an export.

        Raises:
            Fenced: The job has changed hands, or the export was removed.
        """
        await self._write("end", lease, state.value, size_bytes)

    async def retry(self, lease: ExportLease, failure: Failure, delay: float) -> None:
        """Puts an export back for another try in `delay` seconds. Raises as `end` does."""
        await self._write("retry", lease, to_json(failure), delay, to_json(None), 0, 0)

    async def release(self, lease: ExportLease) -> None:
        """Returns an export untried, its attempt included. Raises as `end` does."""
        await self._write("release", lease, 0.0)

    async def expired(self, seconds: float, count: int) -> Mapping[str, str]:
        """The keys of up to `count` files that have been there for longer, by export."""
        return _keys(await self._pool.fetch(self._sql["expired"], seconds, count))

    async def of_user(self, user_id: str) -> Mapping[str, str]:
        """The keys of a user's files, by export."""
        return _keys(await self._pool.fetch(self._sql["of_user"], user_id))

    async def remove(self, export_ids: list[str]) -> None:
        """Removes exports, and stops those that are being made."""
        await self._pool.execute(self._sql["remove"], export_ids)

    async def replies(self, scan_ids: list[str]) -> list[dict[str, object]]:
        """What was replied to the answers of some scans."""
        return [dict(row) for row in await self._pool.fetch(self._sql["replies"], scan_ids)]

    async def addresses(self, user_id: str) -> list[dict[str, object]]:
        """Where a user wants to be told of scans."""
        return [dict(row) for row in await self._pool.fetch(self._sql["addresses"], user_id)]

    async def subscriptions(self, user_id: str) -> list[dict[str, object]]:
        """Where a user is reminded; not what messages are encrypted with."""
        return [dict(row) for row in await self._pool.fetch(self._sql["subscriptions"], user_id)]

    async def calendars(self, user_id: str) -> list[dict[str, object]]:
        """A user's calendar, without its address."""
        return [dict(row) for row in await self._pool.fetch(self._sql["calendar"], user_id)]

    async def _write(self, query: str, lease: ExportLease, *arguments: object) -> None:
        if await self._pool.fetchval(self._sql[query], lease.job_id, lease.token, *arguments) is None:
            raise Fenced


def _export(row: asyncpg.Record) -> Export:
    export_id, user_id, state, *rest = row
    return Export(str(export_id), user_id, ExportState(state), *rest)


def _keys(rows: list[asyncpg.Record]) -> Mapping[str, str]:
    return {str(row["id"]): row["object_key"] for row in rows}
