"""Exports in PostgreSQL: a row, and a job of kind `export` while it is being made."""

from collections.abc import Collection, Mapping

import asyncpg
import uuid_utils

from mesh.postgres import Queries
from scan_svc.exports.exports import Export, ExportLease, ExportState
from scan_svc.jobs.leases import Fenced
from scan_svc.rows import to_json
from scan_svc.scans import Failure


class ExportStore:
    """The exports of all users.

    Args:
        pool: Connections.
    """

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self._sql = Queries("scan_svc.exports", "scan_svc.jobs")

    async def create(self, user_id: str, account: str, object_key: str) -> tuple[Export, bool]:
        """A new export, queued; or the one of this user that is running. And whether it is new."""
        while True:
            made = await self._pool.fetchrow(self._sql["create"], str(uuid_utils.uuid7()), user_id, account, object_key)
            if row := made or await self._pool.fetchrow(self._sql["running"], user_id):
                return _export(row), made is not None
            # It ended between the two statements.

    async def get(self, export_id: str) -> Export | None:
        """One export, whoever's it is."""
        row = await self._pool.fetchrow(self._sql["get"], export_id)
        return _export(row) if row else None

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
