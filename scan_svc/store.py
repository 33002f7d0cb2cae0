"""Scans in PostgreSQL: what users ask for.

Transaction contract: a state change and the job that follows from it are one statement, so one transaction; scans that
are created at the same time share it. What takes a scan away from a worker waits for the job's row first, so that a
result just stored is seen, and then for the scan's, so that a job just made is. Workers change scans through
`scan_svc.jobs.queue`.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

import asyncpg
import msgspec
from uuid_utils.compat import UUID

from mesh.concurrency.group_commit import GroupCommit
from mesh.errors import AlreadyExists, NotFound
from mesh.observability import tracing
from mesh.postgres import Queries
from mesh.reasons import Reason
from mesh.replica import PrimaryReads, Reads
from scan_svc.rows import UNANNOUNCED, readable, scan_from
from scan_svc.scans import NewScan, Scan, ScanRequest


class ScanStore:
    """The scans of all users.

    Args:
        pool: Connections.
        reads: Where histories are read that may be late; by default nowhere else.
    """

    def __init__(self, pool: asyncpg.Pool, reads: Reads | None = None) -> None:
        self._pool = pool
        self._reads = reads or PrimaryReads(pool)
        self._sql = Queries("scan_svc")
        self._creations = GroupCommit(self._create, "create_scans")

    async def create(self, new: NewScan, traceparent: str, webhook_secret: str = "") -> tuple[Scan, bool]:
        """Stores a new scan, queued unless its photo is still to come.

        Args:
            new: The scan.
            traceparent: The trace that its work goes on with.
            webhook_secret: What its webhooks are signed with; empty if it has no callback_url.

        Returns:
            The scan, and whether it is new: else it is the one that this request has made before.

        Raises:
            AlreadyExists: The user's request_id belongs to a scan with another content.
        """
        for _ in range(2):
            created_at = await self._creations.write(new.scan_id, (new, traceparent, webhook_secret))
            if created_at is not None:
                return new.scan(created_at), True
            # on conflict do nothing waits for the other transaction, so the row is visible now.
            if earlier := await self.made_before(new.request):
                return earlier, False
            # Deleted between the two statements: there is room now.
        raise AlreadyExists(Reason.REQUEST_ID_REUSED, request_id=new.request.request_id, scan_id="")

    async def made_before(self, request: ScanRequest) -> Scan | None:
        """The scan that the same request has made before; None if it hasn't.

        Raises:
            AlreadyExists: The user's request_id belongs to a scan with another content.
        """
        earlier = await self._pool.fetchrow(self._sql["find_by_request"], request.user_id, request.request_id)
        if earlier is None:
            return None
        scan_id = str(earlier["id"])
        if earlier["payload_hash"] != request.payload_hash:
            raise AlreadyExists(Reason.REQUEST_ID_REUSED, request_id=request.request_id, scan_id=scan_id)
        return await self.get(scan_id)

    async def get(self, scan_id: str) -> Scan:
        """One scan, whoever's it is.

        Raises:
            NotFound: There is none.
        """
        found = (await self.get_many((scan_id,))).get(scan_id)
        if found is None:
            raise NotFound(Reason.SCAN_NOT_FOUND, scan_id=scan_id)
        if isinstance(found, Exception):
            raise found
        return found

    async def get_many(self, scan_ids: Sequence[str]) -> dict[str, Scan | Exception]:
        """Those of the scans that exist, by id, whoever's they are; of one that can't be read, why."""
        rows = await self._pool.fetch(self._sql["get_scans"], scan_ids)
        return {str(row["id"]): _read(row) for row in rows}

    async def page(self, user_id: str, before: UUID | None, size: int) -> tuple[list[Scan], str]:
        """A user's scans older than `before`, newest first. None is late, whatever the replica has.

        Returns:
            The scans, without those that can't be read; and the id of the page's last one, empty if none follow.
        """
        if not self._reads.near:
            rows = await self._pool.fetch(self._sql["list_scans"], user_id, before, size + 1)
            scans, _ = readable(rows[:size], scan_from)
            return scans, str(rows[size - 1]["id"]) if len(rows) > size else ""
        keys = await self._pool.fetch(self._sql["list_versions"], user_id, before, size + 1)
        details = await self._details(keys[:size])
        scans, _ = readable([details[key["id"]] for key in keys[:size] if key["id"] in details], scan_from)
        return scans, str(keys[size - 1]["id"]) if len(keys) > size else ""

    async def _details(self, keys: Sequence[asyncpg.Record]) -> Mapping[UUID, asyncpg.Record]:
        """Scans by id: from the replica those that have ended, if it has them as they are now; the others from here."""
        ended = {key["id"]: key["version"] for key in keys if key["version"] is not None}
        query = self._sql["get_scans"]
        rows = await self._reads.read(lambda pool: pool.fetch(query, list(ended))) if ended else []
        details = {row["id"]: row for row in rows if row["finished_at"] and row["version"] == ended[row["id"]]}
        if missing := [key["id"] for key in keys if key["id"] not in details]:
            details |= {row["id"]: row for row in await self._pool.fetch(query, missing)}
        return details

    async def to_put_out(self, user_id: str, since: datetime, at_most: int) -> list[Scan]:
        """A user's scans that succeeded and weren't put out, newest first, without those that can't be read.

        Args:
            user_id: The user.
            since: Older ones are left out.
            at_most: How many.
        """
        first = UUID(int=int(since.timestamp() * 1000) << 80)  # ids begin with their milliseconds
        rows = await self._pool.fetch(self._sql["to_put_out"], user_id, first, at_most)
        return readable(rows, scan_from)[0]

    async def mark_put_out(self, user_id: str, scan_id: str) -> bool:
        """Remembers that what a scan shows was put out; False if the user has no such scan."""
        return await self._pool.fetchval(self._sql["mark_put_out"], user_id, scan_id) is not None

    async def is_put_out(self, scan_id: str) -> bool:
        """Whether what a scan shows was put out."""
        return bool(await self._pool.fetchval(self._sql["is_put_out"], scan_id))

    async def start(self, scan_id: str, traceparent: str, etag: str = "") -> bool:
        """Queues a scan whose photo has come, with this entity tag; False if it wasn't waiting for one any more.

        Its work goes on with the trace that created it, or with this one if nobody traced that.
        """
        created_by: str | None = await self._pool.fetchval(self._sql["start_scan"], scan_id, traceparent, etag)
        if created_by:
            tracing.belongs_to(created_by)
        return created_by is not None

    async def cancel(self, scan_id: str) -> bool:
        """Cancels a scan and fences its worker; False if it had finished."""
        async with self._pool.acquire() as connection, connection.transaction():
            return await self._taken_away(connection, "cancel_scan", scan_id) is not None

    async def delete(self, scan_id: str) -> bool:
        """Removes a scan with everything known about it, and its endpoint if no other has it; False if it was gone."""
        async with self._pool.acquire() as connection, connection.transaction():
            gone = await self._taken_away(connection, "delete_scan", scan_id)
            if gone is not None and gone["callback_url"]:
                for query in ("lock_endpoint", "forget_endpoint"):
                    await connection.execute(self._sql[query], gone["user_id"], gone["callback_url"])
            return gone is not None

    async def expire_uploads(self, after_seconds: float) -> list[str]:
        """Ends scans whose photo never came; returns their ids."""
        return [str(row["id"]) for row in await self._pool.fetch(self._sql["expire_uploads"], after_seconds)]

    async def _create(self, batch: Sequence[tuple[NewScan, str, str]]) -> Mapping[str, datetime]:
        # In this order, so that two processes which store the same requests can't wait for each other.
        batch = sorted(batch, key=lambda one: (one[0].request.user_id, one[0].request.request_id))
        rows = await self._pool.fetch(self._sql["create_scans"], *zip(*map(_columns, batch), strict=True))
        return {str(row["id"]): row["created_at"] for row in rows}

    async def _taken_away(
        self, connection: asyncpg.pool.PoolConnectionProxy, query: str, scan_id: str
    ) -> asyncpg.Record | None:
        await connection.execute(self._sql["lock_job"], scan_id)
        await connection.execute(self._sql["lock_scan"], scan_id)
        return await connection.fetchrow(self._sql[query], scan_id)


def _read(row: asyncpg.Record) -> Scan | Exception:
    """A row's scan, or why it can't be read: a newer release may have written what this one doesn't know."""
    try:
        return scan_from(row)
    except (ValueError, KeyError, msgspec.MsgspecError) as error:
        return error


def _columns(creation: tuple[NewScan, str, str]) -> tuple[object, ...]:
    new, traceparent, webhook_secret = creation
    photo, asked, place = new.photo, new.request, new.request.location
    size = UNANNOUNCED if photo.size_bytes is None else photo.size_bytes
    return (
        new.scan_id, asked.user_id, asked.request_id, asked.payload_hash, photo.uploaded,
        photo.image_url, photo.object_key, photo.content_type, size, photo.sha256, asked.user_input,
        place.latitude if place else None, place.longitude if place else None, asked.region, asked.locale.value,
        asked.callback_url, traceparent, asked.building, webhook_secret, asked.webhook_shape.value,
        int(asked.priority), asked.client_job_id, asked.hidden,
    )  # fmt: skip
